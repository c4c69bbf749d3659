// Stored blocks of 32 columns, plainly: what every level without a faster decoder of its own uses. Loops are written so
// that compilers turn them into the vectors of the level that includes them.
#ifndef MILLRACE_BLOCKS_H
#define MILLRACE_BLOCKS_H

#include "millrace.h"
#include <math.h>
#include <string.h>
#if defined(__F16C__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

#define BLOCK 32
#define PACKED_BLOCK (BLOCK + 8) // codes of x, scale, sum of the codes

// value = scale * (code - code_offset(format)) - minimum
struct affine {
    float scale, minimum;
};

// What to take off the codes 0 to 255 of a format: exactly, in whole numbers, before anything is rounded.
static inline int code_offset(int format) {
    return format == FORMAT_Q8_0 ? 128 : format == FORMAT_Q4_0 ? 8 : format == FORMAT_Q4_K ? 0 : 12;
}

static inline int least(int a, int b) { return a < b ? a : b; }

static inline int blocks_of(int cols) { return (cols + BLOCK - 1) / BLOCK; }

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
#if defined(__aarch64__)
    __fp16 h;
    memcpy(&h, p, 2);
    return h;
#else
    uint16_t h;
    memcpy(&h, p, 2);
#if defined(__F16C__)
    return _cvtsh_ss(h);
#else
    uint32_t sign = (uint32_t) (h & 0x8000) << 16, e = h >> 10 & 31, m = h & 1023;
    if (e == 0) {
        float value = (float) m * 0x1p-24f;
        return sign ? -value : value;
    }
    return float_of_bits(sign | (e == 31 ? 0x7f800000u : (e + 112) << 23) | m << 13);
#endif
#endif
}

static inline float power_of_two(int e) {
    return e == 255 ? NAN : float_of_bits(e > 0 ? (uint32_t) e << 23 : 0x00400000u);
}

static inline float block_scale(const struct matrix *w, int row, int col) {
    int per_row = (w->cols + w->block_cols - 1) / w->block_cols;
    int64_t at = (int64_t) (row / w->block_rows) * per_row + col / w->block_cols;
    float value;
    if (!w->scale_is_float) {
        return power_of_two(w->scales[at]);
    }
    memcpy(&value, w->scales + 4 * at, 4);
    return value;
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

INLINE bytes16 load16(const uint8_t *p) {
    bytes16 v;
    memcpy(&v, p, 16);
    return v;
}

INLINE void store32(uint8_t *codes, bytes16 low, bytes16 high) {
    memcpy(codes, &low, 16);
    memcpy(codes + 16, &high, 16);
}

// Twice the E2M1 values of sixteen nibbles, plus 12.
INLINE bytes16 e2m1_codes(bytes16 q) {
    bytes16 m = q & 7, negative = (bytes16) (q > 7);
    bytes16 twice = m - (bytes16) (m > 4) - (bytes16) (m > 5) + ((bytes16) (m > 6) & 3);
    return ((twice ^ negative) - negative) + 12;
}

static inline void q4_k_scales(const uint8_t *s, int sub, int *scale, int *minimum) {
    *scale = sub < 4 ? s[sub] & 63 : (s[sub + 4] & 15) | (s[sub - 4] >> 6) << 4;
    *minimum = sub < 4 ? s[sub + 4] & 63 : s[sub + 4] >> 4 | (s[sub] >> 6) << 4;
}

// Block `b` of a row as codes 0 to 255 and what they mean; formats with one scale per 32 columns only.
INLINE struct affine block_codes(int format, const struct matrix *w, int row, int b, uint8_t *codes) {
    const uint8_t *p = w->data + (int64_t) row * w->row_bytes;
    switch (format) {
    case FORMAT_Q8_0: {
        const uint8_t *block = p + 34 * b;
        store32(codes, load16(block + 2) ^ 128, load16(block + 18) ^ 128);
        return (struct affine) {float_of_half(block), 0};
    }
    case FORMAT_Q4_0: {
        bytes16 q = load16(p + 18 * b + 2);
        store32(codes, q & 15, q >> 4);
        return (struct affine) {float_of_half(p + 18 * b), 0};
    }
    case FORMAT_MXFP4: {
        bytes16 q = load16(p + 17 * b + 1);
        store32(codes, e2m1_codes(q & 15), e2m1_codes(q >> 4));
        return (struct affine) {power_of_two(p[17 * b]) / 2, 0};
    }
    case FORMAT_FP4: {
        uint8_t pairs[16] = {0};
        memcpy(pairs, p + 16 * b, (size_t) least(16, (w->cols - b * BLOCK + 1) / 2));
        for (int i = 0; i < 16; i++) {
            codes[2 * i] = pairs[i] & 15;
            codes[2 * i + 1] = pairs[i] >> 4;
        }
        store32(codes, e2m1_codes(load16(codes)), e2m1_codes(load16(codes + 16)));
        return (struct affine) {block_scale(w, row, b * BLOCK) / 2, 0};
    }
    default: { // Q4_K
        const uint8_t *block = p + b / 8 * 144, *q = block + 16 + b % 8 / 2 * 32;
        int scale, minimum;
        q4_k_scales(block + 4, b % 8, &scale, &minimum);
        if (b & 1) {
            store32(codes, load16(q) >> 4, load16(q + 16) >> 4);
        } else {
            store32(codes, load16(q) & 15, load16(q + 16) & 15);
        }
        return (struct affine) {float_of_half(block) * (float) scale, float_of_half(block + 2) * (float) minimum};
    }
    }
}

static inline float fp8_value(uint8_t code) {
    uint32_t e = code >> 3 & 15, m = code & 7;
    float small = (float) (int) m * 0x1p-9f, normal = float_of_bits((e + 120) << 23 | m << 20);
    float value = (code & 127) == 127 ? NAN : e ? normal : small;
    return code & 128 ? -value : value;
}

static inline void q6_k_values(const uint8_t *block, float *out) {
    float d = float_of_half(block + 208);
    for (int i = 0; i < 256; i += 16) {
        int side = i / 128, part = i % 128 / 32, l = i % 32;
        const uint8_t *low = block + side * 64 + (part & 1) * 32 + l, *high = block + 128 + side * 32 + l;
        float scale = d * (float) (int8_t) block[192 + i / 16];
        for (int j = 0; j < 16; j++) {
            int code = (part >= 2 ? low[j] >> 4 : low[j] & 15) | (high[j] >> 2 * part & 3) << 4;
            out[i + j] = scale * (float) (code - 32);
        }
    }
}

// A row as floats; formats without codes of 32 columns only.
static inline void row_values(const struct matrix *w, int row, float *restrict out) {
    const uint8_t *restrict p = w->data + (int64_t) row * w->row_bytes;
    int cols = w->cols;
    switch (w->format) {
    case FORMAT_F32:
        memcpy(out, p, 4 * (size_t) cols);
        break;
    case FORMAT_F16:
        for (int k = 0; k < cols; k++) {
            out[k] = float_of_half(p + 2 * k);
        }
        break;
    case FORMAT_BF16:
        for (int k = 0; k < cols; k++) {
            out[k] = float_of_bits((uint32_t) (p[2 * k] | p[2 * k + 1] << 8) << 16);
        }
        break;
    case FORMAT_FP8:
        for (int k = 0; k < cols; k++) {
            out[k] = fp8_value(p[k]);
        }
        break;
    default: // Q6_K
        for (int k = 0; k < cols; k += 256) {
            q6_k_values(p + k / 256 * 210, out + k);
        }
    }
    for (int k = 0; w->scales && k < cols; k += w->block_cols) {
        float scale = block_scale(w, row, k);
        for (int i = k; i < least(cols, k + w->block_cols); i++) {
            out[i] *= scale;
        }
    }
}

#endif
