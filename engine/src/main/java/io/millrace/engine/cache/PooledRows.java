package io.millrace.engine.cache;

import io.millrace.engine.kernel.Kernels;
import io.millrace.engine.kernel.Kernels.PoolSpan;
import io.millrace.engine.kernel.Kernels.Pooling;
import io.millrace.engine.tensor.Floats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Rows pooled over windows of tokens: complete ones in pages, the pending window's state beside them.
public final class PooledRows {
    private final Kernels kernels;
    private final Pooling pooling;
    private final Floats stateValues;
    private final Floats stateScores;
    private final List<Floats> pages = new ArrayList<>();
    private int size;
    private boolean marked;
    private @Nullable Floats markedValues;
    private @Nullable Floats markedScores;
    private @Nullable Taken taken;

    /// What a step after a mark brought.
    ///
    /// @param values [rows, width]
    /// @param scores [rows, width]
    /// @param ape [ratio, width]
    private record Taken(Floats values, Floats scores, Floats ape) {}

    PooledRows(Kernels kernels, Pooling pooling) {
        this.kernels = kernels;
        this.pooling = pooling;
        float[] unseen = new float[stateFloats()];
        Arrays.fill(unseen, Float.NEGATIVE_INFINITY);
        this.stateValues = kernels.allocate(unseen.length);
        this.stateScores = kernels.upload(unseen);
    }

    private PooledRows(PooledRows source) {
        this.kernels = source.kernels;
        this.pooling = source.pooling;
        this.stateValues = FloatsCopy.of(kernels, source.stateValues, 0, stateFloats());
        this.stateScores = FloatsCopy.of(kernels, source.stateScores, 0, stateFloats());
        this.size = source.size;
        int complete = size / CacheShape.PAGE_ROWS;
        pages.addAll(source.pages.subList(0, complete));
        if (size % CacheShape.PAGE_ROWS > 0) {
            pages.add(FloatsCopy.of(kernels, source.pages.get(complete), 0, pageFloats()));
        }
    }

    PooledRows fork() {
        return new PooledRows(this);
    }

    private int stateFloats() {
        return pooling.stateRows() * pooling.width();
    }

    private int pageFloats() {
        return CacheShape.PAGE_ROWS * pooling.dim();
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
                pages.add(kernels.allocate(pageFloats()));
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

    /// To be called with what a step is going to pool, before it does.
    ///
    /// @param values [.., width]
    /// @param scores [.., width], without the positional term
    /// @param ape [ratio, width]
    public void take(Floats values, Floats scores, Floats ape, int firstRow, int rows) {
        if (marked) {
            int from = firstRow * pooling.width();
            int count = rows * pooling.width();
            taken = new Taken(
                    FloatsCopy.of(kernels, values, from, count), FloatsCopy.of(kernels, scores, from, count), ape);
            marked = false;
        }
    }

    void mark() {
        if (pooling.ratio() > 0) {
            marked = true;
            taken = null;
            markedValues = FloatsCopy.of(kernels, stateValues, 0, stateFloats());
            markedScores = FloatsCopy.of(kernels, stateScores, 0, stateFloats());
        }
    }

    /// Takes back what came after the mark but for its first `kept` tokens, which are pooled again.
    void rewind(int markedPosition, int kept) {
        if (taken == null || markedValues == null || markedScores == null) {
            return;
        }
        kernels.copy(markedValues, 0, stateValues, 0, stateFloats());
        kernels.copy(markedScores, 0, stateScores, 0, stateFloats());
        if (kept > 0) {
            // the rows that complete are in their pages already
            Floats again = kernels.allocate((kept / pooling.ratio() + 1) * pooling.dim());
            PoolSpan span = new PoolSpan(0, kept, markedPosition, stateValues, stateScores, 0);
            kernels.pool(taken.values(), taken.scores(), taken.ape(), pooling, List.of(span), again);
        }
        size = (markedPosition + kept) / pooling.ratio();
        pages.subList(Math.ceilDiv(size, CacheShape.PAGE_ROWS), pages.size()).clear();
    }
}
