// Stored blocks of 32 columns, plainly: what every level without a faster decoder of its own uses.
#ifndef MILLRACE_BLOCKS_H
#define MILLRACE_BLOCKS_H

#include "millrace.h"
#include <math.h>
#include <string.h>

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

static inline float float_of_half(const uint8_t *p) {
    uint16_t h;
    memcpy(&h, p, 2);
    uint32_t sign = (uint32_t) (h & 0x8000) << 16, e = h >> 10 & 31, m = h & 1023;
    if (e == 0) {
        float value = (float) m * 0x1p-24f;
        return sign ? -value : value;
    }
    return float_of_bits(sign | (e == 31 ? 0x7f800000u : (e + 112) << 23) | m << 13);
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

// Twice the E2M1 values, plus 12.
static const uint8_t E2M1_CODES[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

static inline void split_nibbles(const uint8_t *q, uint8_t *codes) {
    for (int i = 0; i < 16; i++) {
        codes[i] = q[i] & 15;
        codes[16 + i] = q[i] >> 4;
    }
}

static inline void q4_k_scales(const uint8_t *s, int sub, int *scale, int *minimum) {
    *scale = sub < 4 ? s[sub] & 63 : (s[sub + 4] & 15) | (s[sub - 4] >> 6) << 4;
    *minimum = sub < 4 ? s[sub + 4] & 63 : s[sub + 4] >> 4 | (s[sub] >> 6) << 4;
}

// Block `b` of a row as codes 0 to 255 and what they mean; formats with one scale per 32 columns only.
static inline struct affine block_codes(const struct matrix *w, int row, int b, uint8_t *codes) {
    const uint8_t *p = w->data + (int64_t) row * w->row_bytes;
    switch (w->format) {
    case FORMAT_Q8_0: {
        const uint8_t *block = p + 34 * b;
        float d = float_of_half(block);
        for (int i = 0; i < BLOCK; i++) {
            codes[i] = block[2 + i] ^ 128;
        }
        return (struct affine) {d, 0};
    }
    case FORMAT_Q4_0: {
        float d = float_of_half(p + 18 * b);
        split_nibbles(p + 18 * b + 2, codes);
        return (struct affine) {d, 0};
    }
    case FORMAT_MXFP4: {
        float d = power_of_two(p[17 * b]) / 2;
        split_nibbles(p + 17 * b + 1, codes);
        for (int i = 0; i < BLOCK; i++) {
            codes[i] = E2M1_CODES[codes[i]];
        }
        return (struct affine) {d, 0};
    }
    case FORMAT_FP4: {
        float d = block_scale(w, row, b * BLOCK) / 2;
        int count = w->cols - b * BLOCK < BLOCK ? w->cols - b * BLOCK : BLOCK;
        for (int i = 0; i < BLOCK; i++) {
            uint8_t pair = i < count ? p[16 * b + i / 2] : 0;
            codes[i] = E2M1_CODES[i & 1 ? pair >> 4 : pair & 15];
        }
        return (struct affine) {d, 0};
    }
    default: { // Q4_K
        const uint8_t *block = p + b / 8 * 144;
        int sub = b % 8, scale, minimum;
        q4_k_scales(block + 4, sub, &scale, &minimum);
        for (int i = 0; i < BLOCK; i++) {
            uint8_t q = block[16 + sub / 2 * 32 + i];
            codes[i] = sub & 1 ? q >> 4 : q & 15;
        }
        return (struct affine) {float_of_half(block) * (float) scale, float_of_half(block + 2) * (float) minimum};
    }
    }
}

static inline float fp8_value(uint8_t code) {
    int e = code >> 3 & 15, m = code & 7;
    float value = (code & 127) == 127 ? NAN
                  : e ? float_of_bits((uint32_t) (e + 120) << 23 | (uint32_t) m << 20)
                      : (float) m * 0x1p-9f;
    return code & 128 ? -value : value;
}

static inline void q6_k_values(const uint8_t *block, float *out) {
    float d = float_of_half(block + 208);
    for (int i = 0; i < 256; i++) {
        int side = i / 128, part = i % 128 / 32, l = i % 32;
        int low = block[side * 64 + (part & 1) * 32 + l], high = block[128 + side * 32 + l];
        int code = (part >= 2 ? low >> 4 : low & 15) | (high >> 2 * part & 3) << 4;
        int8_t scale = (int8_t) block[192 + side * 8 + part * 2 + l / 16];
        out[i] = d * scale * (float) (code - 32);
    }
}

// A row as floats.
static inline void row_values(const struct matrix *w, int row, float *out) {
    const uint8_t *p = w->data + (int64_t) row * w->row_bytes;
    for (int k = 0; k < w->cols; k++) {
        uint32_t word = 0;
        switch (w->format) {
        case FORMAT_F32:
            memcpy(out + k, p + 4 * (int64_t) k, 4);
            break;
        case FORMAT_F16:
            out[k] = float_of_half(p + 2 * k);
            break;
        case FORMAT_BF16:
            memcpy(&word, p + 2 * k, 2);
            out[k] = float_of_bits(word << 16);
            break;
        case FORMAT_FP8:
            out[k] = fp8_value(p[k]);
            break;
        case FORMAT_FP4:
            out[k] = ((float) E2M1_CODES[k & 1 ? p[k / 2] >> 4 : p[k / 2] & 15] - 12) / 2;
            break;
        case FORMAT_Q6_K:
            if (k % 256 == 0) {
                q6_k_values(p + k / 256 * 210, out + k);
            }
            break;
        default:
            if (k % BLOCK == 0) {
                uint8_t codes[BLOCK];
                struct affine a = block_codes(w, row, k / BLOCK, codes);
                for (int i = 0; i < BLOCK; i++) {
                    out[k + i] = a.scale * (float) (codes[i] - code_offset(w->format)) - a.minimum;
                }
            }
        }
    }
    if (w->scales) {
        for (int k = 0; k < w->cols; k++) {
            out[k] *= block_scale(w, row, k);
        }
    }
}

#endif
