// The aarch64 levels. Compiled three times: plain NEON; with the dot product, four rows of w in a vector; with I8MM, two
// rows of w times two of x.
#include <arm_neon.h>

#if defined(__ARM_FEATURE_MATMUL_INT8)
#define LEVEL i8mm
#define LANES 2
#define VECTORS 4
#define UNIT 2
#define COLUMNS 8
#else
#if defined(__ARM_FEATURE_DOTPROD)
#define LEVEL dotprod
#else
#define LEVEL neon
#endif
#define LANES 4
#define VECTORS 2
#define UNIT 1
#define COLUMNS 4
#endif

typedef int32x4_t ints;
typedef float32x4_t floats;

#include "blocks.h"

INLINE int signed_codes(int format) { return 1; }
INLINE ints int_splat(int32_t value) { return vdupq_n_s32(value); }
INLINE floats float_zero(void) { return vdupq_n_f32(0); }
INLINE floats floats_of(ints v) { return vcvtq_f32_s32(v); }
INLINE floats load(const float *p) { return vld1q_f32(p); }
INLINE floats multiply(floats a, floats b) { return vmulq_f32(a, b); }
INLINE floats multiply_add(floats sum, floats a, floats b) { return vfmaq_f32(sum, a, b); }
INLINE floats multiply_subtract(floats sum, floats a, floats b) { return vfmsq_f32(sum, a, b); }
INLINE ints begin(int format, ints before) { return before; }
INLINE ints settle(int format, ints before, ints sums) { return sums; }
INLINE int8x16_t sixteen(const uint8_t *p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }

#if UNIT == 2

INLINE ints dot(int format, ints sums, const uint8_t *w, const uint8_t *x, int k) {
    return vmmlaq_s32(sums, sixteen(x + 16 * k), sixteen(w));
}

// Lanes are [row of x][row of w].
INLINE floats load_lanes(const float *p) {
    float32x2_t lanes = vld1_f32(p);
    return vcombine_f32(lanes, lanes);
}

INLINE floats load_rows(const float *p) {
    floats rows = load_lanes(p);
    return vzip1q_f32(rows, rows);
}

INLINE void put(floats v, float *out) {
    vst1_f32(out, vget_low_f32(v));
    vst1_f32(out + LANES * VECTORS, vget_high_f32(v));
}

INLINE void interleave(bytes16 codes[LANES * VECTORS][2], uint8_t *step) {
    for (int i = 0; i < LANES * VECTORS; i += LANES) {
        for (int half = 0; half < 2; half++) {
            uint64x2x2_t rows = {{(uint64x2_t) codes[i][half], (uint64x2_t) codes[i + 1][half]}};
            vst2q_u64((uint64_t *) (step + i * BLOCK + half * 16 * LANES), rows);
        }
    }
}

#else

INLINE floats load_lanes(const float *p) { return vld1q_f32(p); }
INLINE floats load_rows(const float *p) { return vld1q_dup_f32(p); }
INLINE void put(floats v, float *out) { vst1q_f32(out, v); }

#if defined(__ARM_FEATURE_DOTPROD)

INLINE ints dot(int format, ints sums, const uint8_t *w, const uint8_t *x, int k) {
    int8x16_t codes = sixteen(w), sixteen_of_a_row = sixteen(x + k / 4 * 16);
    switch (k % 4) {
    case 0: return vdotq_laneq_s32(sums, codes, sixteen_of_a_row, 0);
    case 1: return vdotq_laneq_s32(sums, codes, sixteen_of_a_row, 1);
    case 2: return vdotq_laneq_s32(sums, codes, sixteen_of_a_row, 2);
    default: return vdotq_laneq_s32(sums, codes, sixteen_of_a_row, 3);
    }
}

#else

INLINE ints dot(int format, ints sums, const uint8_t *w, const uint8_t *x, int k) {
    int8x16_t codes = sixteen(w), four = vreinterpretq_s8_s32(vld1q_dup_s32((const int32_t *) (x + 4 * k)));
    ints low = vpaddlq_s16(vmull_s8(vget_low_s8(codes), vget_low_s8(four)));
    ints high = vpaddlq_s16(vmull_high_s8(codes, four));
    return vaddq_s32(sums, vpaddq_s32(low, high));
}

#endif

INLINE void interleave(bytes16 codes[LANES * VECTORS][2], uint8_t *step) {
    for (int i = 0; i < LANES * VECTORS; i += LANES) {
        for (int half = 0; half < 2; half++) {
            uint32x4x4_t rows = {{(uint32x4_t) codes[i][half], (uint32x4_t) codes[i + 1][half],
                                  (uint32x4_t) codes[i + 2][half], (uint32x4_t) codes[i + 3][half]}};
            vst4q_u32((uint32_t *) (step + i * BLOCK + half * 16 * LANES), rows);
        }
    }
}

#endif

#include "strips.h"
