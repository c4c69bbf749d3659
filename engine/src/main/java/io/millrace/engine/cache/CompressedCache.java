package io.millrace.engine.cache;

import io.millrace.engine.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;

/// A sliding window and compressed rows, layer by layer; bytes accounted by {@link CacheShape}.
public final class CompressedCache implements SequenceCache {
    private final CacheShape shape;
    private final List<LayerCache> layers = new ArrayList<>();
    private int length;

    public CompressedCache(Kernels kernels, CacheShape shape) {
        this.shape = shape;
        for (CacheShape.Layer layer : shape.layers()) {
            layers.add(new LayerCache(kernels, shape, layer));
        }
    }

    public LayerCache layer(int index) {
        return layers.get(index);
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public void advance(int tokens) {
        length += tokens;
    }

    @Override
    public long bytes() {
        return shape.bytes(length);
    }
}
