package io.millrace.engine.cache;

import io.millrace.engine.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;

/// A sliding window and compressed rows, layer by layer; bytes accounted by {@link CacheShape}, to which a
/// {@link #mark} adds one step's rows and a copy of the pending compressor state.
public final class CompressedCache implements SequenceCache {
    private final CacheShape shape;
    private final List<LayerCache> layers = new ArrayList<>();
    private int length;
    private int marked;
    private long sharedBytes;

    public CompressedCache(Kernels kernels, CacheShape shape) {
        this.shape = shape;
        for (CacheShape.Layer layer : shape.layers()) {
            layers.add(new LayerCache(kernels, shape, layer));
        }
    }

    private CompressedCache(CompressedCache source) {
        this.shape = source.shape;
        this.length = source.length;
        this.sharedBytes = source.completePageBytes();
        for (LayerCache layer : source.layers) {
            layers.add(layer.fork());
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
        return shape.bytes(length) - sharedBytes;
    }

    @Override
    public long completePageBytes() {
        return shape.completePageBytes(length);
    }

    @Override
    public CompressedCache fork() {
        return new CompressedCache(this);
    }

    @Override
    public void mark() {
        marked = length;
        layers.forEach(LayerCache::mark);
    }

    @Override
    public void rewind(int newLength) {
        for (LayerCache layer : layers) {
            layer.rewind(marked, newLength - marked);
        }
        length = newLength;
    }
}
