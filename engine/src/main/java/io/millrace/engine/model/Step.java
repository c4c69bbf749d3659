package io.millrace.engine.model;

import io.millrace.engine.cache.SequenceCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The tokens of one forward pass: spans of consecutive tokens, each of a sequence of its own. Prefill
/// chunks and single decode tokens are the same thing here.
public final class Step {
    private final List<Span> spans = new ArrayList<>();
    private int[] tokens = new int[16];
    private int[] positions = new int[16];
    private int rows;

    /// Consecutive tokens of one sequence.
    ///
    /// @param firstRow of the step's rows
    /// @param startPosition of the first row in its sequence
    public record Span(SequenceCache cache, int firstRow, int rows, int startPosition) {
        /// Rows pooled over `ratio` tokens that these tokens complete.
        int completed(int ratio) {
            return (startPosition + rows) / ratio - startPosition / ratio;
        }
    }

    /// Adds the next tokens of a sequence; a sequence may appear once in a step.
    public Span add(SequenceCache cache, int[] source, int from, int count) {
        tokens = grown(tokens, rows + count);
        positions = grown(positions, rows + count);
        Span span = new Span(cache, rows, count, cache.length());
        for (int i = 0; i < count; i++) {
            tokens[rows + i] = source[from + i];
            positions[rows + i] = span.startPosition() + i;
        }
        rows += count;
        spans.add(span);
        return span;
    }

    private static int[] grown(int[] array, int size) {
        return size <= array.length ? array : Arrays.copyOf(array, Math.max(size, 2 * array.length));
    }

    public List<Span> spans() {
        return spans;
    }

    public int rows() {
        return rows;
    }

    /// Tells the sequences that all layers have taken the tokens.
    void advance() {
        for (Span span : spans) {
            span.cache().advance(span.rows());
        }
    }

    /// Token ids, at least {@link #rows} long.
    int[] tokens() {
        return tokens;
    }

    /// Positions, at least {@link #rows} long.
    int[] positions() {
        return positions;
    }
}
