package io.millrace.engine.cache;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.List;

/// Keys and values of every position, layer by layer, in pages.
public final class KeyValueCache implements SequenceCache {
    private final Kernels kernels;
    private final KeyValueShape shape;
    private final List<List<Floats>> layers = new ArrayList<>();
    private int length;
    private long sharedBytes;

    public KeyValueCache(Kernels kernels, KeyValueShape shape, int layers) {
        this.kernels = kernels;
        this.shape = shape;
        for (int i = 0; i < layers; i++) {
            this.layers.add(new ArrayList<>());
        }
    }

    private KeyValueCache(KeyValueCache source) {
        this(source.kernels, source.shape, source.layers.size());
        this.length = source.length;
        this.sharedBytes = source.completePageBytes();
        int complete = length / KeyValueShape.PAGE_ROWS;
        for (int i = 0; i < layers.size(); i++) {
            List<Floats> pages = source.layers.get(i);
            layers.get(i).addAll(pages.subList(0, complete));
            if (length % KeyValueShape.PAGE_ROWS > 0) {
                layers.get(i).add(FloatsCopy.of(kernels, pages.get(complete), 0, shape.pageFloats()));
            }
        }
    }

    /// Bytes held by a sequence of `tokens` tokens.
    public static long bytes(KeyValueShape shape, int layers, int tokens) {
        long pages = (long) layers * Math.ceilDiv(tokens, KeyValueShape.PAGE_ROWS);
        return pages * shape.pageFloats() * Float.BYTES;
    }

    /// A layer's pages, enough for the next `tokens` tokens.
    public List<Floats> pages(int layer, int tokens) {
        List<Floats> pages = layers.get(layer);
        while (pages.size() < Math.ceilDiv(length + tokens, KeyValueShape.PAGE_ROWS)) {
            pages.add(kernels.allocate(shape.pageFloats()));
        }
        return pages;
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
        return layers.stream().mapToLong(List::size).sum() * shape.pageFloats() * Float.BYTES - sharedBytes;
    }

    @Override
    public long completePageBytes() {
        return bytes(shape, layers.size(), length / KeyValueShape.PAGE_ROWS * KeyValueShape.PAGE_ROWS);
    }

    @Override
    public KeyValueCache fork() {
        return new KeyValueCache(this);
    }

    @Override
    public void mark() {
        // nothing is overwritten but what lies behind the length
    }

    @Override
    public void rewind(int newLength) {
        length = newLength;
    }
}
