package io.millrace.engine.cache;

import io.millrace.engine.kernel.Kernels.Pooling;
import java.util.List;

/// How many floats a sequence keeps, layer by layer (deepseek-v4.md section 5.1 and 5.3).
///
/// @param dim floats of a window or compressed row
/// @param window rows of the sliding window
public record CacheShape(int dim, int window, List<Layer> layers) {
    /// Compressed rows are allocated in pages of this many.
    public static final int PAGE_ROWS = 16;

    /// One layer.
    ///
    /// @param main pooling of key-value rows; ratio 0 for none
    /// @param index pooling of index keys; ratio 0 for none
    public record Layer(Pooling main, Pooling index) {
        public static final Pooling NONE = new Pooling(0, 0, false);
    }

    public CacheShape {
        layers = List.copyOf(layers);
    }

    /// Bytes held by a sequence of `tokens` tokens.
    public long bytes(int tokens) {
        long floats = 0;
        for (Layer layer : layers) {
            floats += (long) window * dim;
            floats += pooledFloats(layer.main(), tokens) + pooledFloats(layer.index(), tokens);
        }
        return floats * Float.BYTES;
    }

    /// Bytes of the pages that a sequence of `tokens` tokens has filled.
    long completePageBytes(int tokens) {
        long floats = 0;
        for (Layer layer : layers) {
            floats += completePageFloats(layer.main(), tokens) + completePageFloats(layer.index(), tokens);
        }
        return floats * Float.BYTES;
    }

    private static long completePageFloats(Pooling pooling, int tokens) {
        return pooling.ratio() == 0 ? 0 : (long) tokens / pooling.ratio() / PAGE_ROWS * PAGE_ROWS * pooling.dim();
    }

    /// Bytes that each further token adds, pages left aside: the formula of section 5.3 for fp32 rows.
    public double bytesPerToken() {
        double floats = 0;
        for (Layer layer : layers) {
            floats += perToken(layer.main()) + perToken(layer.index());
        }
        return floats * Float.BYTES;
    }

    private static double perToken(Pooling pooling) {
        return pooling.ratio() == 0 ? 0 : (double) pooling.dim() / pooling.ratio();
    }

    private static long pooledFloats(Pooling pooling, int tokens) {
        if (pooling.ratio() == 0) {
            return 0;
        }
        long state = 2L * pooling.stateRows() * pooling.width();
        long pages = Math.ceilDiv(tokens / pooling.ratio(), PAGE_ROWS);
        return state + pages * PAGE_ROWS * pooling.dim();
    }
}
