package io.millrace.engine.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a Qwen3 is.
///
/// @param moe null for the dense models
public record Qwen3Config(DecoderConfig decoder, @Nullable Moe moe) implements DecoderModelConfig {

    /// Mixture of experts.
    ///
    /// @param normTopkProb whether the weights of the chosen experts sum to one
    /// @param denseLayers layers that have one feed-forward unit and no experts
    public record Moe(
            int numExperts,
            int numExpertsPerTok,
            int moeIntermediateSize,
            boolean normTopkProb,
            List<Integer> denseLayers) {
        public Moe {
            denseLayers = List.copyOf(denseLayers);
        }
    }

    /// Whether a layer has experts.
    public boolean isSparse(int layer) {
        return moe != null && !moe.denseLayers().contains(layer);
    }

    @Override
    public String modelType() {
        return moe == null ? "qwen3" : "qwen3_moe";
    }
}
