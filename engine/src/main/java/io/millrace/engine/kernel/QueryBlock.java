package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.Kernels.WindowSpan;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Neighbouring rows of a span whose keys are one list: each sees a part of it. A row that sees only some
/// of the pooled rows it might is a block of its own.
///
/// @param from the first, counted in the span
/// @param chosen the pooled rows that the block's one row sees; null if every row sees all it may
@SuppressWarnings("ArrayRecordComponent") // a view of what the indexer returned
record QueryBlock(WindowSpan span, int from, int rows, int @Nullable [] chosen) {

    /// Spans cut to blocks of at most `most` rows.
    static List<QueryBlock> of(List<WindowSpan> spans, int @Nullable [][] chosen, int most) {
        List<QueryBlock> blocks = new ArrayList<>();
        for (WindowSpan span : spans) {
            int from = 0;
            while (from < span.pooled().rows()) {
                int rows = shared(span.pooled(), from, most, chosen);
                int row = span.pooled().firstRow() + from;
                blocks.add(
                        new QueryBlock(span, from, Math.max(1, rows), rows > 0 || chosen == null ? null : chosen[row]));
                from += Math.max(1, rows);
            }
        }
        return blocks;
    }

    /// How many rows, at most `most`, see all pooled rows they may.
    private static int shared(PooledSpan span, int from, int most, int @Nullable [][] chosen) {
        int end = Math.min(span.rows(), from + most);
        int i = from;
        while (i < end && (chosen == null || chosen[span.firstRow() + i].length == span.pooled(i))) {
            i++;
        }
        return i - from;
    }

    /// Block row `i` of the step's rows.
    int row(int i) {
        return span.pooled().firstRow() + from + i;
    }

    /// Position of the block's row `i`.
    int position(int i) {
        return span.pooled().startPosition() + from + i;
    }

    /// Pooled rows that the block's row `i` sees.
    int pooled(int i) {
        return chosen == null ? span.pooled().pooled(from + i) : chosen.length;
    }

    /// Oldest position that the block's row `i` sees.
    int oldest(int i) {
        return span.oldest(from + i);
    }
}
