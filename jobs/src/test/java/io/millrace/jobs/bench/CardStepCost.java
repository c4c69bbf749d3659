package io.millrace.jobs.bench;

import io.millrace.engine.api.CacheRounding;
import io.millrace.engine.cache.CompressedCache;
import io.millrace.engine.device.Devices;
import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.model.Caches;
import io.millrace.engine.model.DeepSeekV4;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Step;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Locale;

/// What a decode step costs the host where a card computes: V4-Flash's 43 layers, of a fraction of the
/// width, since the calls do not depend on it, on a software card that computes nothing. `SOFTCARD_COMPUTE=0
/// java .. CardStepCost npu:FOLDER`.
final class CardStepCost {
    private static final int ROUNDS = 20;

    private CardStepCost() {}

    public static void main(String[] arguments) {
        ModelConfig narrow = V4Shapes.narrow();
        ModelConfig config = new ModelConfig(
                narrow.vocabSize(),
                narrow.hiddenSize(),
                V4Shapes.flash().layers(),
                List.of(),
                narrow.attention(),
                narrow.indexer(),
                narrow.moe(),
                narrow.hyperConnections(),
                narrow.rope(),
                narrow.rmsNormEps(),
                narrow.maxPositionEmbeddings(),
                0,
                1,
                false);
        try (Kernels kernels = Devices.open(arguments[0], 1);
                Arena arena = Arena.ofShared()) {
            DeepSeekV4 model =
                    new DeepSeekV4(kernels, config, RandomWeights.of(kernels, config, arena), CacheRounding.OFF);
            for (int position : new int[] {640, 2048}) {
                CompressedCache cache = FilledCache.of(kernels, Caches.shape(config), position);
                double best = Double.POSITIVE_INFINITY;
                for (int round = 0; round < ROUNDS; round++) {
                    best = Math.min(best, step(model, cache));
                }
                System.out.printf(
                        Locale.ROOT, "%s, position %d: %.0f µs a step%n", kernels.description(), position, best);
            }
        }
    }

    private static double step(DeepSeekV4 model, CompressedCache cache) {
        long start = System.nanoTime();
        Step step = new Step();
        step.add(cache, new int[] {7}, 0, 1);
        float[] logits = new float[model.config().vocabSize()];
        model.read(model.logits(model.forward(step), new int[] {0}), 0, logits, logits.length);
        return (System.nanoTime() - start) / 1000.0;
    }
}
