package io.millrace.engine.kernel;

import static io.millrace.engine.kernel.Kernels.KeyValueShape.PAGE_ROWS;

import io.millrace.engine.kernel.Kernels.CausalSpan;
import io.millrace.engine.kernel.Kernels.KeyValueShape;
import io.millrace.engine.kernel.Kernels.PooledSpan;
import io.millrace.engine.kernel.Kernels.WindowSpan;
import io.millrace.engine.kernel.NativeLibrary.Functions;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Attention by the compiled kernels, in bfloat16 as their products. A block of queries packs the keys it
/// sees and multiplies by them; pages are row-major, the keys of every head [PAGE_ROWS, dim] before all
/// values.
final class NativeAttention implements AttentionKernels {
    /// Places of a block of the C header, by which a key's place is aligned.
    private static final int BLOCK = 32;

    /// Places that are packed together.
    private static final int GROUP = 16;

    /// Queries of an item: so many that packing costs little beside them.
    private static final int ITEM_QUERIES = 512;

    /// Queries of a call, during which the collector waits.
    private static final int CALL_QUERIES = 64;

    private static final int KEEP_ROWS = 16;

    private final Functions functions;
    private final NativeIndexer indexer;
    private final Own[] workers;

    /// One worker's memory.
    private static final class Own {
        final KeyList keys = new KeyList();
        final NativeBuffer packed = new NativeBuffer();
        final NativeBuffer scratch = new NativeBuffer();
        float[] staged = new float[0];
        int[] visible = new int[0];
    }

    NativeAttention(Functions functions, int threads) {
        this.functions = functions;
        this.indexer = new NativeIndexer(functions, threads);
        this.workers = new Own[threads];
        Arrays.setAll(workers, i -> new Own());
    }

    @Override
    public int[][] indexTopK(
            WorkerPool pool, float[] q, float[] headWeights, int heads, int dim, List<PooledSpan> spans, int topK) {
        return indexer.choose(pool, q, headWeights, heads, dim, spans, topK);
    }

    private static int rows(int heads, int queries) {
        return Math.max(1, queries / heads);
    }

    @Override
    public void attend(
            WorkerPool pool,
            float[] q,
            Floats keyValue,
            int heads,
            int dim,
            List<WindowSpan> spans,
            int @Nullable [][] chosen,
            float[] sink,
            float scale,
            float[] out) {
        List<QueryBlock> blocks = QueryBlock.of(spans, chosen, rows(heads, ITEM_QUERIES));
        pool.forEach(blocks.size(), (b, worker) -> {
            Own own = workers[worker];
            QueryBlock block = blocks.get(b);
            own.keys.of(block, keyValue, dim, BLOCK);
            pack(own, dim);
            own.visible = grown(own.visible, 3 * block.rows());
            for (int i = 0; i < block.rows(); i++) {
                own.visible[3 * i] = own.keys.place(block.oldest(i));
                own.visible[3 * i + 1] = own.keys.place(block.position(i)) + 1;
                own.visible[3 * i + 2] = own.keys.firstPooled() + block.pooled(i);
            }
            Queries queries = new Queries(
                    q, out, block.row(0) * heads * dim, heads * dim, heads, dim, scale, MemorySegment.ofArray(sink));
            attend(own, queries, block.rows(), own.keys.firstPooled(), own.keys.size());
        });
    }

    /// Queries of some rows whose heads share their keys, from `at` on.
    @SuppressWarnings("ArrayRecordComponent") // views of an operation's operands
    private record Queries(
            float[] q, float[] out, int at, int rowStride, int heads, int dim, float scale, MemorySegment sink) {}

    private void attend(Own own, Queries queries, int rows, int firstPooled, int places) {
        MemorySegment scratch = own.scratch.of(functions.attentionScratch(places, queries.dim));
        MemorySegment visible = MemorySegment.ofArray(own.visible);
        int most = rows(queries.heads, CALL_QUERIES);
        for (int i = 0; i < rows; i += most) {
            long at = (queries.at + (long) i * queries.rowStride) * Float.BYTES;
            functions.attend(
                    MemorySegment.ofArray(queries.q).asSlice(at),
                    MemorySegment.ofArray(queries.out).asSlice(at),
                    queries.rowStride,
                    Math.min(most, rows - i),
                    queries.heads,
                    queries.dim,
                    queries.scale,
                    queries.sink,
                    visible.asSlice(3L * i * ValueLayout.JAVA_INT.byteSize()),
                    firstPooled,
                    own.packed.of(0),
                    places,
                    scratch);
        }
    }

    private static int[] grown(int[] held, int size) {
        return held.length >= size ? held : new int[Math.max(size, 2 * held.length)];
    }

    private void pack(Own own, int dim) {
        int places = own.keys.size();
        MemorySegment packed = own.packed.of(functions.attentionBytes(places, dim));
        for (int at = 0; at < places; at += GROUP) {
            int count = together(own.keys, at, dim);
            if (count > 0) {
                pack(array(own.keys.page(at)), own.keys.offset(at), count, dim, at, places, packed);
            } else {
                stage(own, at, dim);
                pack(own.staged, 0, GROUP, dim, at, places, packed);
            }
        }
    }

    private void pack(float[] rows, int from, int count, int dim, int at, int places, MemorySegment packed) {
        MemorySegment keys = MemorySegment.ofArray(rows).asSlice((long) from * Float.BYTES);
        functions.attentionPack(keys, keys, dim, count, dim, at, places, packed);
    }

    /// How many keys the group holds if they lie behind each other and only empty places follow, else 0.
    private static int together(KeyList keys, int at, int dim) {
        int count = 0;
        while (count < GROUP && !keys.isEmpty(at + count)) {
            if (!keys.page(at + count).equals(keys.page(at))
                    || keys.offset(at + count) != keys.offset(at) + count * dim) {
                return 0;
            }
            count++;
        }
        for (int i = count; i < GROUP; i++) {
            if (!keys.isEmpty(at + i)) {
                return 0;
            }
        }
        return count;
    }

    /// Copies a group's keys together, zeros for empty places.
    private static void stage(Own own, int at, int dim) {
        own.staged = FloatArrays.grown(own.staged, GROUP * dim);
        for (int i = 0; i < GROUP; i++) {
            if (own.keys.isEmpty(at + i)) {
                Arrays.fill(own.staged, i * dim, (i + 1) * dim, 0);
            } else {
                System.arraycopy(array(own.keys.page(at + i)), own.keys.offset(at + i), own.staged, i * dim, dim);
            }
        }
    }

    private static float[] array(Floats page) {
        return ((HostFloats) page).array();
    }

    @Override
    public void keep(WorkerPool pool, float[] keys, float[] values, KeyValueShape shape, List<CausalSpan> spans) {
        List<CausalAttention.Block> blocks = CausalAttention.blocks(spans, KEEP_ROWS);
        pool.forEach(blocks.size(), (b, worker) -> keep(keys, values, shape, blocks.get(b)));
    }

    private static void keep(float[] keys, float[] values, KeyValueShape shape, CausalAttention.Block block) {
        for (int i = 0; i < block.rows(); i++) {
            int position = block.position(i);
            float[] page = array(block.span().pages().get(position / PAGE_ROWS));
            for (int h = 0; h < shape.heads(); h++) {
                int from = (block.row(i) * shape.heads() + h) * shape.dim();
                int to = position % PAGE_ROWS * shape.dim();
                System.arraycopy(keys, from, page, to + keysAt(h, shape), shape.dim());
                System.arraycopy(values, from, page, to + valuesAt(h, shape), shape.dim());
            }
        }
    }

    private static int keysAt(int head, KeyValueShape shape) {
        return head * PAGE_ROWS * shape.dim();
    }

    private static int valuesAt(int head, KeyValueShape shape) {
        return keysAt(shape.heads() + head, shape);
    }

    @Override
    public void attendCausal(
            WorkerPool pool,
            float[] q,
            int heads,
            KeyValueShape shape,
            List<CausalSpan> spans,
            float scale,
            float[] out) {
        int group = heads / shape.heads();
        List<CausalAttention.Block> blocks = CausalAttention.blocks(spans, rows(group, ITEM_QUERIES));
        pool.forEach(blocks.size() * shape.heads(), (item, worker) -> {
            Own own = workers[worker];
            CausalAttention.Block block = blocks.get(item / shape.heads());
            int head = item % shape.heads();
            int keys = block.position(block.rows() - 1) + 1;
            int places = Math.ceilDiv(keys, BLOCK) * BLOCK;
            pack(own, block.span().pages(), head, shape, keys, places);
            own.visible = grown(own.visible, 3 * block.rows());
            for (int i = 0; i < block.rows(); i++) {
                own.visible[3 * i] = 0;
                own.visible[3 * i + 1] = block.position(i) + 1;
                own.visible[3 * i + 2] = 0;
            }
            int at = (block.row(0) * heads + head * group) * shape.dim();
            Queries queries =
                    new Queries(q, out, at, heads * shape.dim(), group, shape.dim(), scale, MemorySegment.NULL);
            attend(own, queries, block.rows(), 0, places);
        });
    }

    private void pack(Own own, List<Floats> pages, int head, KeyValueShape shape, int keys, int places) {
        int dim = shape.dim();
        MemorySegment packed = own.packed.of(functions.attentionBytes(places, dim));
        for (int at = 0; at < places; at += PAGE_ROWS) {
            MemorySegment page = MemorySegment.ofArray(array(pages.get(at / PAGE_ROWS)));
            functions.attentionPack(
                    page.asSlice((long) keysAt(head, shape) * Float.BYTES),
                    page.asSlice((long) valuesAt(head, shape) * Float.BYTES),
                    dim,
                    Math.min(PAGE_ROWS, keys - at),
                    dim,
                    at,
                    places,
                    packed);
            if (keys - at <= GROUP) {
                // the second half of the last block holds nothing
                functions.attentionPack(
                        MemorySegment.NULL, MemorySegment.NULL, dim, 0, dim, at + GROUP, places, packed);
            }
        }
    }

    @Override
    public void close() {
        for (Own own : workers) {
            own.packed.close();
            own.scratch.close();
        }
        indexer.close();
    }
}
