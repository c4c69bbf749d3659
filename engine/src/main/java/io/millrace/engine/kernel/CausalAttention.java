package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.Kernels.KeyValueShape.PAGE_ROWS;
import static io.millrace.engine.kernel.VectorConstants.FLOATS;
import static io.millrace.engine.kernel.VectorConstants.LANES;
import static io.millrace.engine.kernel.VectorConstants.PANEL;

import io.millrace.engine.kernel.Kernels.CausalSpan;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// Causal attention of a few rows of one sequence over one key-value head, on one worker: the queries of a
/// head's group and of neighbouring rows go together through each page, which is read while it is near.
///
/// A page holds the keys of every head as panels [PAGE_ROWS / PANEL, dim, PANEL], a position per lane, so
/// that a score is one chain over dim in a lane of its own; behind all keys the values of every head
/// [PAGE_ROWS, dim]. An output is one chain over positions. So an element's bits depend on its own row
/// alone, as in {@link PanelProduct}.
final class CausalAttention {
    /// Queries that go through the pages together, where there are that many.
    static final int BLOCK_HEADS = 16;

    /// Chains of the softmax's sum: a number that no vector's width changes.
    private static final int CHAINS = 8;

    private float[] scores = new float[0];

    /// Neighbouring rows of a span.
    ///
    /// @param from the first, counted in the span
    record Block(CausalSpan span, int from, int rows) {
        int row(int i) {
            return span.firstRow() + from + i;
        }

        int position(int i) {
            return span.startPosition() + from + i;
        }
    }

    /// Spans cut to blocks of at most `rows` rows.
    static List<Block> blocks(List<CausalSpan> spans, int rows) {
        List<Block> blocks = new ArrayList<>();
        for (CausalSpan span : spans) {
            for (int from = 0; from < span.rows(); from += rows) {
                blocks.add(new Block(span, from, Math.min(rows, span.rows() - from)));
            }
        }
        return blocks;
    }

    static void keep(float[] keys, float[] values, KeyValueShape shape, Block block) {
        int dim = shape.dim();
        for (int i = 0; i < block.rows(); i++) {
            int position = block.position(i);
            float[] page = page(block.span().pages(), position);
            for (int h = 0; h < shape.heads(); h++) {
                int from = (block.row(i) * shape.heads() + h) * dim;
                int to = panelAt(position, h, dim) + position % PANEL;
                for (int k = 0; k < dim; k++) {
                    page[to + k * PANEL] = keys[from + k];
                }
                System.arraycopy(values, from, page, valueAt(position, h, shape), dim);
            }
        }
    }

    private static float[] page(List<Floats> pages, int position) {
        return ((HostFloats) pages.get(position / PAGE_ROWS)).array();
    }

    /// Where the panel that a position's key belongs to begins.
    private static int panelAt(int position, int head, int dim) {
        return (head * PAGE_ROWS + position % PAGE_ROWS / PANEL * PANEL) * dim;
    }

    private static int valueAt(int position, int head, KeyValueShape shape) {
        return ((shape.heads() + head) * PAGE_ROWS + position % PAGE_ROWS) * shape.dim();
    }

    /// @param head key-value head; its group of query heads is computed
    void attend(float[] q, int heads, KeyValueShape shape, Block block, int head, float scale, float[] out) {
        int group = heads / shape.heads();
        int dim = shape.dim();
        int[] at = new int[block.rows() * group];
        for (int v = 0; v < at.length; v++) {
            at[v] = (block.row(v / group) * heads + head * group + v % group) * dim;
        }
        int keys = block.position(block.rows() - 1) + 1;
        int stride = Math.ceilDiv(keys, PAGE_ROWS) * PAGE_ROWS;
        if (scores.length < at.length * stride) {
            scores = new float[Math.max(at.length * stride, 2 * scores.length)];
        }
        score(q, at, block, head, dim, keys, stride);
        double[] sums = new double[at.length];
        for (int v = 0; v < at.length; v++) {
            sums[v] = softmax(scores, v * stride, block.position(v / group) + 1, stride, scale);
            Arrays.fill(out, at[v], at[v] + dim, 0);
        }
        for (int first = 0; first < keys; first += PAGE_ROWS) {
            addPage(block, group, first, head, shape, stride, out, at);
        }
        for (int v = 0; v < at.length; v++) {
            float sum = (float) sums[v];
            for (int c = at[v]; c < at[v] + dim; c++) {
                out[c] /= sum;
            }
        }
    }

    /// Products of every query with every key, [queries, stride]; those a query may not see are not used.
    private void score(float[] q, int[] at, Block block, int head, int dim, int keys, int stride) {
        for (int first = 0; first < keys; first += PANEL) {
            float[] page = page(block.span().pages(), first);
            int panel = panelAt(first, head, dim);
            int v = 0;
            for (; v + 4 <= at.length; v += 4) {
                scoreFour(
                        q,
                        at[v],
                        at[v + 1],
                        at[v + 2],
                        at[v + 3],
                        dim,
                        page,
                        panel,
                        scores,
                        v * stride + first,
                        stride);
            }
            for (; v < at.length; v++) {
                scoreOne(q, at[v], dim, page, panel, scores, v * stride + first);
            }
        }
    }

    private static void scoreOne(float[] q, int at, int dim, float[] page, int panel, float[] out, int to) {
        FloatVector a = FloatVector.zero(FLOATS);
        FloatVector b = FloatVector.zero(FLOATS);
        for (int k = 0; k < dim; k++) {
            FloatVector x = FloatVector.broadcast(FLOATS, q[at + k]);
            a = x.fma(FloatVector.fromArray(FLOATS, page, panel + k * PANEL), a);
            b = x.fma(FloatVector.fromArray(FLOATS, page, panel + k * PANEL + LANES), b);
        }
        a.intoArray(out, to);
        b.intoArray(out, to + LANES);
    }

    // four queries by two vectors: eight accumulators hide the latency of a product, six loads serve eight
    private static void scoreFour(
            float[] q,
            int q0,
            int q1,
            int q2,
            int q3,
            int dim,
            float[] page,
            int panel,
            float[] out,
            int to,
            int stride) {
        FloatVector a0 = FloatVector.zero(FLOATS), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
        for (int k = 0; k < dim; k++) {
            FloatVector a = FloatVector.fromArray(FLOATS, page, panel + k * PANEL);
            FloatVector b = FloatVector.fromArray(FLOATS, page, panel + k * PANEL + LANES);
            a0 = a.fma(FloatVector.broadcast(FLOATS, q[q0 + k]), a0);
            b0 = b.fma(FloatVector.broadcast(FLOATS, q[q0 + k]), b0);
            a1 = a.fma(FloatVector.broadcast(FLOATS, q[q1 + k]), a1);
            b1 = b.fma(FloatVector.broadcast(FLOATS, q[q1 + k]), b1);
            a2 = a.fma(FloatVector.broadcast(FLOATS, q[q2 + k]), a2);
            b2 = b.fma(FloatVector.broadcast(FLOATS, q[q2 + k]), b2);
            a3 = a.fma(FloatVector.broadcast(FLOATS, q[q3 + k]), a3);
            b3 = b.fma(FloatVector.broadcast(FLOATS, q[q3 + k]), b3);
        }
        store(a0, b0, out, to);
        store(a1, b1, out, to + stride);
        store(a2, b2, out, to + 2 * stride);
        store(a3, b3, out, to + 3 * stride);
    }

    private static void store(FloatVector a, FloatVector b, float[] out, int to) {
        a.intoArray(out, to);
        b.intoArray(out, to + LANES);
    }

    /// `e^(scale score - max)` in place, 0 behind the last key.
    ///
    /// @return the sum
    private static double softmax(float[] scores, int at, int keys, int stride, float scale) {
        Arrays.fill(scores, at + keys, at + stride, Float.NEGATIVE_INFINITY);
        FloatVector largest = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        for (int j = at; j < at + stride; j += LANES) {
            FloatVector scaled = FloatVector.fromArray(FLOATS, scores, j).mul(scale);
            scaled.intoArray(scores, j);
            largest = largest.max(scaled);
        }
        VectorMath.expShifted(scores, at, stride, largest.reduceLanes(VectorOperators.MAX));
        double[] sums = new double[CHAINS];
        for (int j = 0; j < stride; j += CHAINS) {
            for (int chain = 0; chain < CHAINS; chain++) {
                sums[chain] += scores[at + j + chain];
            }
        }
        double sum = 0;
        for (double part : sums) {
            sum += part;
        }
        return sum;
    }

    /// Adds a page's values, weighted. The positions that all rows of the block see go four queries at a
    /// time, the few behind them by row: a weight of 0 is no addition left out where a value is not finite.
    private void addPage(
            Block block, int group, int first, int head, KeyValueShape shape, int stride, float[] out, int[] at) {
        float[] page = page(block.span().pages(), first);
        int dim = shape.dim();
        int value = valueAt(first, head, shape);
        int shared = Math.clamp(block.position(0) + 1 - (long) first, 0, PAGE_ROWS);
        int v = 0;
        for (; v + 4 <= at.length; v += 4) {
            int w = v * stride + first;
            int c = 0;
            for (; c + PANEL <= dim; c += PANEL) {
                addFour(
                        scores,
                        w,
                        stride,
                        shared,
                        page,
                        value + c,
                        dim,
                        out,
                        at[v] + c,
                        at[v + 1] + c,
                        at[v + 2] + c,
                        at[v + 3] + c);
            }
            for (int i = 0; i < 4; i++) {
                addColumns(scores, w + i * stride, shared, page, value, dim, c, out, at[v + i]);
            }
        }
        for (; v < at.length; v++) {
            addOne(scores, v * stride + first, shared, page, value, dim, out, at[v]);
        }
        for (v = group; v < at.length; v++) {
            int seen = Math.clamp(block.position(v / group) + 1 - (long) first, 0, PAGE_ROWS);
            int w = v * stride + first + shared;
            addOne(scores, w, seen - shared, page, value + shared * dim, dim, out, at[v]);
        }
    }

    private static void addOne(float[] w, int at, int rows, float[] page, int value, int dim, float[] out, int to) {
        int c = 0;
        for (; c + PANEL <= dim; c += PANEL) {
            FloatVector a = FloatVector.fromArray(FLOATS, out, to + c);
            FloatVector b = FloatVector.fromArray(FLOATS, out, to + c + LANES);
            for (int j = 0; j < rows; j++) {
                FloatVector x = FloatVector.broadcast(FLOATS, w[at + j]);
                a = x.fma(FloatVector.fromArray(FLOATS, page, value + j * dim + c), a);
                b = x.fma(FloatVector.fromArray(FLOATS, page, value + j * dim + c + LANES), b);
            }
            store(a, b, out, to + c);
        }
        addColumns(w, at, rows, page, value, dim, c, out, to);
    }

    /// The columns from `first` that fill no panel.
    private static void addColumns(
            float[] w, int at, int rows, float[] page, int value, int dim, int first, float[] out, int to) {
        for (int j = 0; j < rows; j++) {
            for (int c = first; c < dim; c++) {
                out[to + c] = Math.fma(w[at + j], page[value + j * dim + c], out[to + c]);
            }
        }
    }

    private static void addFour(
            float[] w,
            int at,
            int stride,
            int rows,
            float[] page,
            int value,
            int dim,
            float[] out,
            int to0,
            int to1,
            int to2,
            int to3) {
        FloatVector a0 = FloatVector.fromArray(FLOATS, out, to0), b0 = FloatVector.fromArray(FLOATS, out, to0 + LANES);
        FloatVector a1 = FloatVector.fromArray(FLOATS, out, to1), b1 = FloatVector.fromArray(FLOATS, out, to1 + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, out, to2), b2 = FloatVector.fromArray(FLOATS, out, to2 + LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, out, to3), b3 = FloatVector.fromArray(FLOATS, out, to3 + LANES);
        for (int j = 0; j < rows; j++) {
            FloatVector a = FloatVector.fromArray(FLOATS, page, value + j * dim);
            FloatVector b = FloatVector.fromArray(FLOATS, page, value + j * dim + LANES);
            a0 = a.fma(FloatVector.broadcast(FLOATS, w[at + j]), a0);
            b0 = b.fma(FloatVector.broadcast(FLOATS, w[at + j]), b0);
            a1 = a.fma(FloatVector.broadcast(FLOATS, w[at + stride + j]), a1);
            b1 = b.fma(FloatVector.broadcast(FLOATS, w[at + stride + j]), b1);
            a2 = a.fma(FloatVector.broadcast(FLOATS, w[at + 2 * stride + j]), a2);
            b2 = b.fma(FloatVector.broadcast(FLOATS, w[at + 2 * stride + j]), b2);
            a3 = a.fma(FloatVector.broadcast(FLOATS, w[at + 3 * stride + j]), a3);
            b3 = b.fma(FloatVector.broadcast(FLOATS, w[at + 3 * stride + j]), b3);
        }
        store(a0, b0, out, to0);
        store(a1, b1, out, to1);
        store(a2, b2, out, to2);
        store(a3, b3, out, to3);
    }
}
