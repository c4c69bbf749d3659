package io.millrace.engine.cache;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.Pooling;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// One layer's memory of one sequence.
public final class LayerCache {
    private final Kernels kernels;
    private final int dim;
    private final int windowRows;
    private final Floats window;
    private final PooledRows main;
    private final PooledRows index;

    LayerCache(Kernels kernels, CacheShape shape, CacheShape.Layer layer) {
        this.kernels = kernels;
        this.dim = shape.dim();
        this.windowRows = shape.window();
        this.window = kernels.allocate(windowRows * dim);
        this.main = new PooledRows(kernels, layer.main());
        this.index = new PooledRows(kernels, layer.index());
    }

    /// The last rows, position p at row p mod window: [window, dim].
    public Floats window() {
        return window;
    }

    /// Keeps the last rows of a step's span.
    ///
    /// @param rows [.., dim]
    public void remember(Floats rows, int firstRow, int count, int startPosition) {
        for (int i = Math.max(0, count - windowRows); i < count; i++) {
            kernels.copy(rows, (firstRow + i) * dim, window, (startPosition + i) % windowRows * dim, dim);
        }
    }

    /// Compressed key-value rows.
    public PooledRows main() {
        return main;
    }

    /// Compressed index keys.
    public PooledRows index() {
        return index;
    }

    /// Rows pooled over windows of tokens: complete ones in pages, the pending window's state beside them.
    public static final class PooledRows {
        private final Kernels kernels;
        private final Pooling pooling;
        private final Floats stateValues;
        private final Floats stateScores;
        private final List<Floats> pages = new ArrayList<>();
        private int size;

        PooledRows(Kernels kernels, Pooling pooling) {
            this.kernels = kernels;
            this.pooling = pooling;
            int state = pooling.stateRows() * pooling.width();
            float[] unseen = new float[state];
            Arrays.fill(unseen, Float.NEGATIVE_INFINITY);
            this.stateValues = kernels.allocate(state);
            this.stateScores = kernels.upload(unseen);
        }

        public Floats stateValues() {
            return stateValues;
        }

        public Floats stateScores() {
            return stateScores;
        }

        /// Complete rows.
        public int size() {
            return size;
        }

        /// Adds complete rows.
        ///
        /// @param rows [.., dim]
        public void append(Floats rows, int firstRow, int count) {
            for (int i = 0; i < count; i++) {
                if (size % CacheShape.PAGE_ROWS == 0) {
                    pages.add(kernels.allocate(CacheShape.PAGE_ROWS * pooling.dim()));
                }
                int to = size % CacheShape.PAGE_ROWS * pooling.dim();
                kernels.copy(rows, (firstRow + i) * pooling.dim(), pages.getLast(), to, pooling.dim());
                size++;
            }
        }

        /// Pages of complete rows, [PAGE_ROWS, dim] each.
        public List<Floats> pages() {
            return Collections.unmodifiableList(pages);
        }
    }
}
