// Products in bfloat16 on AMX tiles. A tile holds 16 rows of w, decoded, 32 columns at a time; x is packed so that a
// tile holds the same 32 columns of 16 rows. So w needs no transposing, and the result tile is [w row][x row].
#include "amx.h"
#include "blocks.h"
#include "q4_k.h"
#include "tables.h"
#include "tiles.h"
#include "transpose.h"

#define ROWS TILE_ROWS
#define COLS TILE_COLS
#define TILE_WORDS 512
#define PAIR (2 * ROWS)

// How decoding and multiplying take turns where a tile of w is used once. A tile can be loaded only when its stores have
// left the core, LAG steps later; and the multiplier and floating-point arithmetic do not run side by side, so that
// changing between them costs as much as several multiplications.
#define BURST 4
#define LAG 3
#define RING 8

// ---- packing x ----

// Bytes from one pair of columns to the next. A single tile that is not full lies close: fewer lines are then read with
// every step of w.
static int64_t x_row(int rows) { return 4 * least(rows, ROWS); }

void amx_pack(const float *x, int64_t stride, int32_t rows, int32_t cols, int32_t group, int32_t groups, uint8_t *packed) {
    int steps = blocks_of(cols);
    int64_t pair = x_row(rows);
    __mmask16 width = (__mmask16) ((1u << pair / 4) - 1);
    for (int g = group; g < group + groups; g++) {
        for (int k = 0; k < steps; k++) {
            __m512i r[16];
            uint8_t *tile = packed + ((int64_t) g * steps + k) * 16 * pair;
            if (rows == 1) {
                _mm512_storeu_si512(tile, bf16_of(x + k * COLS, cols - k * COLS));
                continue;
            }
            for (int i = 0; i < ROWS; i++) {
                int row = g * ROWS + i;
                r[i] = row < rows ? bf16_of(x + row * stride + k * COLS, cols - k * COLS) : _mm512_setzero_si512();
            }
            transpose16(r);
            for (int i = 0; i < ROWS; i++) {
                _mm512_mask_storeu_epi32(tile + i * pair, width, r[i]);
            }
        }
    }
}

// ---- decoding w: a step is 32 columns, a strip up to 16 rows ----

// A strip, and what is found out about it once.
struct strip {
    const struct matrix *w;
    const uint8_t *data; // of its first row
    int count;
    __mmask16 valid;
    __m512i offsets;     // of the rows, in bytes from the first one's
    int64_t scales[ROWS]; // of scales that lie apart: each row's first
    __m512i block[4];    // of K-quants: scales and minima of the 256 columns under way
    uint16_t halves[2][ROWS] __attribute__((aligned(64))); // of formats with a scale at the head of a block: of this step and the next
};

static void open_strip(struct strip *s, const struct matrix *w, int first, int count) {
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    s->w = w;
    s->data = w->data + (int64_t) first * w->row_bytes;
    s->count = count;
    s->valid = (__mmask16) ((1u << count) - 1);
    for (int i = 0; i < 4; i++) { // the compiler does not see that the first columns fill it
        s->block[i] = _mm512_setzero_si512();
    }
    s->offsets = _mm512_mullo_epi32(lane, _mm512_set1_epi32(w->row_bytes));
    int64_t per_row = w->scales ? (w->cols + w->block_cols - 1) / w->block_cols : 0;
    for (int i = 0; w->scales && i < count; i++) {
        s->scales[i] = (first + i) / w->block_rows * per_row;
    }
}

// Four bytes of every row, `at` bytes into it.
static inline __m512i words_at(const struct strip *s, int64_t at) {
    return _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), s->valid, s->offsets, s->data + at, 1);
}

// The scales at the heads of the blocks of step k. They are picked one by one, a step ahead, so that they lie in the cache
// together when they are wanted; a gathering load would take four times as long.
static inline __m512 heads_at(struct strip *s, int block, int steps, int k) {
    for (int next = k == 0 ? 0 : k + 1; next <= k + 1 && next < steps; next++) {
        const uint8_t *p = s->data + (int64_t) next * block;
        for (int i = 0; i < s->count; i++, p += s->w->row_bytes) {
            uint16_t half;
            memcpy(&half, p, 2);
            __asm__("" : "+r"(half)); // not by vectors
            s->halves[next & 1][i] = half;
        }
    }
    return _mm512_cvtph_ps(_mm256_load_si256((const __m256i *) s->halves[k & 1]));
}

static inline __m512i bf16_words(__m512 low, __m512 high) { return (__m512i) _mm512_cvtne2ps_pbh(high, low); }

// The values of the nibbles 0 to 15, twice: which half a look-up reads does not matter.
static inline __m512i nibble_values(float scale, float minimum) {
    __m512 codes = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512 values = _mm512_fmsub_ps(codes, _mm512_set1_ps(scale), _mm512_set1_ps(minimum));
    return bf16_words(values, values);
}

// The same less eight.
static inline __m512i signed_nibble_values(float scale) {
    __m512 codes = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
    __m512 values = _mm512_mul_ps(codes, _mm512_set1_ps(scale));
    return bf16_words(values, values);
}

// Words whose low four bits are the nibbles of 16 bytes: all low ones, then all high ones.
static inline __m512i nibbles_in_halves(__m128i bytes) {
    static const uint8_t places[64] __attribute__((aligned(64))) = {
        0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 0, 10, 0, 11, 0, 12, 0, 13, 0, 14, 0, 15, 0,
        0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 0, 10, 0, 11, 0, 12, 0, 13, 0, 14, 0, 15, 0};
    __m512i spread = _mm512_permutexvar_epi8(_mm512_load_si512(places), _mm512_broadcast_i32x4(bytes));
    return _mm512_srlv_epi16(spread, _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(4), 1));
}

// The same, each byte's low one before its high one.
static inline __m512i nibbles_in_pairs(__m128i bytes) {
    static const uint8_t places[64] __attribute__((aligned(64))) = {
        0, 0, 0, 0, 1, 0, 1, 0, 2,  0, 2,  0, 3,  0, 3,  0, 4,  0, 4,  0, 5,  0, 5,  0, 6,  0, 6,  0, 7,  0, 7,  0,
        8, 0, 8, 0, 9, 0, 9, 0, 10, 0, 10, 0, 11, 0, 11, 0, 12, 0, 12, 0, 13, 0, 13, 0, 14, 0, 14, 0, 15, 0, 15, 0};
    __m512i spread = _mm512_permutexvar_epi8(_mm512_load_si512(places), _mm512_broadcast_i32x4(bytes));
    return _mm512_srlv_epi16(spread, _mm512_set1_epi32(4 << 16));
}

// bfloat16 words times any scale.
static __m512i times(__m512i words, float scale) {
    __m512 low = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(words)), 16));
    __m512 high = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(words, 1)), 16));
    __m512 s = _mm512_set1_ps(scale);
    return bf16_words(_mm512_mul_ps(low, s), _mm512_mul_ps(high, s));
}

// E4M3 codes times 2^(e - 127): the exponent's bits are moved and counted on, but for subnormals and not-a-numbers.
static inline __m512i fp8_words(__m256i codes, int e) {
    if (__builtin_expect(e < 24 || e > 230, 0)) {
        return times(fp8_words(codes, 127), power_of_two(e));
    }
    __m512i wide = _mm512_cvtepu8_epi16(codes), all = _mm512_set1_epi16(0x7f0);
    __m512i magnitude = _mm512_and_si512(_mm512_slli_epi16(wide, 4), all);
    __m512i words = _mm512_add_epi16(magnitude, _mm512_set1_epi16((short) ((e - 7) * 128)));
    __m512i small = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *) fp8_subnormals[e]));
    words = _mm512_mask_permutexvar_epi16(words, _mm512_testn_epi16_mask(magnitude, _mm512_set1_epi16(0x780)), wide, small);
    words = _mm512_mask_mov_epi16(words, _mm512_cmpeq_epi16_mask(magnitude, all), _mm512_set1_epi16(0x7fc0));
    __m512i sign = _mm512_and_si512(_mm512_slli_epi16(wide, 8), _mm512_set1_epi16((short) 0x8000));
    return _mm512_or_si512(words, sign);
}

static inline __m512i e2m1_words(__m512i nibbles, int e) {
    __m512i values = _mm512_broadcast_i64x4(_mm256_load_si256((const __m256i *) e2m1_scaled[e]));
    return _mm512_permutexvar_epi16(nibbles, values);
}

static inline void q4_k_scales_at(struct strip *s, int64_t at, int sub, float *scales, float *minima) {
    if (sub == 0) {
        for (int i = 0; i < 4; i++) {
            s->block[i] = words_at(s, at + 4 * i);
        }
    }
    __m512 scale, minimum;
    q4_k_scales_of(s->block, sub, &scale, &minimum);
    _mm512_store_ps(scales, scale);
    _mm512_store_ps(minima, minimum);
}

// A block has a scale for each half of the step.
static inline void q6_k_scales_of(struct strip *s, int64_t at, int sub, float *first, float *second) {
    if (sub == 0) {
        s->block[0] = words_at(s, at + 206);
    }
    __m512 d = high_halves(s->block[0]);
    __m512i scales = words_at(s, at + 192 + 2 * sub);
    __m512i low = _mm512_srai_epi32(_mm512_slli_epi32(scales, 24), 24);
    __m512i high = _mm512_srai_epi32(_mm512_slli_epi32(scales, 16), 24);
    _mm512_store_ps(first, _mm512_mul_ps(d, _mm512_cvtepi32_ps(low)));
    _mm512_store_ps(second, _mm512_mul_ps(d, _mm512_cvtepi32_ps(high)));
}

// A byte in the middle of a float's fraction makes that float BYTE_BIAS and the byte's value: one multiply-add takes the
// bias off and scales. It is exact: the bias has 9 significant bits, a scale 11. Signed bytes are turned to unsigned ones.
#define BYTE_BIAS (0x1p15f + 128)

static inline __m512 biased_bytes(__m512i codes, __m512i places) {
    return _mm512_castsi512_ps(
        _mm512_mask_permutexvar_epi8(_mm512_set1_epi32(0x47000000), 0x2222222222222222, places, codes));
}

static inline __m512i q8_0_words(const uint8_t *p, float scale, float bias) {
    __m512i low = _mm512_setr_epi32(0, 0x100, 0x200, 0x300, 0x400, 0x500, 0x600, 0x700, 0x800, 0x900, 0xa00, 0xb00, 0xc00,
                                    0xd00, 0xe00, 0xf00);
    __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(0x1000));
    __m256i bytes = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *) p), _mm256_set1_epi8((char) 128));
    __m512i codes = _mm512_castsi256_si512(bytes);
    __m512 s = _mm512_set1_ps(scale), b = _mm512_set1_ps(bias);
    return bf16_words(_mm512_fmadd_ps(biased_bytes(codes, low), s, b), _mm512_fmadd_ps(biased_bytes(codes, high), s, b));
}

static inline __m512i q6_k_words(const uint8_t *block, int sub, float first, float second) {
    int part = sub & 3, side = sub >> 2;
    const uint8_t *low = block + side * 64 + (part & 1) * 32, *high = block + 128 + side * 32;
    __m256i a = _mm256_loadu_si256((const __m256i *) low), b = _mm256_loadu_si256((const __m256i *) high);
    a = _mm256_and_si256(part >= 2 ? _mm256_srli_epi16(a, 4) : a, _mm256_set1_epi8(15));
    b = _mm256_and_si256(_mm256_srl_epi16(b, _mm_cvtsi32_si128(2 * part)), _mm256_set1_epi8(3));
    __m256i codes = _mm256_sub_epi8(_mm256_or_si256(a, _mm256_slli_epi16(b, 4)), _mm256_set1_epi8(32));
    __m512 one = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_castsi256_si128(codes)));
    __m512 two = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_extracti128_si256(codes, 1)));
    return bf16_words(_mm512_mul_ps(one, _mm512_set1_ps(first)), _mm512_mul_ps(two, _mm512_set1_ps(second)));
}

static inline float float_scale(const struct strip *s, int row, int64_t at) {
    float scale;
    memcpy(&scale, s->w->scales + 4 * (s->scales[row] + at), 4);
    return scale;
}

// What a row's 32 columns need besides their codes: one or two numbers of formats with scales in half precision, or where
// the scale lies that applies to them.
struct step_scales {
    float a[ROWS], b[ROWS];
    int64_t apart;
} __attribute__((aligned(64)));

static inline void scales_of(int format, struct strip *s, int k, struct step_scales *out) {
    __m512 scale;
    switch (format) {
    case FORMAT_Q8_0:
        scale = heads_at(s, 34, blocks_of(s->w->cols), k);
        _mm512_store_ps(out->a, scale);
        _mm512_store_ps(out->b, _mm512_mul_ps(scale, _mm512_set1_ps(-BYTE_BIAS)));
        break;
    case FORMAT_Q4_0:
        _mm512_store_ps(out->a, heads_at(s, 18, blocks_of(s->w->cols), k));
        break;
    case FORMAT_Q4_K:
        q4_k_scales_at(s, k / 8 * 144, k % 8, out->a, out->b);
        break;
    case FORMAT_Q6_K:
        q6_k_scales_of(s, k / 8 * 210, k % 8, out->a, out->b);
        break;
    case FORMAT_MXFP4:
        break;
    default:
        out->apart = s->w->scales ? k * COLS / s->w->block_cols : 0;
    }
}

// Columns 32 k and on of row i, which begins at p; zeros beyond the last.
static inline __attribute__((always_inline)) __m512i decode(int format, const struct strip *s, const uint8_t *p, int i,
                                                            int k, const struct step_scales *scales) {
    const struct matrix *w = s->w;
    int left = w->cols - k * COLS;
    __mmask32 valid = left >= COLS ? 0xffffffffu : (1u << left) - 1;
    __m512i words;
    switch (format) {
    case FORMAT_Q8_0:
        return q8_0_words(p + 34 * k + 2, scales->a[i], scales->b[i]);
    case FORMAT_Q4_0:
        words = nibbles_in_halves(_mm_loadu_si128((const __m128i *) (p + 18 * k + 2)));
        return _mm512_permutexvar_epi16(words, signed_nibble_values(scales->a[i]));
    case FORMAT_MXFP4:
        return e2m1_words(nibbles_in_halves(_mm_loadu_si128((const __m128i *) (p + 17 * k + 1))), p[17 * k]);
    case FORMAT_Q4_K:
        words = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *) (p + k / 8 * 144 + 16 + k % 8 / 2 * 32)));
        words = _mm512_srl_epi16(words, _mm_cvtsi32_si128(k % 2 * 4));
        return _mm512_permutexvar_epi16(words, nibble_values(scales->a[i], scales->b[i]));
    case FORMAT_Q6_K:
        return q6_k_words(p + k / 8 * 210, k % 8, scales->a[i], scales->b[i]);
    }
    int is_float = w->scales && w->scale_is_float;
    int e = w->scales && !is_float ? w->scales[s->scales[i] + scales->apart] : 127;
    switch (format) {
    case FORMAT_FP8:
        words = fp8_words(_mm256_maskz_loadu_epi8(valid, p + 32 * k), e);
        break;
    case FORMAT_FP4: {
        __mmask16 bytes = left >= COLS ? 0xffff : (__mmask16) ((1u << (left + 1) / 2) - 1);
        words = e2m1_words(nibbles_in_pairs(_mm_maskz_loadu_epi8(bytes, p + 16 * k)), e);
        break;
    }
    default:
        words = _mm512_maskz_loadu_epi16(valid, p + 64 * k);
        words = e == 127 ? words : times(words, power_of_two(e));
    }
    return is_float ? times(words, float_scale(s, i, scales->apart)) : words;
}

static inline __attribute__((always_inline)) void decode_rows(int format, const struct strip *s, int count, int k,
                                                              const struct step_scales *scales, uint8_t *tile) {
    const uint8_t *p = s->data;
    int64_t row_bytes = s->w->row_bytes;
#pragma GCC unroll 4
    for (int i = 0; i < count; i++, p += row_bytes) {
        _mm512_store_si512(tile + 64 * i, decode(format, s, p, i, k, scales));
    }
}

// The strip at step k; rows from the strip's last on are zero.
static inline __attribute__((always_inline)) void tile_of(int format, struct strip *s, int k, uint8_t *tile) {
    struct step_scales scales;
    scales_of(format, s, k, &scales);
    // a number is spread over a register more cheaply as it is loaded than out of the register it comes from
    __asm__("" : "+m"(scales));
    int count = s->count;
    if (count == ROWS) {
        decode_rows(format, s, ROWS, k, &scales, tile);
        return;
    }
    decode_rows(format, s, count, k, &scales, tile);
    memset(tile + 64 * count, 0, 64 * (ROWS - count));
}

// Bytes of 32 columns, rounded up where a block has more.
static inline __attribute__((always_inline)) int block_bytes(int format) {
    switch (format) {
    case FORMAT_BF16: return 64;
    case FORMAT_FP8: return 32;
    case FORMAT_FP4: return 16;
    case FORMAT_MXFP4: return 17;
    case FORMAT_Q8_0: return 34;
    case FORMAT_Q6_K: return 27;
    default: return 18;
    }
}

// Asks for a share of the strip `rows` rows further on: it lies in one piece, and every step takes the next lines of it.
static inline __attribute__((always_inline)) void ask_for(int format, const struct strip *s, int rows, int k) {
    int64_t share = (int64_t) ROWS * block_bytes(format);
    const char *next = (const char *) (s->data + (int64_t) rows * s->w->row_bytes + k * share);
    for (int64_t at = 0; at < share; at += 64) {
        _mm_prefetch(next + at, _MM_HINT_T0);
    }
}

#define FOR_FORMAT(format, call)                                                                                       \
    switch (format) {                                                                                                  \
    case FORMAT_BF16: call(FORMAT_BF16); break;                                                                        \
    case FORMAT_FP8: call(FORMAT_FP8); break;                                                                          \
    case FORMAT_FP4: call(FORMAT_FP4); break;                                                                          \
    case FORMAT_MXFP4: call(FORMAT_MXFP4); break;                                                                      \
    case FORMAT_Q8_0: call(FORMAT_Q8_0); break;                                                                        \
    case FORMAT_Q4_0: call(FORMAT_Q4_0); break;                                                                        \
    case FORMAT_Q4_K: call(FORMAT_Q4_K); break;                                                                        \
    default: call(FORMAT_Q6_K); break;                                                                                 \
    }

static void decode_strip(const struct matrix *w, int first, int count, uint8_t *tiles) {
    int steps = blocks_of(w->cols);
    struct strip s = {0};
    open_strip(&s, w, first, count);
#define STRIP(format)                                                                                                  \
    for (int k = 0; k < steps; k++) {                                                                                  \
        ask_for(format, &s, ROWS, k);                                                                                  \
        tile_of(format, &s, k, tiles + (int64_t) k * TILE_BYTES);                                                      \
    }
    FOR_FORMAT(w->format, STRIP)
}

// ---- multiplying ----

// Tiles 0 and 6, a result and its x, are `x_rows` wide; all others are whole.
#define CONFIG(x_rows)                                                                                                 \
    {                                                                                                                  \
        .palette = 1, .row_bytes = {4 * (x_rows), 64, 64, 64, 64, 64, 4 * (x_rows), 64},                               \
        .rows = {16, 16, 16, 16, 16, 16, 16, 16}                                                                       \
    }
static const struct tile_config CONFIGS[ROWS] = {
    CONFIG(1), CONFIG(2),  CONFIG(3),  CONFIG(4),  CONFIG(5),  CONFIG(6),  CONFIG(7),  CONFIG(8),
    CONFIG(9), CONFIG(10), CONFIG(11), CONFIG(12), CONFIG(13), CONFIG(14), CONFIG(15), CONFIG(16)};

// Tile [w row][x row] to y [x row][w row].
static void store(const float *tile, int x_rows, int w_rows, float *y, int64_t stride) {
    __m512i r[16];
    for (int i = 0; i < 16; i++) {
        r[i] = _mm512_load_si512(tile + 16 * i);
    }
    transpose16(r);
    __mmask16 valid = (__mmask16) ((1u << w_rows) - 1);
    for (int i = 0; i < x_rows; i++) {
        _mm512_mask_storeu_ps(y + i * stride, valid, _mm512_castsi512_ps(r[i]));
    }
}

// Two tiles of w rows times two of x rows; the second of each may be absent.
static void block(const uint8_t *a, const uint8_t *b, int steps, int a_tiles, int b_tiles, float *out) {
    const uint8_t *a2 = a + (a_tiles > 1 ? (int64_t) steps * TILE_BYTES : 0);
    const uint8_t *b2 = b + (b_tiles > 1 ? (int64_t) steps * TILE_BYTES : 0);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    if (a_tiles > 1 && b_tiles > 1) {
        for (int k = 0; k < steps; k++) {
            _tile_loadd(4, a + (int64_t) k * TILE_BYTES, 64);
            _tile_loadd(6, b + (int64_t) k * TILE_BYTES, 64);
            _tile_loadd(5, a2 + (int64_t) k * TILE_BYTES, 64);
            _tile_loadd(7, b2 + (int64_t) k * TILE_BYTES, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 5, 6);
            _tile_dpbf16ps(2, 4, 7);
            _tile_dpbf16ps(3, 5, 7);
        }
    } else if (a_tiles > 1) {
        for (int k = 0; k < steps; k++) {
            _tile_loadd(4, a + (int64_t) k * TILE_BYTES, 64);
            _tile_loadd(6, b + (int64_t) k * TILE_BYTES, 64);
            _tile_loadd(5, a2 + (int64_t) k * TILE_BYTES, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 5, 6);
        }
    } else {
        for (int k = 0; k < steps; k++) {
            _tile_loadd(4, a + (int64_t) k * TILE_BYTES, 64);
            _tile_loadd(6, b + (int64_t) k * TILE_BYTES, 64);
            _tile_dpbf16ps(0, 4, 6);
            if (b_tiles > 1) {
                _tile_loadd(7, b2 + (int64_t) k * TILE_BYTES, 64);
                _tile_dpbf16ps(2, 4, 7);
            }
        }
    }
    _tile_stored(0, out, 64);
    _tile_stored(1, out + 256, 64);
    _tile_stored(2, out + 512, 64);
    _tile_stored(3, out + 768, 64);
}

static void put(const float *out, int x, int i, int b_tiles, int a_tiles, int rows, int count, float *y, int64_t stride) {
    for (int xi = 0; xi < b_tiles; xi++) {
        for (int wi = 0; wi < a_tiles; wi++) {
            int row = (x + xi) * ROWS, column = (i + wi) * ROWS;
            store(out + (2 * xi + wi) * 256, least(ROWS, rows - row), least(ROWS, count - column),
                  y + row * stride + column, stride);
        }
    }
}

// Strips times at most two tiles of x: how far the multiplications have come.
struct few {
    const uint8_t *x, *more_x; // the second tile, or null
    int64_t x_row;
    int rows, count, steps;
    float *y;
    int64_t stride;
    int column, k; // of the strip under way
};

// The results of a strip, in tiles 0 and 2, to y.
static void finish(const struct few *f) {
    float out[4 * 256] __attribute__((aligned(64)));
    if (f->rows == 1 && f->count - f->column >= ROWS) {
        _tile_stored(0, f->y + f->column, 4);
    } else {
        _tile_stored(0, out, 64);
        _tile_stored(2, out + 512, 64);
        put(out, 0, f->column / ROWS, f->more_x ? 2 : 1, 1, f->rows, f->count, f->y, f->stride);
    }
    _tile_zero(0);
    _tile_zero(2);
}

static inline void multiply(struct few *f, const uint8_t *tile) {
    _tile_loadd(4, tile, 64);
    _tile_loadd(6, f->x + 16 * f->x_row * f->k, f->x_row);
    _tile_dpbf16ps(0, 4, 6);
    if (f->more_x) {
        _tile_loadd(7, f->more_x + (int64_t) f->k * TILE_BYTES, 64);
        _tile_dpbf16ps(2, 4, 7);
    }
    if (++f->k == f->steps) {
        finish(f);
        f->column += ROWS;
        f->k = 0;
    }
}

// Each tile of w is multiplied soon after it is decoded, and kept nowhere.
static void few_rows(const uint8_t *packed, int rows, const struct matrix *w, int first, int count, float *y,
                     int64_t stride) {
    int steps = blocks_of(w->cols), total = (count + ROWS - 1) / ROWS * steps, done = 0;
    struct few f = {.x = packed, .x_row = x_row(rows), .rows = rows, .count = count, .steps = steps, .y = y, .stride = stride};
    struct strip s = {0};
    uint8_t tiles[RING][TILE_BYTES] __attribute__((aligned(64)));
    if (rows > ROWS) {
        f.more_x = packed + (int64_t) steps * TILE_BYTES;
    }
    _tile_zero(0);
    _tile_zero(2);
#define MULTIPLY(format)                                                                                               \
    for (int n = 0, k = 0, row = 0; n < total; n++) {                                                                  \
        if (k == 0) {                                                                                                  \
            open_strip(&s, w, first + row, least(ROWS, count - row));                                                  \
        }                                                                                                              \
        ask_for(format, &s, ROWS, k);                                                                                  \
        tile_of(format, &s, k, tiles[n % RING]);                                                                     \
        if (++k == steps) {                                                                                            \
            row += ROWS;                                                                                               \
            k = 0;                                                                                                     \
        }                                                                                                              \
        if (n - done == BURST + LAG) {                                                                                 \
            for (int end = done + BURST; done < end; done++) {                                                         \
                multiply(&f, tiles[done % RING]);                                                                    \
            }                                                                                                          \
        }                                                                                                              \
    }
    FOR_FORMAT(w->format, MULTIPLY)
    for (; done < total; done++) {
        multiply(&f, tiles[done % RING]);
    }
}

static void many_rows(const uint8_t *packed, int rows, const struct matrix *w, int first, int count, float *y,
                      int64_t stride, uint8_t *scratch) {
    int steps = blocks_of(w->cols), w_tiles = (count + ROWS - 1) / ROWS, x_tiles = (rows + ROWS - 1) / ROWS;
    int64_t strip = (int64_t) steps * TILE_BYTES;
    float out[4 * 256] __attribute__((aligned(64)));
    for (int i = 0; i < w_tiles; i++) {
        decode_strip(w, first + i * ROWS, least(ROWS, count - i * ROWS), scratch + i * strip);
    }
    for (int x = 0; x < x_tiles; x += 2) {
        int b_tiles = least(2, x_tiles - x);
        for (int i = 0; i < w_tiles; i += 2) {
            int a_tiles = least(2, w_tiles - i);
            block(scratch + i * strip, packed + x * strip, steps, a_tiles, b_tiles, out);
            put(out, x, i, b_tiles, a_tiles, rows, count, y, stride);
        }
    }
}

void amx_product(const uint8_t *packed, int32_t rows, const struct matrix *w, int32_t first, int32_t count, float *y,
                 int64_t stride, uint8_t *scratch) {
    _tile_loadconfig(&CONFIGS[least(rows, ROWS) - 1]);
    if (rows <= PAIR) {
        few_rows(packed, rows, w, first, count, y, stride);
    } else {
        many_rows(packed, rows, w, first, count, y, stride, scratch);
    }
    _tile_release();
}
