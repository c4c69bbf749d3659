package io.millrace.engine.checkpoint;

import io.millrace.engine.model.LanguageModelConfig;
import io.millrace.engine.model.LlamaConfig;
import io.millrace.engine.model.ModelConfig;
import io.millrace.engine.model.Qwen3Config;
import java.util.regex.Pattern;

/// What a token costs by a model's stored weights: the bytes that a step must read and the operations that
/// it must do, attention aside. Prediction blocks are left out.
///
/// @param denseBytes read in every step: all weights as stored but experts, embedding and expert tables
/// @param expertBytes of all routed experts, scales included
/// @param experts routed experts of a layer; 1 if there are none
/// @param chosen experts of a token in a layer
/// @param bodyOperations per token, a multiply-add being two: of all weights touched but the head
/// @param headOperations per token whose next token is wanted
public record TokenCost(
        long denseBytes, long expertBytes, int experts, int chosen, long bodyOperations, long headOperations) {
    private static final Pattern EXPERTS = Pattern.compile("(^|\\.)experts\\.|_exps\\.");
    private static final Pattern EMBEDDING = Pattern.compile("(^|\\.)(embed|embed_tokens|token_embd)\\.weight$");
    private static final Pattern NOT_READ = Pattern.compile("tid2eid|(^|\\.)mtp\\.");

    public static TokenCost of(Checkpoint checkpoint) {
        LanguageModelConfig config = checkpoint.model();
        long dense = 0;
        long experts = 0;
        for (StoredTensor tensor : checkpoint.tensors()) {
            String name = tensor.name();
            long bytes = NOT_READ.matcher(name).find() ? 0 : tensor.data().byteSize();
            if (EXPERTS.matcher(name).find()) {
                experts += bytes;
            } else if (checkpoint.tieWordEmbeddings()
                    || !EMBEDDING.matcher(name).find()) {
                dense += bytes;
            }
        }
        long head = 2L * config.vocabSize() * hiddenSize(config);
        long body = 2 * ParameterCount.of(config).active() - head;
        return new TokenCost(dense, experts, experts(config), chosen(config), body, head);
    }

    private static int hiddenSize(LanguageModelConfig config) {
        return switch (config) {
            case ModelConfig deepSeek -> deepSeek.hiddenSize();
            case Qwen3Config qwen3 -> qwen3.decoder().hiddenSize();
            case LlamaConfig llama -> llama.decoder().hiddenSize();
        };
    }

    private static int experts(LanguageModelConfig config) {
        return switch (config) {
            case ModelConfig deepSeek -> deepSeek.moe().nRoutedExperts();
            case Qwen3Config qwen3 when qwen3.moe() != null -> qwen3.moe().numExperts();
            default -> 1;
        };
    }

    private static int chosen(LanguageModelConfig config) {
        return switch (config) {
            case ModelConfig deepSeek -> deepSeek.moe().numExpertsPerTok();
            case Qwen3Config qwen3 when qwen3.moe() != null -> qwen3.moe().numExpertsPerTok();
            default -> 1;
        };
    }

    /// Bytes of weights that a step reads when each of its tokens chooses its experts by chance.
    ///
    /// @param tokens in the step; 1 for a token alone
    public double bytesPerStep(int tokens) {
        double idle = Math.pow(1 - (double) chosen / experts, tokens);
        return denseBytes + expertBytes * (1 - idle);
    }
}
