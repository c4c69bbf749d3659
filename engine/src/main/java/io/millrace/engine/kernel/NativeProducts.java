package io.millrace.engine.kernel;

import io.millrace.engine.kernel.NativeLibrary.Arithmetic;
import io.millrace.engine.kernel.NativeLibrary.Functions;
import io.millrace.engine.kernel.NativeLibrary.Level;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Products by the compiled kernels; formats that they do not know go to the Vector API's. Activations are
/// rounded as the level says: to bfloat16 on AMX, to int8 with a scale per 32 on the others.
final class NativeProducts implements MatrixProducts {
    /// Activation rows that are packed together.
    private static final int GROUP = 16;

    /// Rows of w in one call: decoded, they fit the second-level cache beside the activations.
    private static final int CHUNK = 128;

    private final Functions functions;
    private final Level level;
    private final Map<DType, Arithmetic> arithmetics = new EnumMap<>(DType.class);
    private final MatrixProducts others;
    private final NativeBuffer sharedPacked = new NativeBuffer();
    private final Own[] workers;

    /// One worker's memory.
    private static final class Own {
        final NativeBuffer packed = new NativeBuffer();
        final NativeBuffer scratch = new NativeBuffer();
        final int[] shape = new int[7];
    }

    /// @param level one of {@link Functions#levels}
    /// @param others what multiplies formats that the level does not know
    NativeProducts(Functions functions, Level level, int threads, MatrixProducts others) {
        this.functions = functions;
        this.level = level;
        this.others = others;
        this.workers = new Own[threads];
        Arrays.setAll(workers, i -> new Own());
        for (DType dtype : DType.values()) {
            Arithmetic how = format(dtype) < 0 ? null : functions.arithmetic(level, format(dtype));
            if (how != null) {
                arithmetics.put(dtype, how);
            }
        }
    }

    @Override
    public String description() {
        return "C kernels for " + level;
    }

    @Override
    public void shared(WorkerPool pool, float[] x, int rows, Matrix w, int groups, float[] y) {
        Arithmetic how = arithmetic(w);
        if (how == null) {
            others.shared(pool, x, rows, w, groups, y);
            return;
        }
        int cols = w.cols();
        int perGroup = w.rows() / groups;
        long packedGroup = functions.packedBytes(how, rows, cols);
        MemorySegment packed = sharedPacked.of(Math.max(1, groups * packedGroup));
        MemorySegment input = MemorySegment.ofArray(x);
        MemorySegment output = MemorySegment.ofArray(y);
        int rowGroups = Math.ceilDiv(rows, GROUP);
        if (packedGroup > 0) {
            pool.forEach(groups * rowGroups, (item, worker) -> {
                int g = item / rowGroups;
                functions.pack(
                        level,
                        how,
                        floats(input, (long) g * cols),
                        (long) groups * cols,
                        rows,
                        cols,
                        item % rowGroups,
                        1,
                        packed.asSlice(g * packedGroup));
            });
        }
        int chunk = chunk(perGroup, groups, pool.size());
        int chunks = Math.ceilDiv(perGroup, chunk);
        pool.forEach(groups * chunks, (item, worker) -> {
            int g = item / chunks;
            int first = g * perGroup + item % chunks * chunk;
            int count = Math.min(chunk, (g + 1) * perGroup - first);
            product(
                    workers[worker],
                    how,
                    floats(input, (long) g * cols),
                    (long) groups * cols,
                    packed.asSlice(g * packedGroup),
                    rows,
                    w,
                    first,
                    count,
                    floats(output, first),
                    w.rows());
        });
    }

    /// Rows of w in one item: a few items for each worker, so that none waits long for the last.
    private static int chunk(int rows, int groups, int workers) {
        int wanted = Math.ceilDiv(rows * groups, 4 * workers);
        return Math.clamp(Math.ceilDiv(wanted, 32) * 32L, 32, CHUNK);
    }

    @Override
    public void onWorker(int worker, float[] x, int rows, Matrix[] ws, float[][] ys) {
        Own own = workers[worker];
        MemorySegment input = MemorySegment.ofArray(x);
        Arithmetic packedAs = null;
        MemorySegment packed = MemorySegment.NULL;
        for (int i = 0; i < ws.length; i++) {
            Matrix w = ws[i];
            Arithmetic how = arithmetic(w);
            if (how == null) {
                others.onWorker(worker, x, rows, new Matrix[] {w}, new float[][] {ys[i]});
                continue;
            }
            if (how != packedAs) {
                packed = own.packed.of(Math.max(1, functions.packedBytes(how, rows, w.cols())));
                functions.pack(level, how, input, w.cols(), rows, w.cols(), 0, Math.ceilDiv(rows, GROUP), packed);
                packedAs = how;
            }
            MemorySegment output = MemorySegment.ofArray(ys[i]);
            for (int first = 0; first < w.rows(); first += CHUNK) {
                int count = Math.min(CHUNK, w.rows() - first);
                product(own, how, input, w.cols(), packed, rows, w, first, count, floats(output, first), w.rows());
            }
        }
    }

    private void product(
            Own own,
            Arithmetic how,
            MemorySegment x,
            long xStride,
            MemorySegment packed,
            int rows,
            Matrix w,
            int first,
            int count,
            MemorySegment y,
            long yStride) {
        Matrix.Scales scales = w.scales();
        own.shape[0] = format(w.dtype());
        own.shape[1] = w.rows();
        own.shape[2] = w.cols();
        own.shape[3] = Math.toIntExact(w.dtype().bytes(w.cols()));
        own.shape[4] = scales != null && scales.dtype() == DType.F32 ? 1 : 0;
        own.shape[5] = scales == null ? 1 : scales.blockRows();
        own.shape[6] = scales == null ? 1 : scales.blockCols();
        functions.product(
                level,
                how,
                x,
                xStride,
                packed,
                rows,
                w.data(),
                scales == null ? MemorySegment.NULL : scales.data(),
                MemorySegment.ofArray(own.shape),
                first,
                count,
                y,
                yStride,
                own.scratch.of(functions.scratchBytes(how, count, w.cols())));
    }

    private @Nullable Arithmetic arithmetic(Matrix w) {
        Matrix.Scales scales = w.scales();
        boolean wholeBlocks = scales == null || scales.blockCols() % 32 == 0;
        return wholeBlocks ? arithmetics.get(w.dtype()) : null;
    }

    /// The C side's `enum format`.
    static int format(DType dtype) {
        return switch (dtype) {
            case F32 -> 0;
            case F16 -> 1;
            case BF16 -> 2;
            case F8_E4M3 -> 3;
            case FP4_E2M1 -> 4;
            case Q8_0 -> 5;
            case Q4_0 -> 6;
            case MXFP4 -> 7;
            case Q4_K -> 8;
            case Q6_K -> 9;
            case F8_E8M0, I64, I32, I8 -> -1;
        };
    }

    private static MemorySegment floats(MemorySegment array, long index) {
        return array.asSlice(index * ValueLayout.JAVA_FLOAT.byteSize());
    }

    @Override
    public void close() {
        sharedPacked.close();
        for (Own own : workers) {
            own.packed.close();
            own.scratch.close();
        }
        others.close();
    }
}
