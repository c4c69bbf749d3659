// The indexer's scores: products in bfloat16 on AMX tiles, their weighted sums in float.
//
// A score is one chain over the dimensions for each head and one over the heads, so its bits depend on its own query
// and key alone.
#include "attention.h"
#include "key_tiles.h"

#define QUERIES (2 * TILE_ROWS) // that are multiplied together
#define KEYS (2 * TILE_ROWS)

static int least(int a, int b) { return a < b ? a : b; }

static int steps_of(int dim) { return (dim + TILE_COLS - 1) / TILE_COLS; }

int64_t amx_index_bytes(int32_t count, int32_t dim) {
    return (int64_t) (count + QUERIES - 1) / QUERIES * QUERIES * steps_of(dim) * TILE_COLS * 2;
}

void amx_index_queries(const float *q, int32_t count, int32_t dim, uint8_t *packed) {
    int steps = steps_of(dim);
    for (int i = 0; i < count; i++) {
        uint8_t *to = packed + (int64_t) i / TILE_ROWS * steps * TILE_BYTES + i % TILE_ROWS * 64;
        for (int k = 0; k < steps; k++) {
            __m512i words = bf16_of(q + (int64_t) i * dim + k * TILE_COLS, dim - k * TILE_COLS);
            _mm512_store_si512(to + (int64_t) k * TILE_BYTES, words);
        }
    }
}

void amx_index_keys(const float *keys, int32_t count, int32_t dim, uint8_t *packed) {
    pack_keys(keys, dim, count, dim, packed);
}

// Adds `count` queries' shares of up to 32 keys' scores; a row's heads may begin in the tiles before.
static void add_heads(const float *products, const float *weights, int first, int count, int heads, float *scores,
                      int64_t stride, int keys) {
    __mmask16 low = first_lanes(keys), high = first_lanes(keys - 16);
    __m512 zero = _mm512_setzero_ps();
    int head = first % heads;
    float *to = scores + first / heads * stride;
    __m512 a = head ? _mm512_maskz_loadu_ps(low, to) : zero;
    __m512 b = head ? _mm512_maskz_loadu_ps(high, to + 16) : zero;
    for (int i = 0; i < count; i++) {
        __m512 weight = _mm512_set1_ps(weights[first + i]);
        // not-a-number stays: of two operands of which one is none, the maximum is the second
        a = _mm512_fmadd_ps(weight, _mm512_max_ps(zero, _mm512_load_ps(products + KEYS * i)), a);
        b = _mm512_fmadd_ps(weight, _mm512_max_ps(zero, _mm512_load_ps(products + KEYS * i + 16)), b);
        if (++head == heads || i == count - 1) {
            _mm512_mask_storeu_ps(to, low, a);
            _mm512_mask_storeu_ps(to + 16, high, b);
            head = 0;
            to += stride;
            a = b = zero;
        }
    }
}

void amx_index_scores(const uint8_t *queries, const float *weights, int32_t rows, int32_t heads, int32_t dim,
                      const uint8_t *keys, int32_t count, float *scores, int64_t stride) {
    _Alignas(64) float products[QUERIES * KEYS];
    int steps = steps_of(dim), all = rows * heads;
    configure_tiles();
    for (int first = 0; first < all; first += QUERIES) {
        int some = least(QUERIES, all - first);
        for (int k = 0; k < count; k += KEYS) {
            score_block(queries + (int64_t) first / TILE_ROWS * steps * TILE_BYTES, some > TILE_ROWS ? 2 : 1,
                        keys + (int64_t) k / TILE_ROWS * steps * TILE_BYTES, steps, products, KEYS);
            add_heads(products, weights, first, some, heads, scores + k, stride, count - k);
        }
    }
    _tile_release();
}
