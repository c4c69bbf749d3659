package io.millrace.engine.model;

import io.millrace.engine.api.ExpertLoad;
import io.millrace.engine.kernel.Kernels.HostRouting;
import io.millrace.engine.kernel.Kernels.Routing;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.IntStream;

/// Counts the tokens that the experts of a model's layers are given. One thread counts, any may look. A
/// routing that lies on a card is left there, uncounted: to fetch it would hold the card up at every layer.
final class ExpertCounts {
    private final SortedMap<Integer, AtomicLongArray> layers = new TreeMap<>();

    /// To be called for each layer that has experts when the model is made.
    void add(int layer, int experts) {
        layers.put(layer, new AtomicLongArray(experts));
    }

    /// Adds a step's rows.
    void count(int layer, Routing routing, int rows) {
        AtomicLongArray tokens = layers.get(layer);
        if (tokens != null && routing instanceof HostRouting host) {
            for (int slot = 0; slot < rows * host.topK(); slot++) {
                // no other thread writes, so this need not be one operation
                int expert = host.experts()[slot];
                tokens.setRelease(expert, tokens.getPlain(expert) + 1);
            }
        }
    }

    /// What was counted so far.
    ExpertLoad load() {
        ExpertLoad load = new ExpertLoad(layers.entrySet().stream()
                .map(layer -> layer(layer.getKey(), layer.getValue()))
                .toList());
        boolean isCounted = load.layers().stream().anyMatch(layer -> layer.total() > 0);
        return isCounted ? load : ExpertLoad.NONE;
    }

    private static ExpertLoad.Layer layer(int layer, AtomicLongArray tokens) {
        return new ExpertLoad.Layer(
                layer,
                IntStream.range(0, tokens.length()).mapToObj(tokens::getAcquire).toList());
    }
}
