package io.millrace.engine.cache;

import io.millrace.engine.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;

/// What one sequence remembers, layer by layer. Used by the engine's batch thread alone; its memory is the
/// garbage collector's, its bytes are accounted by {@link CacheShape}.
public final class SequenceCache {
    private final CacheShape shape;
    private final List<LayerCache> layers = new ArrayList<>();
    private int length;

    public SequenceCache(Kernels kernels, CacheShape shape) {
        this.shape = shape;
        for (CacheShape.Layer layer : shape.layers()) {
            layers.add(new LayerCache(kernels, shape, layer));
        }
    }

    public LayerCache layer(int index) {
        return layers.get(index);
    }

    /// Tokens seen so far: the position of the next one.
    public int length() {
        return length;
    }

    /// To be called when all layers have taken a step's tokens.
    public void advance(int tokens) {
        length += tokens;
    }

    /// Bytes held now.
    public long bytes() {
        return shape.bytes(length);
    }
}
