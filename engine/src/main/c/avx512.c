// Products with AVX-512: in int8 by VNNI, with w decoded into panels of 16 rows, a lane each; in float with w decoded
// row by row.
#include "avx512.h"
#include "blocks.h"
#include "levels.h"
#include "transpose.h"

#define LANES 16
#define FEW 16 // rows of x that are not worth a panel of w
#define PANEL_STEP (LANES * BLOCK + 2 * 4 * LANES) // codes, scales, minima of 32 columns

static int64_t row_bytes(int cols) { return (int64_t) blocks_of(cols) * PACKED_BLOCK; }

// ---- int8: x ----

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

// ---- int8: w ----

// Sixteen rows, two blocks of columns at a time: [group of 4 columns][lane][4].
static void decode_panel(const struct matrix *w, int first, int count, uint8_t *panel) {
    int blocks = blocks_of(w->cols);
    for (int b = 0; b < blocks; b += 2) {
        uint8_t codes[LANES][2 * BLOCK] __attribute__((aligned(64)));
        for (int h = 0; h < 2; h++) {
            float *scales = (float *) (panel + (int64_t) (b + h) * PANEL_STEP + LANES * BLOCK);
            for (int i = 0; i < LANES; i++) {
                struct affine a = {0, 0};
                if (i < count && b + h < blocks) {
                    a = block_codes(w->format, w, row_of(w, first + i), b + h, (bytes16 *) (codes[i] + h * BLOCK));
                } else {
                    memset(codes[i] + h * BLOCK, 0, BLOCK);
                }
                if (b + h < blocks) {
                    scales[i] = a.scale;
                    scales[LANES + i] = a.minimum;
                }
            }
        }
        __m512i r[16];
        for (int i = 0; i < LANES; i++) {
            r[i] = _mm512_load_si512(codes[i]);
        }
        transpose16(r);
        for (int i = 0; i < (b + 1 < blocks ? 16 : 8); i++) {
            _mm512_storeu_si512(panel + (int64_t) (b + i / 8) * PANEL_STEP + i % 8 * 64, r[i]);
        }
    }
}

static inline __attribute__((always_inline)) void tile_int8(const uint8_t *x, int64_t x_row, int rows, int panels,
                                                            const uint8_t *panel, int64_t panel_bytes, int blocks,
                                                            int format, __mmask16 valid[2], float *y, int64_t stride) {
    __m512 sums[4][2];
    for (int r = 0; r < rows; r++) {
        for (int p = 0; p < panels; p++) {
            sums[r][p] = _mm512_setzero_ps();
        }
    }
    for (int b = 0; b < blocks; b++) {
        __m512i acc[4][2];
        for (int r = 0; r < rows; r++) {
            for (int p = 0; p < panels; p++) {
                const int32_t *xsums = (const int32_t *) (x + r * x_row + blocks * (BLOCK + 4));
                acc[r][p] = _mm512_set1_epi32(-code_offset(format) * xsums[b]);
            }
        }
        const uint8_t *step = panel + (int64_t) b * PANEL_STEP;
        _mm_prefetch((const char *) (step + 2 * PANEL_STEP), _MM_HINT_T0);
#pragma GCC unroll 8
        for (int k = 0; k < BLOCK / 4; k++) {
            __m512i codes[2];
            for (int p = 0; p < panels; p++) {
                codes[p] = _mm512_loadu_si512(step + p * panel_bytes + 64 * k);
            }
            for (int r = 0; r < rows; r++) {
                int32_t four;
                memcpy(&four, x + r * x_row + b * BLOCK + 4 * k, 4);
                __m512i v = _mm512_set1_epi32(four);
                for (int p = 0; p < panels; p++) {
                    acc[r][p] = _mm512_dpbusd_epi32(acc[r][p], codes[p], v);
                }
            }
        }
        for (int p = 0; p < panels; p++) {
            const float *scales = (const float *) (step + p * panel_bytes + LANES * BLOCK);
            __m512 scale = _mm512_loadu_ps(scales), minimum = _mm512_loadu_ps(scales + LANES);
            for (int r = 0; r < rows; r++) {
                const float *xs = (const float *) (x + r * x_row + blocks * BLOCK);
                __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[r][p]), scale);
                sums[r][p] = _mm512_fmadd_ps(v, _mm512_set1_ps(xs[b]), sums[r][p]);
                if (format == FORMAT_Q4_K) {
                    const int32_t *xsums = (const int32_t *) (xs + blocks);
                    sums[r][p] = _mm512_fnmadd_ps(minimum, _mm512_set1_ps(xs[b] * (float) xsums[b]), sums[r][p]);
                }
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int p = 0; p < panels; p++) {
            _mm512_mask_storeu_ps(y + r * stride + p * LANES, valid[p], sums[r][p]);
        }
    }
}

static void tiles_int8(const uint8_t *x, int64_t x_row, int rows, int panels, const uint8_t *panel, int64_t panel_bytes,
                       int blocks, int format, __mmask16 valid[2], float *y, int64_t stride) {
    int r = 0;
    for (; r + 4 <= rows; r += 4) {
        if (panels == 2) {
            tile_int8(x + r * x_row, x_row, 4, 2, panel, panel_bytes, blocks, format, valid, y + r * stride, stride);
        } else {
            tile_int8(x + r * x_row, x_row, 4, 1, panel, panel_bytes, blocks, format, valid, y + r * stride, stride);
        }
    }
    for (; r < rows; r++) {
        if (panels == 2) {
            tile_int8(x + r * x_row, x_row, 1, 2, panel, panel_bytes, blocks, format, valid, y + r * stride, stride);
        } else {
            tile_int8(x + r * x_row, x_row, 1, 1, panel, panel_bytes, blocks, format, valid, y + r * stride, stride);
        }
    }
}

void avx512_product_int8(const uint8_t *packed, int32_t rows, const struct matrix *w, int32_t first, int32_t count,
                         float *y, int64_t stride, uint8_t *scratch) {
    int blocks = blocks_of(w->cols);
    int64_t panel_bytes = (int64_t) blocks * PANEL_STEP;
    if (rows <= FEW) { // x is packed alike
        avx512_few_product_int8(packed, rows, w, first, count, y, stride, scratch);
        return;
    }
    for (int at = 0; at < count; at += 2 * LANES) {
        int panels = count - at > LANES ? 2 : 1;
        __mmask16 valid[2];
        for (int p = 0; p < panels; p++) {
            int lanes = least(LANES, count - at - p * LANES);
            valid[p] = (__mmask16) ((1u << lanes) - 1);
            decode_panel(w, first + at + p * LANES, lanes, scratch + p * panel_bytes);
        }
        tiles_int8(packed, row_bytes(w->cols), rows, panels, scratch, panel_bytes, blocks, w->format, valid, y + at, stride);
    }
}

// ---- float ----

// rows of x by rows of w; each element is sixteen sums over every sixteenth column, then those in a fixed order
static inline __attribute__((always_inline)) void tile_f32(const float *x, int64_t x_stride, int xs, const float *w,
                                                           int64_t w_stride, int ws, int cols, float *y, int64_t stride) {
    __m512 sums[4][4];
    for (int i = 0; i < xs; i++) {
        for (int j = 0; j < ws; j++) {
            sums[i][j] = _mm512_setzero_ps();
        }
    }
    for (int k = 0; k < cols; k += 16) {
        __mmask16 valid = cols - k >= 16 ? 0xffff : (__mmask16) ((1u << (cols - k)) - 1);
        __m512 a[4];
        for (int j = 0; j < ws; j++) {
            a[j] = _mm512_maskz_loadu_ps(valid, w + j * w_stride + k);
        }
        for (int i = 0; i < xs; i++) {
            __m512 v = _mm512_maskz_loadu_ps(valid, x + i * x_stride + k);
            for (int j = 0; j < ws; j++) {
                sums[i][j] = _mm512_fmadd_ps(v, a[j], sums[i][j]);
            }
        }
    }
    for (int i = 0; i < xs; i++) {
        for (int j = 0; j < ws; j++) {
            y[i * stride + j] = _mm512_reduce_add_ps(sums[i][j]);
        }
    }
}

static void tiles_f32(const float *x, int64_t x_stride, int rows, const float *w, int64_t w_stride, int ws, int cols,
                      float *y, int64_t stride) {
    int r = 0;
    for (; r + 4 <= rows; r += 4) {
        if (ws == 4) {
            tile_f32(x + r * x_stride, x_stride, 4, w, w_stride, 4, cols, y + r * stride, stride);
        } else {
            for (int j = 0; j < ws; j++) {
                tile_f32(x + r * x_stride, x_stride, 4, w + j * w_stride, w_stride, 1, cols, y + r * stride + j, stride);
            }
        }
    }
    for (; r < rows; r++) {
        if (ws == 4) {
            tile_f32(x + r * x_stride, x_stride, 1, w, w_stride, 4, cols, y + r * stride, stride);
        } else {
            for (int j = 0; j < ws; j++) {
                tile_f32(x + r * x_stride, x_stride, 1, w + j * w_stride, w_stride, 1, cols, y + r * stride + j, stride);
            }
        }
    }
}

void avx512_product_f32(const float *x, int64_t x_stride, int32_t rows, const struct matrix *w, int32_t first,
                        int32_t count, float *y, int64_t stride, uint8_t *scratch) {
    for (int at = 0; at < count; at += 4) {
        int ws = least(4, count - at);
        const float *decoded = (const float *) scratch;
        int64_t w_stride = w->cols;
        if (w->format == FORMAT_F32 && !w->scales) {
            decoded = (const float *) (w->data + (int64_t) (first + at) * w->row_bytes);
        } else {
            for (int j = 0; j < ws; j++) {
                row_values(w, first + at + j, (float *) scratch + j * w_stride);
            }
        }
        // a few rows of x stay in the nearest cache while all of w passes
        tiles_f32(x, x_stride, rows, decoded, w_stride, ws, w->cols, y + at, stride);
    }
}
