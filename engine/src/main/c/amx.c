// Products in bfloat16 on AMX tiles. A tile holds 16 rows of w, decoded, 32 columns at a time; x is packed so that a
// tile holds the same 32 columns of 16 rows. So w needs no transposing, and the result tile is [w row][x row].
#include "amx.h"
#include "blocks.h"
#include "transpose.h"

#define ROWS 16
#define COLS BLOCK
#define TILE_BYTES 1024
#define TILE_WORDS 512
#define PAIR (2 * ROWS)

// ---- packing x ----

static __m512i bf16_of(const float *x, int count) {
    __mmask16 low = count >= 16 ? 0xffff : (__mmask16) ((1u << count) - 1);
    __mmask16 high = count >= 32 ? 0xffff : count > 16 ? (__mmask16) ((1u << (count - 16)) - 1) : 0;
    __m512 a = _mm512_maskz_loadu_ps(low, x);
    __m512 b = high ? _mm512_maskz_loadu_ps(high, x + 16) : _mm512_setzero_ps();
    return (__m512i) _mm512_cvtne2ps_pbh(b, a);
}

void amx_pack(const float *x, int64_t stride, int32_t rows, int32_t cols, int32_t group, int32_t groups, uint8_t *packed) {
    int steps = blocks_of(cols);
    for (int g = group; g < group + groups; g++) {
        for (int k = 0; k < steps; k++) {
            __m512i r[16];
            for (int i = 0; i < ROWS; i++) {
                int row = g * ROWS + i;
                r[i] = row < rows ? bf16_of(x + row * stride + k * COLS, cols - k * COLS) : _mm512_setzero_si512();
            }
            transpose16(r);
            uint8_t *tile = packed + ((int64_t) g * steps + k) * TILE_BYTES;
            for (int i = 0; i < ROWS; i++) {
                _mm512_store_si512(tile + i * 64, r[i]);
            }
        }
    }
}

// ---- decoding w: 32 columns of a row at a time ----

static const uint16_t E2M1[32] = {0,      0x3f00, 0x3f80, 0x3fc0, 0x4000, 0x4040, 0x4080, 0x40c0,
                                  0x8000, 0xbf00, 0xbf80, 0xbfc0, 0xc000, 0xc040, 0xc080, 0xc0c0,
                                  0,      0x3f00, 0x3f80, 0x3fc0, 0x4000, 0x4040, 0x4080, 0x40c0,
                                  0x8000, 0xbf00, 0xbf80, 0xbfc0, 0xc000, 0xc040, 0xc080, 0xc0c0};

static __m512i scaled_exactly(__m512i words, float scale) {
    __m512 low = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(words)), 16));
    __m512 high = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(words, 1)), 16));
    __m512 s = _mm512_set1_ps(scale);
    return (__m512i) _mm512_cvtne2ps_pbh(_mm512_mul_ps(high, s), _mm512_mul_ps(low, s));
}

// bfloat16 words times 2^(e - 127); zeros and not-a-numbers stay. Exponents of w lie within 16 of one, so for these e
// none leaves the range.
static __m512i scaled(__m512i words, int e) {
    if (e < 24 || e > 230) {
        return scaled_exactly(words, power_of_two(e));
    }
    __m512i magnitude = _mm512_and_si512(words, _mm512_set1_epi16(0x7fff));
    __mmask32 finite = _mm512_cmplt_epu16_mask(_mm512_sub_epi16(magnitude, _mm512_set1_epi16(1)), _mm512_set1_epi16(0x7f7f));
    return _mm512_mask_add_epi16(words, finite, words, _mm512_set1_epi16((short) ((e - 127) * 128)));
}

static __m512i nibbles_in_halves(const uint8_t *q) {
    __m256i bytes = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) q));
    __m256i low = _mm256_and_si256(bytes, _mm256_set1_epi16(15));
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), _mm256_srli_epi16(bytes, 4), 1);
}

static __m512i nibbles_in_pairs(const uint8_t *q, int count) {
    __mmask16 valid = count >= COLS ? 0xffff : (__mmask16) ((1u << (count + 1) / 2) - 1);
    __m512i bytes = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(valid, q));
    return _mm512_and_si512(_mm512_or_si512(bytes, _mm512_slli_epi32(bytes, 12)), _mm512_set1_epi32(0x000f000f));
}

static __m512i affine(__m256i q, float scale, float minimum) {
    __m512 s = _mm512_set1_ps(scale), m = _mm512_set1_ps(minimum);
    __m512 low = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_castsi256_si128(q)));
    __m512 high = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_extracti128_si256(q, 1)));
    return (__m512i) _mm512_cvtne2ps_pbh(_mm512_fmsub_ps(high, s, m), _mm512_fmsub_ps(low, s, m));
}

static float half(const uint8_t *p) {
    uint16_t bits;
    memcpy(&bits, p, 2);
    return _cvtsh_ss(bits);
}

static __m256i nibble_bytes(const uint8_t *q) {
    __m128i bytes = _mm_loadu_si128((const __m128i *) q);
    __m256i both = _mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes);
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

static void q4_k(const uint8_t *block, int sub, __m512i *out) {
    const uint8_t *q = block + 16 + sub / 2 * 32;
    int scale, minimum;
    q4_k_scales(block + 4, sub, &scale, &minimum);
    __m256i bytes = _mm256_loadu_si256((const __m256i *) q);
    __m256i codes = _mm256_and_si256(sub & 1 ? _mm256_srli_epi16(bytes, 4) : bytes, _mm256_set1_epi8(15));
    *out = affine(codes, half(block) * (float) scale, half(block + 2) * (float) minimum);
}

static void q6_k(const uint8_t *block, int sub, __m512i *out) {
    int part = sub & 3, side = sub >> 2;
    const uint8_t *low = block + side * 64 + (part & 1) * 32, *high = block + 128 + side * 32;
    const int8_t *scales = (const int8_t *) block + 192 + side * 8 + part * 2;
    __m256i a = _mm256_loadu_si256((const __m256i *) low), b = _mm256_loadu_si256((const __m256i *) high);
    a = _mm256_and_si256(part >= 2 ? _mm256_srli_epi16(a, 4) : a, _mm256_set1_epi8(15));
    b = _mm256_and_si256(_mm256_srl_epi16(b, _mm_cvtsi32_si128(2 * part)), _mm256_set1_epi8(3));
    __m256i codes = _mm256_sub_epi8(_mm256_or_si256(a, _mm256_slli_epi16(b, 4)), _mm256_set1_epi8(32));
    float d = half(block + 208);
    __m512 first = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_castsi256_si128(codes)));
    __m512 second = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_extracti128_si256(codes, 1)));
    *out = (__m512i) _mm512_cvtne2ps_pbh(_mm512_mul_ps(second, _mm512_set1_ps(d * scales[1])),
                                         _mm512_mul_ps(first, _mm512_set1_ps(d * scales[0])));
}

static const uint8_t *scale_byte(const struct matrix *w, int row, int col) {
    int per_row = (w->cols + w->block_cols - 1) / w->block_cols;
    return w->scales + (int64_t) (row / w->block_rows) * per_row + col / w->block_cols;
}

static __m512i with_scale(__m512i words, const struct matrix *w, int row, int col) {
    float scale;
    if (!w->scales) {
        return words;
    }
    if (w->scale_is_float) {
        memcpy(&scale, w->scales + 4 * (scale_byte(w, row, col) - w->scales), 4);
        return scaled_exactly(words, scale);
    }
    return scaled(words, *scale_byte(w, row, col));
}

// The two bytes of every E4M3 magnitude as bfloat16. Constants, since code that fills a table when the library is loaded
// would run on processors that cannot run this file's.
#define SEVEN(low_or_high, e)                                                                                          \
    low_or_high(((e) + 120) << 7), low_or_high(((e) + 120) << 7 | 0x10), low_or_high(((e) + 120) << 7 | 0x20),         \
        low_or_high(((e) + 120) << 7 | 0x30), low_or_high(((e) + 120) << 7 | 0x40),                                    \
        low_or_high(((e) + 120) << 7 | 0x50), low_or_high(((e) + 120) << 7 | 0x60)
#define NORMAL(b, e) SEVEN(b, e), b(((e) + 120) << 7 | 0x70)
#define MAGNITUDES(b)                                                                                                  \
    b(0), b(0x3b00), b(0x3b80), b(0x3bc0), b(0x3c00), b(0x3c20), b(0x3c40), b(0x3c60), NORMAL(b, 1), NORMAL(b, 2),     \
        NORMAL(b, 3), NORMAL(b, 4), NORMAL(b, 5), NORMAL(b, 6), NORMAL(b, 7), NORMAL(b, 8), NORMAL(b, 9),              \
        NORMAL(b, 10), NORMAL(b, 11), NORMAL(b, 12), NORMAL(b, 13), NORMAL(b, 14), SEVEN(b, 15), b(0x7fc0)
#define LOW(word) ((word) & 255)
#define HIGH(word) ((word) >> 8)
static const uint8_t fp8_low[128] __attribute__((aligned(64))) = {MAGNITUDES(LOW)};
static const uint8_t fp8_high[128] __attribute__((aligned(64))) = {MAGNITUDES(HIGH)};

static __m512i fp8_words(__m256i codes) {
    __m512i c = _mm512_castsi256_si512(codes);
    __m512i low = _mm512_permutex2var_epi8(_mm512_load_si512(fp8_low), c, _mm512_load_si512(fp8_low + 64));
    __m512i high = _mm512_permutex2var_epi8(_mm512_load_si512(fp8_high), c, _mm512_load_si512(fp8_high + 64));
    __m256i sign = _mm256_and_si256(codes, _mm256_set1_epi8((char) 0x80));
    __m512i words = _mm512_slli_epi16(_mm512_cvtepu8_epi16(_mm256_or_si256(_mm512_castsi512_si256(high), sign)), 8);
    return _mm512_or_si512(words, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(low)));
}

static inline __attribute__((always_inline)) __m512i e2m1_words(__m512i nibbles, int e) {
    __m512i words = _mm512_permutexvar_epi16(nibbles, _mm512_loadu_si512(E2M1));
    if (__builtin_expect(e < 24 || e > 230, 0)) {
        return scaled_exactly(words, power_of_two(e));
    }
    __mmask32 nonzero = _mm512_test_epi16_mask(nibbles, _mm512_set1_epi16(7));
    return _mm512_mask_add_epi16(words, nonzero, words, _mm512_set1_epi16((short) ((e - 127) * 128)));
}

static inline __attribute__((always_inline)) __m512i e2m1_scaled(__m512i nibbles, const struct matrix *w, int row, int col) {
    if (!w->scales) {
        return _mm512_permutexvar_epi16(nibbles, _mm512_loadu_si512(E2M1));
    }
    if (w->scale_is_float) {
        return with_scale(_mm512_permutexvar_epi16(nibbles, _mm512_loadu_si512(E2M1)), w, row, col);
    }
    return e2m1_words(nibbles, *scale_byte(w, row, col));
}

// 32 columns of a row, from column 32 k on; zeros beyond the last.
static inline __attribute__((always_inline)) __m512i decode(int format, const struct matrix *w, int row, int k) {
    const uint8_t *p = w->data + (int64_t) row * w->row_bytes;
    int left = w->cols - k * COLS;
    __mmask32 valid = left >= COLS ? 0xffffffffu : (1u << left) - 1;
    __m512i words;
    switch (format) {
    case FORMAT_BF16:
        return with_scale(_mm512_maskz_loadu_epi16(valid, p + 64 * k), w, row, k * COLS);
    case FORMAT_FP8:
        return with_scale(fp8_words(_mm256_maskz_loadu_epi8(valid, p + 32 * k)), w, row, k * COLS);
    case FORMAT_FP4:
        return e2m1_scaled(nibbles_in_pairs(p + 16 * k, left), w, row, k * COLS);
    case FORMAT_MXFP4:
        return e2m1_words(nibbles_in_halves(p + 17 * k + 1), p[17 * k]);
    case FORMAT_Q8_0:
        return affine(_mm256_loadu_si256((const __m256i *) (p + 34 * k + 2)), half(p + 34 * k), 0);
    case FORMAT_Q4_0: {
        float d = half(p + 18 * k);
        return affine(nibble_bytes(p + 18 * k + 2), d, 8 * d);
    }
    case FORMAT_Q4_K:
        q4_k(p + k / 8 * 144, k % 8, &words);
        return words;
    default:
        q6_k(p + k / 8 * 210, k % 8, &words);
        return words;
    }
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

// Sixteen rows of 32 columns; rows from `count` on are zero. The strip of rows after these is asked for in time.
static inline __attribute__((always_inline)) void tile_of(int format, const struct matrix *w, int first, int count, int k,
                                                          uint8_t *tile) {
    // the whole strip behind this one lies in one piece: a share of it with every step, line after line
    int64_t share = (int64_t) ROWS * block_bytes(format);
    const char *next = (const char *) (w->data + (int64_t) (first + ROWS) * w->row_bytes + k * share);
    for (int64_t at = 0; at < share; at += 64) {
        _mm_prefetch(next + at, _MM_HINT_T0);
    }
    for (int i = 0; i < count; i++) {
        _mm512_store_si512(tile + 64 * i, decode(format, w, first + i, k));
    }
    for (int i = count; i < ROWS; i++) {
        _mm512_store_si512(tile + 64 * i, _mm512_setzero_si512());
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

static void decode_strip(const struct matrix *w, int first, int count, uint8_t *strip) {
    int steps = blocks_of(w->cols);
#define STRIP(format)                                                                                                  \
    for (int k = 0; k < steps; k++) {                                                                                  \
        tile_of(format, w, first, count, k, strip + (int64_t) k * TILE_BYTES);                                         \
    }
    FOR_FORMAT(w->format, STRIP)
}

// ---- multiplying ----

struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

static void configure(void) {
    struct tile_config config;
    memset(&config, 0, sizeof config);
    config.palette = 1;
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    _tile_loadconfig(&config);
}

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

// At most two tiles of x: each tile of w is multiplied as soon as it is decoded, and kept nowhere.
static void few_rows(const uint8_t *packed, int rows, const struct matrix *w, int first, int count, float *y,
                     int64_t stride) {
    uint8_t tile[4][TILE_BYTES] __attribute__((aligned(64)));
    float out[4 * 256] __attribute__((aligned(64)));
    int steps = blocks_of(w->cols), x_tiles = (rows + ROWS - 1) / ROWS;
    const uint8_t *second = packed + (int64_t) steps * TILE_BYTES;
    for (int i = 0; i < count; i += ROWS) {
        int lanes = least(ROWS, count - i);
        _tile_zero(0);
        _tile_zero(2);
#define MULTIPLY(format)                                                                                               \
    for (int k = 0; k < steps; k++) {                                                                                  \
        tile_of(format, w, first + i, lanes, k, tile[k & 3]);                                                          \
        _tile_loadd(4, tile[k & 3], 64);                                                                               \
        _tile_loadd(6, packed + (int64_t) k * TILE_BYTES, 64);                                                         \
        _tile_dpbf16ps(0, 4, 6);                                                                                       \
        if (x_tiles > 1) {                                                                                             \
            _tile_loadd(7, second + (int64_t) k * TILE_BYTES, 64);                                                     \
            _tile_dpbf16ps(2, 4, 7);                                                                                   \
        }                                                                                                              \
    }
        FOR_FORMAT(w->format, MULTIPLY)
        _tile_stored(0, out, 64);
        _tile_stored(2, out + 512, 64);
        put(out, 0, i / ROWS, x_tiles, 1, rows, count, y, stride);
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
    configure();
    if (rows <= PAIR) {
        few_rows(packed, rows, w, first, count, y, stride);
    } else {
        many_rows(packed, rows, w, first, count, y, stride, scratch);
    }
    _tile_release();
}
