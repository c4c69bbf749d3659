package io.millrace.engine.model;

import java.util.List;

/// How rotary frequencies are stretched for contexts longer than those first trained on.
public sealed interface RopeScaling {
    record None() implements RopeScaling {}

    /// YaRN: slow pairs interpolated, fast ones kept, a ramp between.
    ///
    /// @param attentionFactor magnitude of rotated queries and keys
    record Yarn(ModelConfig.Yarn ramp, double attentionFactor) implements RopeScaling {
        /// The magnitude that the paper recommends for a factor.
        public static double recommended(double factor) {
            return factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
        }
    }

    /// Llama 3.1: by how often a pair turns within the original context, interpolated below
    /// `lowFreqFactor` turns, kept above `highFreqFactor`, blended between.
    record Llama3(double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositionEmbeddings)
            implements RopeScaling {
        double scaled(double frequency) {
            double turns = originalMaxPositionEmbeddings * frequency / (2 * Math.PI);
            double kept = Math.clamp((turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor), 0, 1);
            return kept * frequency + (1 - kept) * frequency / factor;
        }
    }

    /// A divisor for every pair, as GGUF files store Llama 3.1's scaling.
    record Divisors(List<Double> values) implements RopeScaling {
        public Divisors {
            values = List.copyOf(values);
        }
    }
}
