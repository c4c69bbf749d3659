// Products in int8 with AVX-512 VNNI. Sixteen rows of w are decoded side by side, a lane each: multiplied as they are decoded
// by a few rows of x, by many when they are kept in a panel.
#include "avx512.h"
#include "blocks.h"
#include "q4_k.h"

#define LANES 16
#define FEW 4 // rows of x that are not worth a panel of w
#define PANEL_STEP (LANES * BLOCK + 2 * 4 * LANES) // codes, scales, minima of 32 columns

static int64_t row_bytes(int cols) { return (int64_t) blocks_of(cols) * PACKED_BLOCK; }

// ---- x ----

// A row is its codes, then a scale per block, then the sum of each block's codes.
static void pack_row(const float *x, int cols, uint8_t *out) {
    int blocks = blocks_of(cols);
    float *scales = (float *) (out + blocks * BLOCK);
    int32_t *sums = (int32_t *) (scales + blocks);
    for (int b = 0; b < blocks; b++) {
        int left = cols - b * BLOCK;
        __mmask16 low = left >= 16 ? 0xffff : (__mmask16) ((1u << left) - 1);
        __mmask16 high = left >= 32 ? 0xffff : left > 16 ? (__mmask16) ((1u << (left - 16)) - 1) : 0;
        __m512 p = _mm512_maskz_loadu_ps(low, x + b * BLOCK), q = _mm512_maskz_loadu_ps(high, x + b * BLOCK + 16);
        // as whole numbers, since the largest of floats passes over what is not a number
        __m512i magnitudes = _mm512_max_epi32(_mm512_castps_si512(_mm512_abs_ps(p)), _mm512_castps_si512(_mm512_abs_ps(q)));
        float largest = float_of_bits((uint32_t) _mm512_reduce_max_epi32(magnitudes));
        float scale = largest / 127, inverse = largest > 0 ? 127 / largest : 0;
        __m512i pi = _mm512_cvtps_epi32(_mm512_mul_ps(p, _mm512_set1_ps(inverse)));
        __m512i qi = _mm512_cvtps_epi32(_mm512_mul_ps(q, _mm512_set1_ps(inverse)));
        _mm_storeu_si128((__m128i *) (out + b * BLOCK), _mm512_cvtepi32_epi8(pi));
        _mm_storeu_si128((__m128i *) (out + b * BLOCK + 16), _mm512_cvtepi32_epi8(qi));
        scales[b] = scale;
        sums[b] = _mm512_reduce_add_epi32(_mm512_add_epi32(pi, qi));
    }
}

void avx512_pack_int8(const float *x, int64_t stride, int32_t rows, int32_t cols, int32_t group, int32_t groups,
                      uint8_t *packed) {
    for (int r = group * 16; r < least((group + groups) * 16, rows); r++) {
        pack_row(x + r * stride, cols, packed + r * row_bytes(cols));
    }
}

// ---- w ----

// Sixteen rows of w side by side. Rows from `count` on repeat the last: nobody reads their sums.
struct strip {
    const struct matrix *w;
    const uint8_t *rows[LANES], *scales[LANES];
    int ahead, share; // where the strip behind begins, and what a step asks of it, in bytes
    uint16_t picked[2][LANES] __attribute__((aligned(64))); // of this step and the next
    __m512i heads[4]; // of Q4_K: scales and minima of the 256 columns under way
};

// 32 columns of a strip: codes [group of 4 columns][lane][4], and of each lane a scale and a minimum.
struct step {
    __m512i codes[BLOCK / 4];
    __m512 scale, minimum;
};

static void open_strip(struct strip *s, const struct matrix *w, int first, int count) {
    s->w = w;
    for (int i = 0; i < LANES; i++) {
        struct row row = row_of(w, first + least(i, count - 1));
        s->rows[i] = row.data;
        s->scales[i] = row.scales;
    }
    s->ahead = LANES * w->row_bytes;
    s->share = s->ahead / blocks_of(w->cols);
    for (int i = 0; i < 4; i++) { // the compiler does not see that the first columns fill it
        s->heads[i] = _mm512_setzero_si512();
    }
}

// The strip behind is asked for in time, a share with every step.
#define ASK_FOR(s, b, cache)                                                                                           \
    for (int at = 0; at < (s)->share; at += 64) {                                                                      \
        _mm_prefetch((const char *) (s)->rows[0] + (s)->ahead + (int64_t) (b) * (s)->share + at, cache);               \
    }

INLINE __m512i four_rows(const uint8_t *const rows[LANES], int first, int64_t at) {
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *) (rows[first] + at)));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *) (rows[first + 4] + at)), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *) (rows[first + 8] + at)), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *) (rows[first + 12] + at)), 3);
}

// 16 bytes of each row, `at` bytes into it, as [32-bit word][row].
INLINE void words_of(const uint8_t *const rows[LANES], int64_t at, __m512i words[4]) {
    __m512i r[4];
    for (int i = 0; i < 4; i++) {
        r[i] = four_rows(rows, i, at);
    }
    __m512i a = _mm512_unpacklo_epi32(r[0], r[1]), b = _mm512_unpackhi_epi32(r[0], r[1]);
    __m512i c = _mm512_unpacklo_epi32(r[2], r[3]), d = _mm512_unpackhi_epi32(r[2], r[3]);
    words[0] = _mm512_unpacklo_epi64(a, c);
    words[1] = _mm512_unpackhi_epi64(a, c);
    words[2] = _mm512_unpacklo_epi64(b, d);
    words[3] = _mm512_unpackhi_epi64(b, d);
}

// Picks a number of each row, a step before it is wanted: what has just been stored piece by piece cannot yet be loaded as
// one.
INLINE void pick(struct strip *s, const uint8_t *const rows[LANES], int bytes, int64_t at, int b) {
    for (int i = 0; i < LANES; i++) {
        uint16_t picked = 0;
        memcpy(&picked, rows[i] + at, (size_t) bytes);
        __asm__("" : "+r"(picked)); // not by vectors
        s->picked[b & 1][i] = picked;
    }
}

// A number of each row that stands in step b at `stride` b / `every`.
INLINE __m256i picked_at(struct strip *s, const uint8_t *const rows[LANES], int bytes, int stride, int every, int b) {
    if (b == 0) {
        pick(s, rows, bytes, 0, 0);
    }
    if (b + 1 < blocks_of(s->w->cols)) {
        pick(s, rows, bytes, (int64_t) ((b + 1) / every) * stride, b + 1);
    }
    return _mm256_load_si256((const __m256i *) s->picked[b & 1]);
}

// Half of power_of_two of each.
INLINE __m512 half_powers_of_two(__m256i exponents) {
    __m512i e = _mm512_cvtepu16_epi32(exponents), one = _mm512_set1_epi32(1);
    __mmask16 ends = _mm512_cmpge_epu32_mask(_mm512_sub_epi32(e, one), _mm512_set1_epi32(254));
    __m512i shifted = _mm512_slli_epi32(e, 23);
    shifted = _mm512_mask_or_epi32(shifted, ends, shifted, _mm512_set1_epi32(1 << 22));
    return _mm512_mul_ps(_mm512_castsi512_ps(shifted), _mm512_set1_ps(.5f));
}

// FP4 block by block: with scales in float, or with a block that is not full.
INLINE void plain_fp4_step(const struct strip *s, int b, struct step *out) {
    uint8_t codes[LANES][BLOCK] __attribute__((aligned(64)));
    const uint8_t *rows[LANES];
    float scales[LANES] __attribute__((aligned(64)));
    for (int i = 0; i < LANES; i++) {
        struct row row = {s->rows[i], s->scales[i]};
        scales[i] = block_codes(FORMAT_FP4, s->w, row, b, (bytes16 *) codes[i]).scale;
        rows[i] = codes[i];
    }
    words_of(rows, 0, out->codes);
    words_of(rows, 16, out->codes + 4);
    out->scale = _mm512_load_ps(scales);
}

INLINE void look_up_e2m1(__m512i codes[BLOCK / 4]) {
    __m512i values = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *) E2M1_CODES));
    for (int i = 0; i < BLOCK / 4; i++) {
        codes[i] = _mm512_shuffle_epi8(values, codes[i]);
    }
}

// All low nibbles, then all high ones.
INLINE void nibbles_in_halves(__m512i codes[BLOCK / 4]) {
    const __m512i fifteen = _mm512_set1_epi8(15);
    for (int i = 0; i < 4; i++) {
        codes[i + 4] = _mm512_and_si512(_mm512_srli_epi16(codes[i], 4), fifteen);
        codes[i] = _mm512_and_si512(codes[i], fifteen);
    }
}

// Each byte's low nibble before its high one.
INLINE void nibbles_in_pairs(const __m512i words[4], __m512i codes[BLOCK / 4]) {
    const __m512i fifteen = _mm512_set1_epi8(15);
    const __m512i first = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 0, 1, 1, 4, 4, 5, 5, 8, 8, 9, 9, 12, 12, 13, 13));
    const __m512i second = _mm512_add_epi8(first, _mm512_set1_epi8(2));
    for (int i = 0; i < 4; i++) {
        __m512i both[2] = {_mm512_shuffle_epi8(words[i], first), _mm512_shuffle_epi8(words[i], second)};
        for (int j = 0; j < 2; j++) {
            __m512i high = _mm512_srli_epi16(both[j], 4);
            codes[2 * i + j] = _mm512_and_si512(_mm512_mask_mov_epi8(both[j], 0xaaaaaaaaaaaaaaaa, high), fifteen);
        }
    }
}

INLINE void q4_k_step(struct strip *s, int b, struct step *out) {
    int64_t block = (int64_t) (b / 8) * 144, codes = block + 16 + b % 8 / 2 * 32;
    if (b % 8 == 0) {
        words_of(s->rows, block, s->heads);
    }
    words_of(s->rows, codes, out->codes);
    words_of(s->rows, codes + 16, out->codes + 4);
    __m128i shift = _mm_cvtsi32_si128(b % 2 * 4);
    for (int i = 0; i < BLOCK / 4; i++) {
        out->codes[i] = _mm512_and_si512(_mm512_srl_epi16(out->codes[i], shift), _mm512_set1_epi8(15));
    }
    q4_k_scales_of(s->heads, b % 8, &out->scale, &out->minimum);
}

INLINE void decode_step(int format, struct strip *s, int b, struct step *out) {
    switch (format) {
    case FORMAT_Q8_0:
        words_of(s->rows, 34 * b + 2, out->codes);
        words_of(s->rows, 34 * b + 18, out->codes + 4);
        for (int i = 0; i < BLOCK / 4; i++) {
            out->codes[i] = _mm512_xor_si512(out->codes[i], _mm512_set1_epi8((char) 128));
        }
        out->scale = _mm512_cvtph_ps(picked_at(s, s->rows, 2, 34, 1, b));
        break;
    case FORMAT_Q4_0:
        words_of(s->rows, 18 * b + 2, out->codes);
        nibbles_in_halves(out->codes);
        out->scale = _mm512_cvtph_ps(picked_at(s, s->rows, 2, 18, 1, b));
        break;
    case FORMAT_MXFP4:
        words_of(s->rows, 17 * b + 1, out->codes);
        nibbles_in_halves(out->codes);
        look_up_e2m1(out->codes);
        out->scale = half_powers_of_two(picked_at(s, s->rows, 1, 17, 1, b));
        break;
    case FORMAT_FP4: {
        if (s->w->scale_is_float || s->w->cols % BLOCK != 0) {
            plain_fp4_step(s, b, out);
            break;
        }
        __m512i words[4];
        words_of(s->rows, 16 * b, words);
        nibbles_in_pairs(words, out->codes);
        look_up_e2m1(out->codes);
        out->scale = half_powers_of_two(picked_at(s, s->scales, 1, 1, s->w->block_cols / BLOCK, b));
        break;
    }
    default:
        q4_k_step(s, b, out);
    }
}

// ---- products ----

// Of a packed row.
INLINE const float *scales_of(const uint8_t *x, int blocks) { return (const float *) (x + blocks * BLOCK); }

INLINE const int32_t *sums_of(const uint8_t *x, int blocks) { return (const int32_t *) (x + blocks * (BLOCK + 4)); }

INLINE __m512i begin(int format, const uint8_t *x, int blocks, int b) {
    return _mm512_set1_epi32(-code_offset(format) * sums_of(x, blocks)[b]);
}

INLINE __m512i dot(__m512i sums, __m512i codes, const uint8_t *x, int b, int k) {
    int32_t four;
    memcpy(&four, x + b * BLOCK + 4 * k, 4);
    return _mm512_dpbusd_epi32(sums, codes, _mm512_set1_epi32(four));
}

INLINE __m512 add_block(int format, __m512 total, __m512i sums, __m512 scale, __m512 minimum, const uint8_t *x, int blocks,
                        int b) {
    float x_scale = scales_of(x, blocks)[b];
    total = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale), _mm512_set1_ps(x_scale), total);
    if (format == FORMAT_Q4_K) {
        total = _mm512_fnmadd_ps(minimum, _mm512_set1_ps(x_scale * (float) sums_of(x, blocks)[b]), total);
    }
    return total;
}

// A strip times a few rows of x, each step as it is decoded.
INLINE void few(int format, const uint8_t *x, int64_t x_row, int rows, struct strip *s, __mmask16 valid, float *y,
                int64_t stride) {
    int blocks = blocks_of(s->w->cols);
    __m512 totals[FEW];
    for (int r = 0; r < rows; r++) {
        totals[r] = _mm512_setzero_ps();
    }
    for (int b = 0; b < blocks; b++) {
        struct step step;
        ASK_FOR(s, b, _MM_HINT_T0)
        decode_step(format, s, b, &step);
        for (int r = 0; r < rows; r++) {
            const uint8_t *row = x + r * x_row;
            __m512i sums = begin(format, row, blocks, b);
#pragma GCC unroll 8
            for (int k = 0; k < BLOCK / 4; k++) {
                sums = dot(sums, step.codes[k], row, b, k);
            }
            totals[r] = add_block(format, totals[r], sums, step.scale, step.minimum, row, blocks, b);
        }
    }
    for (int r = 0; r < rows; r++) {
        _mm512_mask_storeu_ps(y + r * stride, valid, totals[r]);
    }
}

INLINE void decode_panel(int format, struct strip *s, uint8_t *panel) {
    int blocks = blocks_of(s->w->cols);
    for (int b = 0; b < blocks; b++, panel += PANEL_STEP) {
        struct step step;
        ASK_FOR(s, b, _MM_HINT_T1) // the nearest cache is full of panels
        decode_step(format, s, b, &step);
        for (int k = 0; k < BLOCK / 4; k++) {
            _mm512_storeu_si512(panel + 64 * k, step.codes[k]);
        }
        _mm512_storeu_ps(panel + LANES * BLOCK, step.scale);
        if (format == FORMAT_Q4_K) {
            _mm512_storeu_ps(panel + LANES * BLOCK + 64, step.minimum);
        }
    }
}

// Panels, `panel_bytes` apart, times rows of x.
INLINE void tile_int8(int format, const uint8_t *x, int64_t x_row, int rows, int panels, const uint8_t *panel,
                      int64_t panel_bytes, int blocks, const __mmask16 valid[2], float *y, int64_t stride) {
    __m512 totals[4][2];
    for (int r = 0; r < rows; r++) {
        for (int p = 0; p < panels; p++) {
            totals[r][p] = _mm512_setzero_ps();
        }
    }
    for (int b = 0; b < blocks; b++) {
        const uint8_t *step = panel + (int64_t) b * PANEL_STEP;
        _mm_prefetch((const char *) (step + 2 * PANEL_STEP), _MM_HINT_T0);
        __m512i sums[4][2];
        for (int r = 0; r < rows; r++) {
            for (int p = 0; p < panels; p++) {
                sums[r][p] = begin(format, x + r * x_row, blocks, b);
            }
        }
#pragma GCC unroll 8
        for (int k = 0; k < BLOCK / 4; k++) {
            __m512i codes[2];
            for (int p = 0; p < panels; p++) {
                codes[p] = _mm512_loadu_si512(step + p * panel_bytes + 64 * k);
            }
            for (int r = 0; r < rows; r++) {
                for (int p = 0; p < panels; p++) {
                    sums[r][p] = dot(sums[r][p], codes[p], x + r * x_row, b, k);
                }
            }
        }
        for (int p = 0; p < panels; p++) {
            const uint8_t *scales = step + p * panel_bytes + LANES * BLOCK;
            __m512 scale = _mm512_loadu_ps(scales);
            __m512 minimum = format == FORMAT_Q4_K ? _mm512_loadu_ps(scales + 64) : _mm512_setzero_ps();
            for (int r = 0; r < rows; r++) {
                totals[r][p] = add_block(format, totals[r][p], sums[r][p], scale, minimum, x + r * x_row, blocks, b);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int p = 0; p < panels; p++) {
            _mm512_mask_storeu_ps(y + r * stride + p * LANES, valid[p], totals[r][p]);
        }
    }
}

INLINE void many(int format, const uint8_t *x, int64_t x_row, int rows, const struct matrix *w, int first, int count,
                 float *y, int64_t stride, uint8_t *scratch) {
    int blocks = blocks_of(w->cols), panels = count > LANES ? 2 : 1;
    int64_t panel_bytes = (int64_t) blocks * PANEL_STEP;
    __mmask16 valid[2];
    for (int p = 0; p < panels; p++) {
        struct strip s;
        int lanes = least(LANES, count - p * LANES);
        valid[p] = (__mmask16) ((1u << lanes) - 1);
        open_strip(&s, w, first + p * LANES, lanes);
        decode_panel(format, &s, scratch + p * panel_bytes);
    }
    int r = 0;
#define ROWS(most)                                                                                                     \
    for (; r + (most) <= rows; r += (most)) {                                                                          \
        if (panels == 2) {                                                                                             \
            tile_int8(format, x + r * x_row, x_row, most, 2, scratch, panel_bytes, blocks, valid, y + r * stride, stride); \
        } else {                                                                                                       \
            tile_int8(format, x + r * x_row, x_row, most, 1, scratch, panel_bytes, blocks, valid, y + r * stride, stride); \
        }                                                                                                              \
    }
    ROWS(4)
    ROWS(2)
    ROWS(1)
#undef ROWS
}

INLINE void product_int8(int format, const uint8_t *x, int rows, const struct matrix *w, int first, int count, float *y,
                         int64_t stride, uint8_t *scratch) {
    int64_t x_row = row_bytes(w->cols);
    if (rows > FEW) {
        for (int at = 0; at < count; at += 2 * LANES) {
            many(format, x, x_row, rows, w, first + at, least(2 * LANES, count - at), y + at, stride, scratch);
        }
        return;
    }
    for (int at = 0; at < count; at += LANES) {
        struct strip s;
        int lanes = least(LANES, count - at);
        __mmask16 valid = (__mmask16) ((1u << lanes) - 1);
        open_strip(&s, w, first + at, lanes);
        switch (rows) {
        case 1: few(format, x, x_row, 1, &s, valid, y + at, stride); break;
        case 2: few(format, x, x_row, 2, &s, valid, y + at, stride); break;
        case 3: few(format, x, x_row, 3, &s, valid, y + at, stride); break;
        default: few(format, x, x_row, 4, &s, valid, y + at, stride); break;
        }
    }
}

void avx512_product_int8(const uint8_t *packed, int32_t rows, const struct matrix *w, int32_t first, int32_t count,
                         float *y, int64_t stride, uint8_t *scratch) {
#define PRODUCT(format) product_int8(format, packed, rows, w, first, count, y, stride, scratch)
    FOR_INT8_FORMAT(w->format, PRODUCT)
}
