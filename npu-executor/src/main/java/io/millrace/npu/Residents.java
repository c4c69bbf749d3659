package io.millrace.npu;

import io.millrace.engine.tensor.Bf16;
import io.millrace.engine.tensor.HostFloats;
import io.millrace.engine.tensor.Matrix;
import io.millrace.engine.tensor.MatrixRows;
import io.millrace.engine.tensor.Swiglu;
import io.millrace.npu.Card.Direction;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Weights on the card: each copied once, when it is first needed, in the layout its operator wants, and kept
/// until the card is closed. They are known by the identity of what the checkpoint bound.
///
/// Copies run on a stream of their own from two pinned halves: while one is on its way the host decodes into
/// the other, and the compute stream goes on with what it has. It waits for a matrix only where it is used.
@SuppressWarnings("restricted") // pinned memory is the host's, of the size asked for
final class Residents implements AutoCloseable {
    private static final long HALF = 8L << 20;

    private final Card card;
    private final MemoryPool pool;
    private final Arithmetic arithmetic;
    private final DeviceMemory pinned;
    private final MemorySegment staging;
    private final long[] sent;
    private final boolean[] everSent = new boolean[2];
    private final long ordered;
    private final IdentityHashMap<Object, Weight> single = new IdentityHashMap<>();
    private final IdentityHashMap<Object, Weight> grouped = new IdentityHashMap<>();
    private final IdentityHashMap<Object, Weight> pairs = new IdentityHashMap<>();
    private final IdentityHashMap<Object, Experts> experts = new IdentityHashMap<>();
    private final IdentityHashMap<Object, NpuFloats> vectors = new IdentityHashMap<>();
    private final Map<String, NpuFloats> constants = new HashMap<>();
    private int half;
    private long filled;
    private long pendingTarget;
    private long pendingAt;
    private long pendingBytes;

    /// A matrix on the card.
    ///
    /// @param scales FLOAT [rows] of an INT8 matrix, BF16 [experts, rows] of INT8 experts, else none
    record Weight(Tensor codes, @Nullable Tensor scales) {
        AclType type() {
            return codes.type();
        }
    }

    /// A layer's experts, stacked: the operator takes them in one tensor.
    ///
    /// @param gateUp [experts, D, 2 I]
    /// @param down [experts, I, D]
    record Experts(Weight gateUp, Weight down, int count) {}

    Residents(Card card, MemoryPool pool, Arithmetic arithmetic) {
        this.card = card;
        this.pool = pool;
        this.arithmetic = arithmetic;
        this.pinned = card.mallocHost(2 * HALF);
        this.staging = MemorySegment.ofAddress(pinned.address).reinterpret(2 * HALF);
        this.sent = new long[] {card.createEvent(), card.createEvent()};
        this.ordered = card.createEvent();
    }

    /// A matrix [rows, cols].
    Weight matrix(Matrix matrix) {
        return kept(single, matrix, () -> upload(List.of(matrix), arithmetic.form(matrix, true)));
    }

    /// A matrix for a product that has no INT8 form.
    Weight unquantized(Matrix matrix) {
        return kept(grouped, matrix, () -> upload(List.of(matrix), arithmetic.form(matrix, false)));
    }

    /// Gate and up of an expert, one above the other: [2 I, D].
    Weight gateUp(Swiglu expert) {
        return kept(
                pairs,
                expert.gate(),
                () -> upload(List.of(expert.gate(), expert.up()), arithmetic.form(expert.gate(), true)));
    }

    /// The experts of a layer; the first one's gate tells layers apart.
    Experts experts(List<Swiglu> all) {
        return kept(experts, all.getFirst().gate(), () -> {
            AclType form = arithmetic.form(all.getFirst().gate(), true);
            List<List<Matrix>> up = all.stream()
                    .map(expert -> List.of(expert.gate(), expert.up()))
                    .toList();
            List<List<Matrix>> down =
                    all.stream().map(expert -> List.of(expert.down())).toList();
            return new Experts(stack(up, form), stack(down, form), all.size());
        });
    }

    /// Small weights, which the checkpoint gives as floats of the host.
    NpuFloats vector(HostFloats values) {
        return kept(vectors, values.array(), () -> constant(values.array()));
    }

    /// `count` ones.
    NpuFloats ones(int count) {
        return constants.computeIfAbsent("ones " + count, name -> {
            float[] ones = new float[count];
            Arrays.fill(ones, 1);
            return constant(ones);
        });
    }

    /// The orthogonal Hadamard matrix [size, size] in natural order.
    NpuFloats hadamard(int size) {
        return constants.computeIfAbsent("hadamard " + size, name -> {
            float[] values = new float[size * size];
            float scale = (float) (1 / Math.sqrt(size));
            for (int i = 0; i < values.length; i++) {
                values[i] = Integer.bitCount(i / size & i % size) % 2 == 0 ? scale : -scale;
            }
            return constant(values);
        });
    }

    private NpuFloats constant(float[] values) {
        NpuFloats floats = pool.floats(values.length);
        card.order(card.computeStream(), card.copyStream(), ordered);
        for (int done = 0; done < values.length; ) {
            int part = (int) Math.min(values.length - done, HALF / Float.BYTES);
            long at = room((long) part * Float.BYTES);
            MemorySegment.copy(values, done, staging, ValueLayout.JAVA_FLOAT, at, part);
            send(at, floats.address + (long) done * Float.BYTES, (long) part * Float.BYTES);
            done += part;
        }
        card.order(card.copyStream(), card.computeStream(), ordered);
        return floats;
    }

    private static <T> T kept(Map<Object, T> map, Object key, Supplier<T> upload) {
        T value = map.get(key);
        if (value == null) {
            value = upload.get();
            map.put(key, value);
        }
        return value;
    }

    /// Matrices of equally many columns, one above the other.
    private Weight upload(List<Matrix> parts, AclType form) {
        int cols = parts.getFirst().cols();
        int rows = parts.stream().mapToInt(Matrix::rows).sum();
        long address = pool.take((long) rows * cols * form.bytes);
        float[] scales = new float[form == AclType.INT8 ? rows : 0];
        card.order(card.computeStream(), card.copyStream(), ordered);
        float[] row = new float[cols];
        int r = 0;
        for (Matrix part : parts) {
            for (int i = 0; i < part.rows(); i++, r++) {
                MatrixRows.decode(part, i, row, 0);
                sendRow(row, form, scales, r, address + (long) r * cols * form.bytes);
            }
        }
        flush();
        card.order(card.copyStream(), card.computeStream(), ordered);
        Tensor codes = Tensor.dense(address, form, (long) rows * cols, 0, rows, cols);
        return new Weight(codes, form == AclType.INT8 ? constant(scales).tensor(rows) : null);
    }

    /// Experts behind one another, each [cols, rows]: grouped products want the sum's dimension first.
    private Weight stack(List<List<Matrix>> all, AclType form) {
        int cols = all.getFirst().getFirst().cols();
        int rows = all.getFirst().stream().mapToInt(Matrix::rows).sum();
        long each = (long) rows * cols * form.bytes;
        long address = pool.take(each * all.size());
        float[] scales = new float[form == AclType.INT8 ? rows * all.size() : 0];
        card.order(card.computeStream(), card.copyStream(), ordered);
        float[] transposed = new float[rows * cols];
        float[] row = new float[cols];
        float[] line = new float[rows];
        for (int e = 0; e < all.size(); e++) {
            int r = 0;
            for (Matrix part : all.get(e)) {
                for (int i = 0; i < part.rows(); i++, r++) {
                    MatrixRows.decode(part, i, row, 0);
                    float scale = form == AclType.INT8 ? scale(row) : 1;
                    if (form == AclType.INT8) {
                        // the operator takes these scales in BF16, so codes are made for the rounded one
                        scale = Bf16.round(scale);
                        scales[e * rows + r] = scale;
                    }
                    for (int c = 0; c < cols; c++) {
                        transposed[c * rows + r] = form == AclType.INT8 ? code(row[c], scale) : row[c];
                    }
                }
            }
            for (int c = 0; c < cols; c++) {
                System.arraycopy(transposed, c * rows, line, 0, rows);
                sendLine(line, form, address + e * each + (long) c * rows * form.bytes);
            }
        }
        flush();
        card.order(card.copyStream(), card.computeStream(), ordered);
        Tensor codes = Tensor.dense(address, form, (long) all.size() * rows * cols, 0, all.size(), cols, rows);
        return new Weight(codes, form == AclType.INT8 ? halves(scales, all.size(), rows) : null);
    }

    private Tensor halves(float[] values, int experts, int rows) {
        long address = pool.take(2L * values.length);
        card.order(card.computeStream(), card.copyStream(), ordered);
        sendLine(values, AclType.BF16, address);
        flush();
        card.order(card.copyStream(), card.computeStream(), ordered);
        return Tensor.dense(address, AclType.BF16, values.length, 0, experts, rows);
    }

    private void sendRow(float[] row, AclType form, float[] scales, int r, long target) {
        if (form == AclType.INT8) {
            scales[r] = scale(row);
            for (int c = 0; c < row.length; c++) {
                row[c] = code(row[c], scales[r]);
            }
        }
        sendLine(row, form, target);
    }

    private static float scale(float[] row) {
        float largest = 0;
        for (float value : row) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest / Byte.MAX_VALUE;
    }

    private static float code(float value, float scale) {
        return scale == 0 ? 0 : Math.clamp((float) Math.rint(value / scale), -Byte.MAX_VALUE, Byte.MAX_VALUE);
    }

    /// Writes numbers behind those before them, which are sent together as long as their targets adjoin.
    private void sendLine(float[] line, AclType form, long target) {
        long bytes = (long) line.length * form.bytes;
        if (bytes > HALF) {
            int middle = line.length / 2;
            sendLine(Arrays.copyOf(line, middle), form, target);
            sendLine(Arrays.copyOfRange(line, middle, line.length), form, target + (long) middle * form.bytes);
            return;
        }
        if (filled + bytes > HALF || target != pendingTarget + pendingBytes) {
            flush();
        }
        long at = room(bytes);
        if (pendingBytes == 0) {
            pendingTarget = target;
            pendingAt = at;
        }
        pendingBytes += bytes;
        for (int i = 0; i < line.length; i++) {
            switch (form) {
                case FLOAT -> staging.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at + 4L * i, line[i]);
                case BF16 -> staging.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 2L * i, Bf16.encode(line[i]));
                default -> staging.set(ValueLayout.JAVA_BYTE, at + i, (byte) line[i]);
            }
        }
    }

    private void flush() {
        if (pendingBytes > 0) {
            send(pendingAt, pendingTarget, pendingBytes);
            pendingBytes = 0;
        }
    }

    /// Room in the half that is being filled; in the other one when that has been sent.
    private long room(long bytes) {
        if (filled + bytes > HALF) {
            flush();
            card.check("aclrtRecordEvent", card.acl.recordEvent().call(sent[half], card.copyStream()));
            everSent[half] = true;
            half = 1 - half;
            filled = 0;
            if (everSent[half]) {
                card.check("aclrtSynchronizeEvent", card.acl.synchronizeEvent().call(sent[half]));
            }
        }
        long at = half * HALF + filled;
        filled += bytes;
        return at;
    }

    private void send(long at, long target, long bytes) {
        card.copy(Direction.TO_DEVICE, target, pinned.address + at, bytes, card.copyStream());
    }

    @Override
    public void close() {
        pinned.close();
    }
}
