package io.millrace.npu;

import io.millrace.npu.Launcher.Scalar;

/// Round trips through FP8 and FP4, of operators that every release has: only Ascend 950 knows these types. A
/// power of two is a float without its mantissa, and adding a number large enough to push out all bits but a
/// code's rounds to it, ties to even. Each step is exact or rounds once, so the results are the bits that
/// {@link io.millrace.engine.tensor.Rounding} gives.
///
/// @param largest code
/// @param leastAmplitude by which a block is scaled at least
/// @param leastNormal code, below which codes keep its distance
/// @param mantissa bits of a code
record CodeRounding(float largest, float leastAmplitude, double leastNormal, int mantissa) {
    static final CodeRounding FP8 = new CodeRounding(448, 1e-4f, 0x1p-6, 3);
    static final CodeRounding FP4 = new CodeRounding(6, 6 * 0x1p-126f, 1, 1);

    private static final Scalar ONE = new Scalar(1, AclType.INT32);
    private static final Scalar MANTISSA = new Scalar(0x7FFFFF, AclType.INT32);
    private static final Scalar EXPONENT = new Scalar(0x7F800000, AclType.INT32);

    /// Rounds the leading `length` of each row.
    ///
    /// @param x [rows, dim]
    /// @param out [rows, dim], may be x
    void apply(CardMath math, Tensor x, int length, int block, Tensor out) {
        long whole = length / block;
        if (whole > 0) {
            blocks(math, blocked(x, 0, whole, block), blocked(out, 0, whole, block));
        }
        int rest = length % block;
        if (rest > 0) {
            blocks(math, blocked(x, whole * block, 1, rest), blocked(out, whole * block, 1, rest));
        }
    }

    private static Tensor blocked(Tensor x, long from, long count, long block) {
        return x.view(from, new long[] {x.dims()[0], count, block}, new long[] {x.strides()[0], block, 1});
    }

    private void blocks(CardMath math, Tensor x, Tensor out) {
        try (Scratch scratch = math.scratch()) {
            long rows = x.dims()[0];
            long count = x.dims()[1];
            Tensor codes = scratch.floats(rows, count, x.dims()[2]);
            Tensor push = scratch.floats(rows, count, x.dims()[2]);
            Tensor scale = scratch.floats(rows, count, 1);
            math.launcher.run(Operator.ABS, x, codes);
            math.largest(codes, 2, scale);
            math.clamp(scale, (double) leastAmplitude, null, scale);
            math.scale(scale, 1 / largest, scale);
            // up to the next power of two
            Tensor bits = scale.as(AclType.INT32);
            math.launcher.run(Operator.ADDS, bits, MANTISSA, ONE, bits);
            math.launcher.run(Operator.BITWISE_AND_SCALAR, bits, EXPONENT, bits);
            math.divide(x, scale, codes);
            math.clamp(codes, (double) -largest, (double) largest, codes);
            math.launcher.run(Operator.BITWISE_AND_SCALAR, codes.as(AclType.INT32), EXPONENT, push.as(AclType.INT32));
            math.clamp(push, leastNormal, null, push);
            math.scale(push, 1.5 * (1 << (23 - mantissa)), push);
            math.add(codes, push, codes);
            math.subtract(codes, push, codes);
            math.multiply(codes, scale, out);
        }
    }
}
