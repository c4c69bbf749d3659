// Stored blocks of 32 columns, plainly: what every level without a faster decoder of its own uses. Loops are written so
// that compilers turn them into the vectors of the level that includes them.
#ifndef MILLRACE_BLOCKS_H
#define MILLRACE_BLOCKS_H

#include "millrace.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h> // every level has F16C
#else
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))

// value = scale * (code - code_offset(format)) - minimum
struct affine {
    float scale, minimum;
};

// Calls with a format that the compiler knows, one of those that are multiplied in int8.
#define FOR_INT8_FORMAT(format, call)                                                                                  \
    switch (format) {                                                                                                  \
    case FORMAT_Q8_0: call(FORMAT_Q8_0); break;                                                                        \
    case FORMAT_Q4_0: call(FORMAT_Q4_0); break;                                                                        \
    case FORMAT_MXFP4: call(FORMAT_MXFP4); break;                                                                      \
    case FORMAT_FP4: call(FORMAT_FP4); break;                                                                          \
    default: call(FORMAT_Q4_K); break;                                                                                 \
    }

// What to take off the codes 0 to 255 of a format: exactly, in whole numbers, before anything is rounded.
static inline int code_offset(int format) {
    return format == FORMAT_Q8_0 ? 128 : format == FORMAT_Q4_0 ? 8 : format == FORMAT_Q4_K ? 0 : 12;
}

static inline int least(int a, int b) { return a < b ? a : b; }

static inline float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static inline uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

static inline float float_of_half(const uint8_t *p) {
#if defined(__x86_64__)
    uint16_t h;
    memcpy(&h, p, 2);
    return _cvtsh_ss(h);
#else
    __fp16 h;
    memcpy(&h, p, 2);
    return h;
#endif
}

// 2^(e - 127): a half in the last place of zero, not a number at 255.
static inline float power_of_two(uint32_t e) { return float_of_bits(e << 23 | (uint32_t) (e - 1 >= 254) << 22); }

// Where a row begins, and its scales if they lie apart.
struct row {
    const uint8_t *data, *scales;
};

static inline struct row row_of(const struct matrix *w, int row) {
    int per_row = (w->cols + w->block_cols - 1) / w->block_cols, bytes = w->scale_is_float ? 4 : 1;
    return (struct row) {w->data + (int64_t) row * w->row_bytes,
                         w->scales ? w->scales + (int64_t) (row / w->block_rows) * per_row * bytes : NULL};
}

// The scale of a row's columns from block_cols * i on.
static inline float scale_at(const struct matrix *w, struct row row, int i) {
    float value;
    if (!w->scale_is_float) {
        return power_of_two(row.scales[i]);
    }
    memcpy(&value, row.scales + 4 * i, 4);
    return value;
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint16_t halves16 __attribute__((vector_size(32)));

INLINE bytes16 load16(const uint8_t *p) {
    bytes16 v;
    memcpy(&v, p, 16);
    return v;
}

// Twice the E2M1 values, plus 12.
static const uint8_t E2M1_CODES[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

INLINE bytes16 e2m1_codes(bytes16 q) {
#if defined(__x86_64__)
    return (bytes16) _mm_shuffle_epi8((__m128i) load16(E2M1_CODES), (__m128i) q);
#else
    return vqtbl1q_u8(load16(E2M1_CODES), q);
#endif
}

static inline void q4_k_scales(const uint8_t *s, int sub, int *scale, int *minimum) {
    *scale = sub < 4 ? s[sub] & 63 : (s[sub + 4] & 15) | (s[sub - 4] >> 6) << 4;
    *minimum = sub < 4 ? s[sub + 4] & 63 : s[sub + 4] >> 4 | (s[sub] >> 6) << 4;
}

// Block `b` of a row as codes 0 to 255 and what they mean; formats with one scale per 32 columns only.
INLINE struct affine block_codes(int format, const struct matrix *w, struct row row, int b, bytes16 codes[2]) {
    switch (format) {
    case FORMAT_Q8_0: {
        const uint8_t *block = row.data + 34 * b;
        codes[0] = load16(block + 2) ^ 128;
        codes[1] = load16(block + 18) ^ 128;
        return (struct affine) {float_of_half(block), 0};
    }
    case FORMAT_Q4_0: {
        const uint8_t *block = row.data + 18 * b;
        bytes16 q = load16(block + 2);
        codes[0] = q & 15;
        codes[1] = q >> 4;
        return (struct affine) {float_of_half(block), 0};
    }
    case FORMAT_MXFP4: {
        const uint8_t *block = row.data + 17 * b;
        bytes16 q = load16(block + 1);
        codes[0] = e2m1_codes(q & 15);
        codes[1] = e2m1_codes(q >> 4);
        return (struct affine) {power_of_two(*block) / 2, 0};
    }
    case FORMAT_FP4: {
        bytes16 q = {0};
        if (w->cols - b * BLOCK >= BLOCK) {
            q = load16(row.data + 16 * b);
        } else {
            memcpy(&q, row.data + 16 * b, (size_t) (w->cols - b * BLOCK + 1) / 2);
        }
        halves16 pairs = __builtin_convertvector(q, halves16);
        pairs = (pairs | pairs << 4) & 0x0f0f;
        memcpy(codes, &pairs, 32);
        codes[0] = e2m1_codes(codes[0]);
        codes[1] = e2m1_codes(codes[1]);
        return (struct affine) {scale_at(w, row, b * BLOCK / w->block_cols) / 2, 0};
    }
    default: { // Q4_K
        const uint8_t *block = row.data + b / 8 * 144, *q = block + 16 + b % 8 / 2 * 32;
        int scale, minimum;
        q4_k_scales(block + 4, b % 8, &scale, &minimum);
        for (int i = 0; i < 2; i++) {
            codes[i] = b & 1 ? load16(q + 16 * i) >> 4 : load16(q + 16 * i) & 15;
        }
        return (struct affine) {float_of_half(block) * (float) scale, float_of_half(block + 2) * (float) minimum};
    }
    }
}

// Sixteen half floats as floats.
INLINE void halves_values(halves16 h, float *out) {
#if defined(__x86_64__)
    __m256i v = (__m256i) h;
    _mm256_storeu_ps(out, _mm256_cvtph_ps(_mm256_castsi256_si128(v)));
    _mm256_storeu_ps(out + 8, _mm256_cvtph_ps(_mm256_extracti128_si256(v, 1)));
#else
    __fp16 halves[16];
    memcpy(halves, &h, 32);
    for (int i = 0; i < 16; i++) {
        out[i] = halves[i];
    }
#endif
}

// Sixteen E4M3 codes as floats. Exponent and mantissa in the place of a half float's are the value over 2^8.
INLINE void fp8_values(bytes16 codes, float *out) {
    halves16 c = __builtin_convertvector(codes, halves16), magnitude = c & 127;
    halves16 is_nan = (halves16) (magnitude == 127);
    halves_values(magnitude << 7 | (c & 128) << 8 | (is_nan & 0x7e00), out);
    for (int i = 0; i < 16; i++) {
        out[i] *= 0x1p8f;
    }
}

// Sixteen values of a format whose scales lie apart, or that has none.
INLINE void sixteen_values(int format, const uint8_t *p, float *out) {
    halves16 h;
    switch (format) {
    case FORMAT_F16:
        memcpy(&h, p, 32);
        halves_values(h, out);
        break;
    case FORMAT_BF16:
        for (int i = 0; i < 16; i++) {
            uint16_t high;
            memcpy(&high, p + 2 * i, 2);
            out[i] = float_of_bits((uint32_t) high << 16);
        }
        break;
    default:
        fp8_values(load16(p), out);
    }
}

INLINE void plain_values(int format, int bytes, const uint8_t *p, int cols, float *out) {
    int k = 0;
    for (; k + 16 <= cols; k += 16) {
        sixteen_values(format, p + (int64_t) k * bytes, out + k);
    }
    if (k < cols) {
        uint8_t padded[32] = {0};
        float values[16];
        memcpy(padded, p + (int64_t) k * bytes, (size_t) ((cols - k) * bytes));
        sixteen_values(format, padded, values);
        memcpy(out + k, values, 4 * (size_t) (cols - k));
    }
}

INLINE void q6_k_values(const uint8_t *block, float *restrict out) {
    float d = float_of_half(block + 208);
    for (int i = 0; i < 256; i += 16) {
        int side = i / 128, part = i % 128 / 32, l = i % 32;
        bytes16 low = load16(block + side * 64 + (part & 1) * 32 + l), high = load16(block + 128 + side * 32 + l);
        bytes16 codes = (part >= 2 ? low >> 4 : low & 15) | (high >> 2 * part & 3) << 4;
        float scale = d * (float) (int8_t) block[192 + i / 16];
        for (int j = 0; j < 16; j++) {
            out[i + j] = scale * (float) ((int) codes[j] - 32);
        }
    }
}

// A row as floats; formats without codes of 32 columns only.
static inline void row_values(const struct matrix *w, int row, float *out) {
    struct row own = row_of(w, row);
    int cols = w->cols;
    switch (w->format) {
    case FORMAT_F32: memcpy(out, own.data, 4 * (size_t) cols); break;
    case FORMAT_F16: plain_values(FORMAT_F16, 2, own.data, cols, out); break;
    case FORMAT_BF16: plain_values(FORMAT_BF16, 2, own.data, cols, out); break;
    case FORMAT_FP8: plain_values(FORMAT_FP8, 1, own.data, cols, out); break;
    default: // Q6_K
        for (int k = 0; k < cols; k += 256) {
            q6_k_values(own.data + k / 256 * 210, out + k);
        }
    }
    for (int k = 0; own.scales && k < cols; k += w->block_cols) {
        float scale = scale_at(w, own, k / w->block_cols);
        for (int i = k; i < least(cols, k + w->block_cols); i++) {
            out[i] *= scale;
        }
    }
}

#endif
