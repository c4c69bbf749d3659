// Products in float with AVX-512; w is decoded row by row.
#include "avx512.h"
#include "blocks.h"

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
