package io.millrace.engine;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.checkpoint.Checkpoint;
import io.millrace.engine.checkpoint.DecoderBinder;
import io.millrace.engine.checkpoint.WeightBinder;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.DecoderWeights;
import io.millrace.engine.model.DeepSeekV4;
import io.millrace.engine.model.LanguageModel;
import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.Llama;
import io.millrace.engine.model.LlamaConfig;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Qwen3;
import io.millrace.engine.model.Qwen3Config;
import io.millrace.engine.model.Weights;
import java.util.function.Supplier;

/// Which class computes which architecture.
final class Architectures {
    private Architectures() {}

    /// Binds a checkpoint's weights once; each model made of them has activations of its own.
    static Supplier<LanguageModel> bind(Checkpoint checkpoint, Kernels kernels, CacheRounding rounding) {
        return switch (checkpoint.model()) {
            case ModelConfig config -> {
                Weights weights = WeightBinder.bind(checkpoint, config);
                yield () -> new DeepSeekV4(kernels, config, weights, rounding);
            }
            case Qwen3Config config -> {
                checkUnrounded(config, rounding);
                DecoderWeights weights = DecoderBinder.bind(checkpoint, config);
                yield () -> new Qwen3(kernels, config, weights);
            }
            case LlamaConfig config -> {
                checkUnrounded(config, rounding);
                DecoderWeights weights = DecoderBinder.bind(checkpoint, config);
                yield () -> new Llama(kernels, config, weights);
            }
        };
    }

    private static void checkUnrounded(LanguageModelConfig config, CacheRounding rounding) {
        if (rounding == CacheRounding.ON) {
            throw new EngineException(
                    ErrorCode.BAD_CONFIGURATION,
                    "cache rounding: expected AUTO or OFF for " + config.modelType()
                            + ", which was not trained with it, got ON");
        }
    }
}
