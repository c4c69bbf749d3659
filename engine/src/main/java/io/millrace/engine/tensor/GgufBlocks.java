package io.millrace.engine.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The block formats of GGUF files, one value at a time. Layouts: section 6.3 of the V4 reference notes,
/// after ggml.
///
/// All products but one are exact in a float: a scale of 11 bits, a group's scale of 6 and a code of 4 fit
/// into its 24. Q6_K's three factors do not; they are multiplied from the left, as ggml does.
final class GgufBlocks {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private GgufBlocks() {}

    /// Value `i` of the block that begins at byte `at`.
    static float value(DType dtype, MemorySegment data, long at, int i) {
        return switch (dtype) {
            case Q8_0 -> half(data, at) * signed(data, at + 2 + i);
            case Q4_0 -> half(data, at) * (halvesNibble(data, at + 2, i) - 8);
            case MXFP4 -> Fp4.decode(halvesNibble(data, at + 1, i)) * E8m0.decode(signed(data, at));
            case Q4_K -> q4k(data, at, i);
            case Q6_K -> q6k(data, at, i);
            default -> throw new IllegalArgumentException(dtype + " is no block format");
        };
    }

    /// Of 32 codes the first 16 are in the low nibbles, the others in the high ones.
    private static int halvesNibble(MemorySegment data, long at, int i) {
        int pair = unsigned(data, at + i % 16);
        return i < 16 ? pair & 15 : pair >> 4;
    }

    /// Scale, scale of the minima, 12 bytes of group scales and minima, 128 bytes of codes: 32 bytes for two
    /// groups, the first in the low nibbles.
    private static float q4k(MemorySegment data, long at, int i) {
        int group = i / 32;
        int pair = unsigned(data, at + 16 + group / 2 * 32L + i % 32);
        int code = group % 2 == 0 ? pair & 15 : pair >> 4;
        float step = half(data, at) * groupScale(data, at + 4, group);
        return step * code - half(data, at + 2) * groupMinimum(data, at + 4, group);
    }

    /// Six bits: those of groups 0 to 3 stand in a byte each, of the others the upper two are in what those
    /// bytes leave free.
    private static int groupScale(MemorySegment data, long at, int group) {
        return group < 4
                ? unsigned(data, at + group) & 63
                : (unsigned(data, at + group + 4) & 15) | (unsigned(data, at + group - 4) >> 6 << 4);
    }

    private static int groupMinimum(MemorySegment data, long at, int group) {
        return group < 4
                ? unsigned(data, at + group + 4) & 63
                : (unsigned(data, at + group + 4) >> 4) | (unsigned(data, at + group) >> 6 << 4);
    }

    /// 128 bytes of lower nibbles, 64 bytes of upper two bits, 16 group scales, scale; a half of the block
    /// after the other, and in each 32 columns a bit field.
    private static float q6k(MemorySegment data, long at, int i) {
        int half = i / 128;
        int field = i % 128 / 32;
        int lane = i % 32;
        int pair = unsigned(data, at + 64L * half + field % 2 * 32L + lane);
        int low = field < 2 ? pair & 15 : pair >> 4;
        int high = (unsigned(data, at + 128 + 32L * half + lane) >> (2 * field)) & 3;
        return half(data, at + 208) * signed(data, at + 192 + i / 16) * (((high << 4) | low) - 32);
    }

    private static float half(MemorySegment data, long at) {
        return Float.float16ToFloat(data.get(SHORT, at));
    }

    private static int signed(MemorySegment data, long at) {
        return data.get(ValueLayout.JAVA_BYTE, at);
    }

    private static int unsigned(MemorySegment data, long at) {
        return data.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
    }
}
