// Keys as tiles of bfloat16, and the products of queries with them.
#ifndef MILLRACE_KEY_TILES_H
#define MILLRACE_KEY_TILES_H

#include "tiles.h"
#include "transpose.h"

// 32 dimensions of sixteen rows, zeros from `count` rows and `dim` dimensions on.
static inline void load_rows(const float *x, int64_t stride, int count, int dim, __m512i r[TILE_ROWS]) {
    for (int i = 0; i < TILE_ROWS; i++) {
        r[i] = i < count ? bf16_of(x + i * stride, dim) : _mm512_setzero_si512();
    }
}

// A tile of keys: pairs of dimensions of sixteen keys. The rows are lost.
static inline void store_keys(__m512i r[TILE_ROWS], uint8_t *out) {
    transpose16(r);
    for (int i = 0; i < TILE_ROWS; i++) {
        _mm512_store_si512(out + i * 64, r[i]);
    }
}

// Sixteen keys, zeros from `count` on.
static void pack_keys(const float *keys, int64_t stride, int count, int dim, uint8_t *out) {
    for (int k = 0; k < dim; k += TILE_COLS) {
        __m512i r[TILE_ROWS];
        load_rows(keys + k, stride, count, dim - k, r);
        store_keys(r, out + k / TILE_COLS * TILE_BYTES);
    }
}

// Two tiles of queries by two of keys, of `steps` times 32 dimensions; the second of queries may be absent.
static void score_block(const uint8_t *q, int q_tiles, const uint8_t *keys, int steps, float *scores, int64_t stride) {
    const uint8_t *q2 = q + (int64_t) steps * TILE_BYTES, *keys2 = keys + (int64_t) steps * TILE_BYTES;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int k = 0; k < steps; k++) {
        _tile_loadd(4, q + (int64_t) k * TILE_BYTES, 64);
        _tile_loadd(6, keys + (int64_t) k * TILE_BYTES, 64);
        _tile_loadd(7, keys2 + (int64_t) k * TILE_BYTES, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        if (q_tiles > 1) {
            _tile_loadd(5, q2 + (int64_t) k * TILE_BYTES, 64);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
    }
    _tile_stored(0, scores, 4 * stride);
    _tile_stored(1, scores + 16, 4 * stride);
    if (q_tiles > 1) {
        _tile_stored(2, scores + 16 * stride, 4 * stride);
        _tile_stored(3, scores + 16 * stride + 16, 4 * stride);
    }
}

#endif
