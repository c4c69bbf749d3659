package io.millrace.engine.cache;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.tensor.Floats;
import org.jspecify.annotations.Nullable;

/// One layer's memory of one sequence.
public final class LayerCache {
    private final Kernels kernels;
    private final int dim;
    private final int windowRows;
    private final Floats window;
    private final PooledRows main;
    private final PooledRows index;
    private boolean marked;
    private @Nullable Overwritten overwritten;

    /// What a step after a mark put into the window, and what was there.
    ///
    /// @param before [rows, dim], the rows that had the same places
    /// @param rows [rows, dim]
    private record Overwritten(Floats before, Floats rows, int count) {}

    LayerCache(Kernels kernels, CacheShape shape, CacheShape.Layer layer) {
        this.kernels = kernels;
        this.dim = shape.dim();
        this.windowRows = shape.window();
        this.window = kernels.allocate(windowRows * dim);
        this.main = new PooledRows(kernels, layer.main());
        this.index = new PooledRows(kernels, layer.index());
    }

    private LayerCache(LayerCache source) {
        this.kernels = source.kernels;
        this.dim = source.dim;
        this.windowRows = source.windowRows;
        this.window = FloatsCopy.of(kernels, source.window, 0, windowRows * dim);
        this.main = source.main.fork();
        this.index = source.index.fork();
    }

    LayerCache fork() {
        return new LayerCache(this);
    }

    /// The last rows, position p at row p mod window: [window, dim].
    public Floats window() {
        return window;
    }

    private int windowOffset(int position) {
        return position % windowRows * dim;
    }

    /// Keeps the last rows of a step's span.
    ///
    /// @param rows [.., dim]
    public void remember(Floats rows, int firstRow, int count, int startPosition) {
        if (marked) {
            overwritten = overwritten(rows, firstRow, count, startPosition);
            marked = false;
        }
        write(rows, firstRow, count, startPosition);
    }

    private void write(Floats rows, int firstRow, int count, int startPosition) {
        for (int i = Math.max(0, count - windowRows); i < count; i++) {
            kernels.copy(rows, (firstRow + i) * dim, window, windowOffset(startPosition + i), dim);
        }
    }

    private Overwritten overwritten(Floats rows, int firstRow, int count, int startPosition) {
        Floats before = kernels.allocate(count * dim);
        for (int i = 0; i < count; i++) {
            kernels.copy(window, windowOffset(startPosition + i), before, i * dim, dim);
        }
        return new Overwritten(before, FloatsCopy.of(kernels, rows, firstRow * dim, count * dim), count);
    }

    void mark() {
        marked = true;
        overwritten = null;
        main.mark();
        index.mark();
    }

    /// Takes back what came after the mark but for its first `kept` tokens.
    void rewind(int markedPosition, int kept) {
        if (overwritten != null) {
            for (int i = 0; i < overwritten.count(); i++) {
                kernels.copy(overwritten.before(), i * dim, window, windowOffset(markedPosition + i), dim);
            }
            write(overwritten.rows(), 0, kept, markedPosition);
        }
        main.rewind(markedPosition, kept);
        index.rewind(markedPosition, kept);
    }

    /// Compressed key-value rows.
    public PooledRows main() {
        return main;
    }

    /// Compressed index keys.
    public PooledRows index() {
        return index;
    }
}
