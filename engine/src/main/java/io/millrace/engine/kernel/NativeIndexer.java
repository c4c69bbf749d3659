package io.millrace.engine.kernel;

import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.NativeLibrary.Functions;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The indexer's choice by the compiled kernels, in bfloat16 as their products. Neighbouring rows of a span
/// share its keys: some keys at a time are packed, and multiplied by the queries of all those rows while
/// they are near. One row alone does the same, so its bits are the same.
final class NativeIndexer {
    /// Keys of a tile.
    private static final int GROUP = 16;

    /// Keys that are packed and then multiplied: so few that they stay near, and that the collector
    /// does not wait long.
    private static final int KEYS = 4 * GROUP;

    /// Queries of an item: so many that packing costs little beside them.
    private static final int ITEM_QUERIES = 512;

    /// Scores of an item of several rows.
    private static final int ITEM_SCORES = 1 << 21;

    private final Functions functions;
    private final Own[] workers;

    /// One worker's memory.
    private static final class Own {
        final NativeBuffer queries = new NativeBuffer();
        final NativeBuffer keys = new NativeBuffer();
        final TopKSelect topK = new TopKSelect();
        float[] staged = new float[0];
        float[] scores = new float[0];
    }

    /// Neighbouring rows of a span.
    ///
    /// @param from the first, counted in the span
    private record Item(PooledSpan span, int from, int rows) {
        int row(int i) {
            return span.firstRow() + from + i;
        }

        int pooled(int i) {
            return span.pooled(from + i);
        }

        /// Keys that any of the rows may see.
        int keys() {
            return pooled(rows - 1);
        }
    }

    NativeIndexer(Functions functions, int threads) {
        this.functions = functions;
        this.workers = new Own[threads];
        Arrays.setAll(workers, i -> new Own());
    }

    /// See {@link Kernels#indexTopK}.
    int[][] choose(
            WorkerPool pool, float[] q, float[] headWeights, int heads, int dim, List<PooledSpan> spans, int topK) {
        List<Item> items = new ArrayList<>();
        for (PooledSpan span : spans) {
            int rows = rows(span, heads, pool.size());
            for (int from = 0; from < span.rows(); from += rows) {
                items.add(new Item(span, from, Math.min(rows, span.rows() - from)));
            }
        }
        int[][] chosen = new int[spans.stream().mapToInt(PooledSpan::rows).sum()][];
        pool.forEach(items.size(), (n, worker) -> {
            Item item = items.get(n);
            if (item.keys() > topK) {
                score(workers[worker], item, q, headWeights, heads, dim);
            }
            for (int i = 0; i < item.rows(); i++) {
                int count = item.pooled(i);
                chosen[item.row(i)] = count <= topK
                        ? TopK.all(count)
                        : workers[worker].topK.places(workers[worker].scores, i * item.keys(), count, topK);
            }
        });
        return chosen;
    }

    private static int rows(PooledSpan span, int heads, int threads) {
        long most = Math.min(ITEM_QUERIES / heads, ITEM_SCORES / (span.pooled(span.rows() - 1) + 1L));
        return Math.clamp(span.rows() / (2L * threads), 1, (int) Math.max(1, most));
    }

    /// To `own.scores` [rows, keys].
    private void score(Own own, Item item, float[] q, float[] headWeights, int heads, int dim) {
        int keys = item.keys();
        own.scores = FloatArrays.grown(own.scores, item.rows() * keys);
        MemorySegment scores = MemorySegment.ofArray(own.scores);
        MemorySegment weights = floats(headWeights, item.row(0) * heads);
        MemorySegment queries = own.queries.of(functions.indexBytes(item.rows() * heads, dim));
        functions.indexQueries(floats(q, item.row(0) * heads * dim), item.rows() * heads, dim, queries);
        MemorySegment packed = own.keys.of(functions.indexBytes(KEYS, dim));
        for (int at = 0; at < keys; at += KEYS) {
            int count = Math.min(KEYS, keys - at);
            pack(own, item.span().pages(), at, count, dim, packed);
            functions.indexScores(
                    queries,
                    weights,
                    item.rows(),
                    heads,
                    dim,
                    packed,
                    count,
                    scores.asSlice((long) at * Float.BYTES),
                    keys);
        }
    }

    private void pack(Own own, List<Floats> pages, int at, int count, int dim, MemorySegment packed) {
        int pageRows = pages.getFirst().size() / dim;
        long groupBytes = functions.indexBytes(KEYS, dim) / (KEYS / GROUP);
        for (int k = 0; k < count; k += GROUP) {
            int row = at + k;
            int some = Math.min(GROUP, count - k);
            MemorySegment to = packed.asSlice(k / GROUP * groupBytes);
            if (row % pageRows + some <= pageRows) {
                functions.indexKeys(floats(array(pages.get(row / pageRows)), row % pageRows * dim), some, dim, to);
            } else {
                stage(own, pages, pageRows, row, some, dim);
                functions.indexKeys(floats(own.staged, 0), some, dim, to);
            }
        }
    }

    /// Copies keys of several pages together.
    private static void stage(Own own, List<Floats> pages, int pageRows, int row, int count, int dim) {
        own.staged = FloatArrays.grown(own.staged, GROUP * dim);
        for (int i = 0; i < count; i++) {
            float[] page = array(pages.get((row + i) / pageRows));
            System.arraycopy(page, (row + i) % pageRows * dim, own.staged, i * dim, dim);
        }
    }

    private static MemorySegment floats(float[] array, int from) {
        return MemorySegment.ofArray(array).asSlice((long) from * Float.BYTES);
    }

    private static float[] array(Floats page) {
        return ((HostFloats) page).array();
    }

    /// Gives back what is not the heap's.
    void close() {
        for (Own own : workers) {
            own.queries.close();
            own.keys.close();
        }
    }
}
