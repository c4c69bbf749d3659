package io.millrace.engine.kernel;

import io.millrace.engine.tensor.DType;
import io.millrace.engine.tensor.E8m0;
import io.millrace.engine.tensor.Fp4;

/// Decodes a row of one of GGUF's block formats, as it is or into a lane of a panel, a block at a time: the
/// fast twin of what {@link io.millrace.engine.tensor.MatrixRows} does value by value, and bit-equal to it.
final class BlockDecoder {
    private static final float[] FP4 = new float[16];

    static {
        for (int code = 0; code < FP4.length; code++) {
            FP4[code] = Fp4.decode(code);
        }
    }

    private BlockDecoder() {}

    /// Writes column c to `panel[lane + c * stride]`.
    ///
    /// @param codes the row's bytes, whole blocks
    static void decode(DType dtype, byte[] codes, int cols, float[] panel, int lane, int stride) {
        int elements = dtype.blockElements();
        for (int block = 0; block < cols / elements; block++) {
            decodeBlock(dtype, codes, block * dtype.blockBytes(), panel, block * elements * stride + lane, stride);
        }
    }

    /// One block: writes its column i to `panel[out + i * stride]`.
    ///
    /// @param at where the block's bytes begin
    static void decodeBlock(DType dtype, byte[] codes, int at, float[] panel, int out, int stride) {
        switch (dtype) {
            case Q8_0 -> q8(codes, at, panel, out, stride);
            case Q4_0 -> q4(codes, at, panel, out, stride);
            case MXFP4 -> mxfp4(codes, at, panel, out, stride);
            case Q4_K -> q4k(codes, at, panel, out, stride);
            case Q6_K -> q6k(codes, at, panel, out, stride);
            default -> throw new IllegalArgumentException(dtype + " is no block format");
        }
    }

    private static void q8(byte[] codes, int at, float[] panel, int out, int stride) {
        float scale = half(codes, at);
        for (int i = 0; i < 32; i++) {
            panel[out + i * stride] = scale * codes[at + 2 + i];
        }
    }

    private static void q4(byte[] codes, int at, float[] panel, int out, int stride) {
        float scale = half(codes, at);
        for (int i = 0; i < 16; i++) {
            int pair = codes[at + 2 + i] & 0xFF;
            panel[out + i * stride] = scale * ((pair & 15) - 8);
            panel[out + (i + 16) * stride] = scale * ((pair >> 4) - 8);
        }
    }

    private static void mxfp4(byte[] codes, int at, float[] panel, int out, int stride) {
        float scale = E8m0.decode(codes[at]);
        for (int i = 0; i < 16; i++) {
            int pair = codes[at + 1 + i] & 0xFF;
            panel[out + i * stride] = FP4[pair & 15] * scale;
            panel[out + (i + 16) * stride] = FP4[pair >> 4] * scale;
        }
    }

    /// Two groups of 32 share 32 bytes.
    private static void q4k(byte[] codes, int at, float[] panel, int out, int stride) {
        float scale = half(codes, at);
        float minimumScale = half(codes, at + 2);
        for (int group = 0; group < 8; group += 2) {
            float lowStep = scale * groupScale(codes, at + 4, group);
            float lowMinimum = minimumScale * groupMinimum(codes, at + 4, group);
            float highStep = scale * groupScale(codes, at + 4, group + 1);
            float highMinimum = minimumScale * groupMinimum(codes, at + 4, group + 1);
            for (int i = 0; i < 32; i++) {
                int pair = codes[at + 16 + group * 16 + i] & 0xFF;
                int to = out + (group * 32 + i) * stride;
                panel[to] = lowStep * (pair & 15) - lowMinimum;
                panel[to + 32 * stride] = highStep * (pair >> 4) - highMinimum;
            }
        }
    }

    private static int groupScale(byte[] codes, int at, int group) {
        return group < 4
                ? codes[at + group] & 63
                : (codes[at + group + 4] & 15) | ((codes[at + group - 4] & 0xC0) >> 2);
    }

    private static int groupMinimum(byte[] codes, int at, int group) {
        return group < 4
                ? codes[at + group + 4] & 63
                : ((codes[at + group + 4] & 0xF0) >> 4) | ((codes[at + group] & 0xC0) >> 2);
    }

    /// Four columns, 32 apart, share a byte of upper bits, and two of them, 64 apart, one of lower nibbles.
    private static void q6k(byte[] codes, int at, float[] panel, int out, int stride) {
        float scale = half(codes, at + 208);
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < 32; i++) {
                int even = codes[at + 64 * half + i];
                int odd = codes[at + 64 * half + 32 + i];
                int high = codes[at + 128 + 32 * half + i];
                int group = at + 192 + 8 * half + i / 16;
                int to = out + (128 * half + i) * stride;
                panel[to] = scale * codes[group] * (((even & 15) | ((high << 4) & 0x30)) - 32);
                panel[to + 32 * stride] = scale * codes[group + 2] * (((odd & 15) | ((high << 2) & 0x30)) - 32);
                panel[to + 64 * stride] = scale * codes[group + 4] * ((((even >> 4) & 15) | (high & 0x30)) - 32);
                panel[to + 96 * stride] = scale * codes[group + 6] * ((((odd >> 4) & 15) | ((high >> 2) & 0x30)) - 32);
            }
        }
    }

    private static float half(byte[] codes, int at) {
        return Float.float16ToFloat((short) ((codes[at] & 0xFF) | codes[at + 1] << 8));
    }
}
