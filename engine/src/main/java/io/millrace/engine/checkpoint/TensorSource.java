package io.millrace.engine.checkpoint;

import io.millrace.engine.api.EngineException;
import io.millrace.engine.api.ErrorCode;
import io.millrace.engine.model.Weights;
import io.millrace.engine.tensor.Bf16;
import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.Floats;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Fetches a checkpoint's tensors by name, whatever its files are and whatever model they make: checks
/// presence, shape and element type, and writes down what is wrong. A faulty tensor is answered with an empty
/// stand-in, which the caller must not let out: once all are asked for, {@link #check} throws.
///
/// A tensor may go by several names; the first that is stored is taken, and messages use the first of all.
/// Shapes are in weights, outermost first, in both file formats. Confined to one thread.
public final class TensorSource {
    private static final System.Logger LOG = System.getLogger(TensorSource.class.getName());
    private static final int EXTRAS_SHOWN = 10;
    private static final Matrix NO_MATRIX = new Matrix("faulty", DType.F32, 0, 0, MemorySegment.NULL, null);
    private static final Floats NO_FLOATS = HostFloats.allocate(0);
    private static final int FP4_BLOCK = 32;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Checkpoint checkpoint;
    private final Faults faults = new Faults();
    private final Set<String> used = new HashSet<>();

    TensorSource(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /// Throws if anything that was asked for did not fit.
    ///
    /// @throws EngineException MODEL_MISMATCH with all that does not fit, each with tensor, expected, got
    ///     and file; the first twenty are told, the others counted
    public void check() {
        if (!faults.isEmpty()) {
            throw new EngineException(
                    ErrorCode.MODEL_MISMATCH,
                    checkpoint.path() + ": " + faults.size() + (faults.size() == 1 ? " tensor does" : " tensors do")
                            + " not fit " + checkpoint.configName() + ": " + faults);
        }
    }

    /// Tells what nobody asked for.
    void logUnused() {
        List<String> extras = unused();
        if (!extras.isEmpty()) {
            LOG.log(
                    System.Logger.Level.INFO,
                    "{0}: {1} tensors are not used: {2}{3}",
                    checkpoint.path(),
                    Integer.toString(extras.size()),
                    String.join(", ", extras.subList(0, Math.min(EXTRAS_SHOWN, extras.size()))),
                    extras.size() > EXTRAS_SHOWN ? ", ..." : "");
        }
    }

    /// Names of the tensors nobody asked for, in file order.
    public List<String> unused() {
        List<String> unused = new ArrayList<>();
        for (StoredTensor tensor : checkpoint.tensors()) {
            if (!used.contains(tensor.name())) {
                unused.add(tensor.name());
            }
        }
        return unused;
    }

    /// Whether one of these is stored.
    public boolean has(List<String> names) {
        return names.stream().anyMatch(name -> checkpoint.tensor(name) != null);
    }

    /// A weight matrix [rows, cols] as it lies in the file.
    public Matrix matrix(List<String> names, long rows, long cols) {
        StoredTensor stored = find(names, "a matrix " + List.of(rows, cols));
        return stored == null ? NO_MATRIX : matrix(stored, List.of(rows, cols));
    }

    /// `parts` matrices [rows, cols] stored as one tensor [parts, rows, cols], as one matrix [parts * rows,
    /// cols] that can be sliced at every multiple of `sliceRows`, which divides `rows`.
    public Matrix stacked(List<String> names, long parts, long rows, long cols, int sliceRows) {
        StoredTensor stored = find(names, "a tensor " + List.of(parts, rows, cols));
        Matrix matrix = stored == null ? NO_MATRIX : matrix(stored, List.of(parts, rows, cols));
        Matrix.Scales scales = matrix.scales();
        if (stored != null && scales != null && sliceRows % scales.blockRows() != 0) {
            mismatch(stored, "experts of a multiple of " + scales.blockRows() + " rows, as that many share a scale");
            return NO_MATRIX;
        }
        return matrix;
    }

    /// A small tensor, decoded to floats.
    public Floats floats(List<String> names, long... shape) {
        List<Long> expected = Arrays.stream(shape).boxed().toList();
        StoredTensor stored = find(names, "F32, BF16 or F16 " + expected);
        if (stored == null) {
            return NO_FLOATS;
        }
        if (stored.type() instanceof GgufType) {
            // a quantiser may have taken any tensor with more than one row for a matrix
            return decoded(matrix(stored, expected));
        }
        boolean decodable = stored.type() == SafetensorsType.F32
                || stored.type() == SafetensorsType.BF16
                || stored.type() == SafetensorsType.F16;
        if (!decodable || !stored.shape().equals(expected)) {
            mismatch(stored, "F32, BF16 or F16 " + expected);
            return NO_FLOATS;
        }
        return decode(stored);
    }

    /// The experts of each token, each of them below `experts`.
    Weights.ExpertTable expertTable(List<String> names, int tokens, int slots, int experts) {
        List<Long> expected = List.of((long) tokens, (long) slots);
        StoredTensor stored = find(names, "I64 or I32 " + expected);
        if (stored == null) {
            return new TokenExperts(new int[0], slots);
        }
        DType dtype = stored.type().dtype();
        boolean integers = dtype == DType.I64 || dtype == DType.I32;
        if (!integers || !stored.shape().equals(expected) || stored.elements() > Integer.MAX_VALUE) {
            mismatch(stored, "I64 or I32 " + expected);
            return new TokenExperts(new int[0], slots);
        }
        return readExperts(stored, slots, experts);
    }

    private Weights.ExpertTable readExperts(StoredTensor stored, int slots, int experts) {
        int[] table = new int[Math.toIntExact(stored.elements())];
        for (int entry = 0; entry < table.length; entry++) {
            long expert = stored.type().dtype() == DType.I64
                    ? stored.data().get(LONG, (long) entry * Long.BYTES)
                    : stored.data().get(INT, (long) entry * Integer.BYTES);
            if (expert < 0 || expert >= experts) {
                faults.add(stored.name() + ": expected experts from 0 to " + (experts - 1) + ", got " + expert
                        + " for token " + entry / slots + " (" + stored.file() + ")");
                break;
            }
            table[entry] = (int) expert;
        }
        return new TokenExperts(table, slots);
    }

    private static Floats decode(StoredTensor stored) {
        float[] values = new float[Math.toIntExact(stored.elements())];
        MemorySegment data = stored.data();
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (stored.type()) {
                case SafetensorsType.F32 -> data.get(FLOAT, (long) i * Float.BYTES);
                case SafetensorsType.BF16 -> Bf16.decode(data.get(SHORT, (long) i * Short.BYTES));
                default -> Float.float16ToFloat(data.get(SHORT, (long) i * Short.BYTES));
            };
        }
        return new HostFloats(values);
    }

    private static Floats decoded(Matrix matrix) {
        float[] values = new float[Math.multiplyExact(matrix.rows(), matrix.cols())];
        for (int row = 0; row < matrix.rows(); row++) {
            MatrixRows.decode(matrix, row, values, row * matrix.cols());
        }
        return new HostFloats(values);
    }

    /// @param shape [rows, cols] or [parts, rows, cols], in weights, not in stored elements
    private Matrix matrix(StoredTensor stored, List<Long> shape) {
        return switch (stored.type()) {
            case GgufType type -> gguf(stored, type, shape);
            case SafetensorsType type -> safetensors(stored, type, shape);
        };
    }

    private Matrix gguf(StoredTensor stored, GgufType type, List<Long> shape) {
        DType dtype = type.dtype();
        if (dtype == null || !type.isWeight()) {
            mismatch(stored, "F32, F16, BF16, Q8_0, Q4_0, Q4_K, Q6_K or MXFP4 " + shape);
            return NO_MATRIX;
        }
        return unscaled(stored, dtype, shape);
    }

    private Matrix safetensors(StoredTensor stored, SafetensorsType type, List<Long> shape) {
        return switch (type) {
            case F32 -> unscaled(stored, DType.F32, shape);
            case BF16 -> unscaled(stored, DType.BF16, shape);
            case F16 -> unscaled(stored, DType.F16, shape);
            case F8_E4M3 -> scaled(stored, DType.F8_E4M3, shape, checkpoint.fp8BlockRows(), checkpoint.fp8BlockCols());
            case I8, U8, F4 -> scaled(stored, DType.FP4_E2M1, shape, 1, FP4_BLOCK);
            default -> {
                mismatch(stored, "F32, BF16, F16, F8_E4M3 or packed FP4 " + shape);
                yield NO_MATRIX;
            }
        };
    }

    private Matrix unscaled(StoredTensor stored, DType dtype, List<Long> shape) {
        return hasShape(stored, shape) ? toMatrix(stored, dtype, shape, null) : NO_MATRIX;
    }

    private Matrix scaled(StoredTensor stored, DType dtype, List<Long> shape, int blockRows, int blockCols) {
        boolean packed = stored.type() == SafetensorsType.I8 || stored.type() == SafetensorsType.U8;
        if (!hasShape(stored, packed ? withColumns(shape, Math.ceilDiv(columns(shape), 2)) : shape)) {
            return NO_MATRIX;
        }
        int rowAxis = shape.size() - 2;
        boolean splitByte = stored.type() == SafetensorsType.F4 && columns(shape) % 2 != 0;
        boolean splitBlock = rowAxis > 0 && shape.get(rowAxis) % blockRows != 0;
        if (splitByte || splitBlock) {
            mismatch(stored, splitByte ? "an even number of columns" : "a multiple of " + blockRows + " rows a part");
            return NO_MATRIX;
        }
        List<Long> scaleShape = new ArrayList<>(withColumns(shape, Math.ceilDiv(columns(shape), blockCols)));
        scaleShape.set(rowAxis, Math.ceilDiv(shape.get(rowAxis), blockRows));
        Matrix.Scales scales = scales(stored, scaleShape, blockRows, blockCols);
        return scales == null ? NO_MATRIX : toMatrix(stored, dtype, shape, scales);
    }

    private Matrix.@Nullable Scales scales(StoredTensor stored, List<Long> shape, int blockRows, int blockCols) {
        String expected = "F8_E8M0 or F32 " + shape + " for blocks [" + blockRows + ", " + blockCols + "]";
        StoredTensor scales = find(TensorNames.scales(stored.name()), expected);
        if (scales == null) {
            return null;
        }
        DType dtype = switch (scales.type()) {
            // exponents are stored as plain bytes where a writer did not know the type
            case SafetensorsType.F8_E8M0, SafetensorsType.U8 -> DType.F8_E8M0;
            case SafetensorsType.F32 -> DType.F32;
            default -> null;
        };
        if (dtype == null || !scales.shape().equals(shape)) {
            mismatch(scales, expected);
            return null;
        }
        return new Matrix.Scales(dtype, blockRows, blockCols, scales.data());
    }

    private Matrix toMatrix(StoredTensor stored, DType dtype, List<Long> shape, Matrix.@Nullable Scales scales) {
        long rows = 1;
        for (long extent : shape.subList(0, shape.size() - 1)) {
            rows *= extent;
        }
        if (rows > Integer.MAX_VALUE) {
            mismatch(stored, "fewer than 2^31 rows");
            return NO_MATRIX;
        }
        return new Matrix(stored.name(), dtype, (int) rows, Math.toIntExact(columns(shape)), stored.data(), scales);
    }

    private boolean hasShape(StoredTensor stored, List<Long> shape) {
        boolean same = stored.shape().equals(shape);
        if (!same) {
            mismatch(stored, stored.type() + " " + shape);
        }
        return same;
    }

    private static long columns(List<Long> shape) {
        return shape.getLast();
    }

    private static List<Long> withColumns(List<Long> shape, long columns) {
        List<Long> changed = new ArrayList<>(shape);
        changed.set(shape.size() - 1, columns);
        return changed;
    }

    private @Nullable StoredTensor find(List<String> names, String expected) {
        for (String name : names) {
            StoredTensor stored = checkpoint.tensor(name);
            if (stored != null) {
                used.add(name);
                return stored;
            }
        }
        faults.add(names.getFirst() + ": expected " + expected + ", got no tensor of that or another known name");
        return null;
    }

    private void mismatch(StoredTensor stored, String expected) {
        faults.add(stored.name() + ": expected " + expected + ", got " + stored.form() + " (" + stored.file() + ")");
    }

    /// Experts by token id, row-major [tokens, slots].
    @SuppressWarnings("ArrayRecordComponent") // never handed out
    private record TokenExperts(int[] table, int slots) implements Weights.ExpertTable {
        @Override
        public int expert(int tokenId, int slot) {
            return table[tokenId * slots + slot];
        }
    }
}
