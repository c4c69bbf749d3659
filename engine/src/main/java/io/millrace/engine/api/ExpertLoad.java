package io.millrace.engine.api;

import java.util.ArrayList;
import java.util.List;

/// How many tokens each expert of each layer was given.
///
/// @param layers those that have experts, in their order; empty where none are counted
public record ExpertLoad(List<Layer> layers) {
    public static final ExpertLoad NONE = new ExpertLoad(List.of());

    public ExpertLoad {
        layers = List.copyOf(layers);
    }

    /// One layer.
    ///
    /// @param layer which of the model's, from 0
    /// @param tokens of each expert
    public record Layer(int layer, List<Long> tokens) {
        public Layer {
            tokens = List.copyOf(tokens);
        }

        /// Tokens of all experts together.
        public long total() {
            return tokens.stream().mapToLong(Long::longValue).sum();
        }

        /// An expert's mean tokens over those of the one with the most, in (0, 1]; NaN before any token.
        public double balance() {
            long most = tokens.stream().mapToLong(Long::longValue).max().orElse(0);
            return (double) total() / tokens.size() / most;
        }
    }

    /// Mean of the layers' balances, in (0, 1], where 1 is the same load for all experts; NaN before any
    /// token.
    public double balance() {
        return layers.stream().mapToDouble(Layer::balance).average().orElse(Double.NaN);
    }

    /// The layer whose experts are least evenly loaded.
    ///
    /// @throws java.util.NoSuchElementException if there is none
    public Layer leastEven() {
        return layers.stream()
                .min((one, other) -> Double.compare(one.balance(), other.balance()))
                .orElseThrow();
    }

    /// Whether another counts the same experts.
    public boolean isOfSameShape(ExpertLoad other) {
        return shape().equals(other.shape());
    }

    private List<List<Integer>> shape() {
        return layers.stream()
                .map(layer -> List.of(layer.layer(), layer.tokens().size()))
                .toList();
    }

    /// The sum of both, which count the same experts.
    public ExpertLoad plus(ExpertLoad other) {
        return combined(other, 1);
    }

    /// What came since an earlier count of the same experts.
    public ExpertLoad since(ExpertLoad earlier) {
        return combined(earlier, -1);
    }

    private ExpertLoad combined(ExpertLoad other, int sign) {
        if (layers.isEmpty() || other.layers.isEmpty()) {
            return layers.isEmpty() && sign > 0 ? other : this;
        }
        if (!isOfSameShape(other)) {
            throw new IllegalArgumentException("expected " + shape() + " (layer, experts), got " + other.shape());
        }
        List<Layer> sums = new ArrayList<>();
        for (int at = 0; at < layers.size(); at++) {
            List<Long> tokens = new ArrayList<>();
            for (int expert = 0; expert < layers.get(at).tokens().size(); expert++) {
                tokens.add(layers.get(at).tokens().get(expert)
                        + sign * other.layers.get(at).tokens().get(expert));
            }
            sums.add(new Layer(layers.get(at).layer(), tokens));
        }
        return new ExpertLoad(sums);
    }
}
