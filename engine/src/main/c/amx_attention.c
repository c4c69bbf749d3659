// Attention in bfloat16 on AMX tiles; scores, their softmax and all sums are in float.
//
// Packed, a tile of keys holds 32 dimensions of 16 keys, as pairs of dimensions; a tile of values 16 dimensions of 32
// keys, as pairs of keys; both are ready to be multiplied by rows of queries and of weights. An output element is a
// chain over blocks of 32 keys, in which keys that the query does not see have the weight zero: so its bits depend on
// its own keys and their places alone.
#include "attention.h"
#include "key_tiles.h"
#include <math.h>

#define KEY_BLOCK ATTENTION_BLOCK // keys of a tile of values, and of two tiles of keys
#define QUERIES (2 * TILE_ROWS)   // that go through the keys together

static int least(int a, int b) { return a < b ? a : b; }

static int most(int a, int b) { return a > b ? a : b; }

static int parts(int count, int of) { return (count + of - 1) / of; }

// Where the pieces of packed keys and values lie.
struct packed {
    uint8_t *keys;   // [total / 16][steps of 32 dimensions] tiles
    uint8_t *values; // [tiles of 16 dimensions][total / 32] tiles
    float *faults;   // [total] 0, or not a number where a value is not finite
    int steps, tiles, blocks;
};

static struct packed packed_at(uint8_t *memory, int total, int dim) {
    struct packed p;
    p.steps = parts(dim, TILE_COLS);
    p.tiles = parts(dim, TILE_ROWS);
    p.blocks = total / KEY_BLOCK;
    p.keys = memory;
    p.values = p.keys + (int64_t) total / TILE_ROWS * p.steps * TILE_BYTES;
    p.faults = (float *) (p.values + (int64_t) p.tiles * p.blocks * TILE_BYTES);
    return p;
}

int64_t amx_attention_bytes(int32_t total, int32_t dim) {
    struct packed p = packed_at(0, total, dim);
    return (uint8_t *) (p.faults + total) - p.keys;
}

int64_t amx_attention_scratch(int32_t total, int32_t dim) {
    int64_t blocks = total / KEY_BLOCK;
    return 2 * parts(dim, TILE_COLS) * TILE_BYTES + blocks * (QUERIES * KEY_BLOCK * 4 + 2 * TILE_BYTES + 64)
           + 4 * TILE_BYTES;
}

// ---- packing ----

// What bfloat16 cannot hold is kept out, for zero times it is not zero; it is a fault of its key.
static __m512 finite(__m512 value, __mmask16 *fault) {
    __mmask16 beyond = _mm512_cmp_ps_mask(_mm512_abs_ps(value), _mm512_set1_ps(0x1.ffp127f), _CMP_NLT_UQ);
    *fault |= beyond;
    return _mm512_maskz_mov_ps((__mmask16) ~beyond, value);
}

// Sixteen keys' values, some of which may be faults.
static void pack_faulty_values(const float *values, int64_t stride, int count, int dim, uint8_t *out,
                               int64_t out_stride, float *faults) {
    for (int i = 0; i < TILE_ROWS; i += 2) {
        __mmask16 even = 0, odd = 0;
        for (int t = 0; t * TILE_ROWS < dim; t++) {
            __mmask16 lanes = first_lanes(dim - t * TILE_ROWS);
            const float *at = values + i * stride + t * TILE_ROWS;
            __m512 a = i < count ? finite(_mm512_maskz_loadu_ps(lanes, at), &even) : _mm512_setzero_ps();
            __m512 b = i + 1 < count ? finite(_mm512_maskz_loadu_ps(lanes, at + stride), &odd) : _mm512_setzero_ps();
            __m512i low = _mm512_cvtepu16_epi32((__m256i) _mm512_cvtneps_pbh(a));
            __m512i high = _mm512_cvtepu16_epi32((__m256i) _mm512_cvtneps_pbh(b));
            _mm512_store_si512(out + t * out_stride + i / 2 * 64, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
        }
        faults[i] = even ? NAN : 0;
        faults[i + 1] = odd ? NAN : 0;
    }
}

// 32 dimensions of sixteen keys to two tiles of values, or to one; the largest magnitudes join `largest`.
static __m512i store_values(const __m512i r[TILE_ROWS], uint8_t *out, int64_t out_stride, int tiles, __m512i largest) {
    // so that pairs of keys, unpacked by halves of lanes, lie in the order of the dimensions
    const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    for (int i = 0; i < TILE_ROWS; i += 2) {
        __m512i a = _mm512_permutexvar_epi64(order, r[i]), b = _mm512_permutexvar_epi64(order, r[i + 1]);
        _mm512_store_si512(out + i / 2 * 64, _mm512_unpacklo_epi16(a, b));
        if (tiles > 1) {
            _mm512_store_si512(out + out_stride + i / 2 * 64, _mm512_unpackhi_epi16(a, b));
        }
        const __m512i magnitude = _mm512_set1_epi16(0x7fff);
        largest = _mm512_max_epu16(largest, _mm512_and_si512(a, magnitude));
        largest = _mm512_max_epu16(largest, _mm512_and_si512(b, magnitude));
    }
    return largest;
}

static void pack_values(const float *values, int64_t stride, int count, int dim, uint8_t *keys, uint8_t *out,
                        int64_t out_stride, float *faults) {
    const __m512i infinite = _mm512_set1_epi16(0x7f80);
    __m512i largest = _mm512_setzero_si512();
    for (int k = 0; k < dim; k += TILE_COLS) {
        __m512i r[TILE_ROWS];
        load_rows(values + k, stride, count, dim - k, r);
        largest = store_values(r, out + k / TILE_ROWS * out_stride, out_stride, parts(dim - k, TILE_ROWS), largest);
        if (keys) {
            store_keys(r, keys + k / TILE_COLS * TILE_BYTES);
        }
    }
    if (_mm512_cmpge_epu16_mask(largest, infinite)) {
        pack_faulty_values(values, stride, count, dim, out, out_stride, faults);
    } else {
        _mm512_storeu_ps(faults, _mm512_setzero_ps());
    }
}

void amx_attention_pack(const float *keys, const float *values, int64_t stride, int32_t count, int32_t dim, int32_t at,
                        int32_t total, uint8_t *memory) {
    struct packed p = packed_at(memory, total, dim);
    int done = 0;
    do {
        int key = at + done, rows = least(TILE_ROWS, count - done);
        uint8_t *key_tiles = p.keys + (int64_t) key / TILE_ROWS * p.steps * TILE_BYTES;
        uint8_t *tile = p.values + (int64_t) (key / KEY_BLOCK) * TILE_BYTES + key % KEY_BLOCK / 2 * 64;
        if (keys != values) {
            pack_keys(keys + done * stride, stride, rows, dim, key_tiles);
        }
        // what is key and value is read once
        pack_values(values + done * stride, stride, rows, dim, keys == values ? key_tiles : 0, tile,
                    (int64_t) p.blocks * TILE_BYTES, p.faults + key);
        done += TILE_ROWS;
    } while (done < count);
}

// ---- softmax ----

// e^x for x <= 0; 0 below -87.3, where the result would be denormal.
static __m512 exponential(__m512 x) {
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(0x1.715476p0f)), _MM_FROUND_TO_NEAREST_INT);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.62e4p-1f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.7f7d1cp-20f), r);
    __m512 p = _mm512_set1_ps(1.0f / 720);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    __mmask16 counts = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-87.3f), _CMP_NLT_UQ);
    return _mm512_maskz_scalef_ps(counts, p, n);
}

// Which of the sixteen keys from `key` on lie in [from, to).
static __mmask16 within(int key, int from, int to) {
    int low = from - key, high = to - key;
    return first_lanes(high) & (__mmask16) ~first_lanes(low);
}

static __mmask16 seen(const struct visible *v, int pooled_from, int key) {
    return within(key, v->from, v->to) | within(key, pooled_from, v->pooled_to);
}

// One query's scores in place to weights, and those as bfloat16 to their places in tiles.
static void softmax(float *scores, const int32_t *blocks, int count, const struct visible *v, int pooled_from,
                    const float *faults, float scale, const float *sink, uint8_t *weights) {
    __m512 largest = _mm512_set1_ps(sink ? *sink : -INFINITY);
    for (int i = 0; i < 2 * count; i++) {
        int key = blocks[i / 2] * KEY_BLOCK + i % 2 * 16;
        __m512 s = _mm512_fmadd_ps(_mm512_load_ps(scores + 16 * i), _mm512_set1_ps(scale), _mm512_loadu_ps(faults + key));
        s = _mm512_mask_blend_ps(seen(v, pooled_from, key), _mm512_set1_ps(-INFINITY), s);
        _mm512_store_ps(scores + 16 * i, s);
        largest = _mm512_max_ps(s, largest);
    }
    __m512 max = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
    __m512 sums = _mm512_setzero_ps();
    for (int i = 0; i < 2 * count; i++) {
        __m512 e = exponential(_mm512_sub_ps(_mm512_load_ps(scores + 16 * i), max));
        _mm512_store_ps(scores + 16 * i, e);
        sums = _mm512_add_ps(sums, e);
    }
    __m512 sinks = sink ? exponential(_mm512_sub_ps(_mm512_set1_ps(*sink), max)) : _mm512_setzero_ps();
    __m512 share = _mm512_set1_ps(1 / (_mm512_reduce_add_ps(sums) + _mm512_cvtss_f32(sinks)));
    for (int b = 0; b < count; b++) {
        __m512 low = _mm512_mul_ps(_mm512_load_ps(scores + KEY_BLOCK * b), share);
        __m512 high = _mm512_mul_ps(_mm512_load_ps(scores + KEY_BLOCK * b + 16), share);
        _mm512_store_si512(weights + (int64_t) b * TILE_BYTES, (__m512i) _mm512_cvtne2ps_pbh(high, low));
    }
}

// ---- products ----

// Sixteen queries' weights by two tiles of dimensions, or 32 queries': to `out`, tiles side by side.
static void add_values(const uint8_t *weights, int q_tiles, const uint8_t *values, const uint8_t *values2,
                       const int32_t *blocks, int count, int64_t weights_tile) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int b = 0; b < count; b++) {
        _tile_loadd(4, weights + (int64_t) b * TILE_BYTES, 64);
        _tile_loadd(6, values + (int64_t) blocks[b] * TILE_BYTES, 64);
        _tile_loadd(7, values2 + (int64_t) blocks[b] * TILE_BYTES, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        if (q_tiles > 1) {
            _tile_loadd(5, weights + weights_tile + (int64_t) b * TILE_BYTES, 64);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
    }
}

// ---- a block of queries ----

// Where query `i` of some rows lies.
static int64_t place(const struct queries *q, int i) {
    return i / q->heads * q->row_stride + (int64_t) (i % q->heads) * q->dim;
}

static void load_queries(const struct queries *q, int first, int count, int steps, uint8_t *out) {
    for (int i = 0; i < QUERIES; i++) {
        for (int k = 0; k < steps; k++) {
            __m512i words = i < count ? bf16_of(q->q + place(q, first + i) + k * TILE_COLS, q->dim - k * TILE_COLS)
                                      : _mm512_setzero_si512();
            _mm512_store_si512(out + ((int64_t) (i / TILE_ROWS * steps + k)) * TILE_BYTES + i % TILE_ROWS * 64, words);
        }
    }
}

// Blocks of keys that any of the rows sees.
static int visible_blocks(const struct visible *rows, int count, int pooled_from, int32_t *blocks) {
    int from = rows[0].from, to = rows[0].to, pooled_to = rows[0].pooled_to, found = 0;
    for (int r = 1; r < count; r++) {
        from = least(from, rows[r].from);
        to = most(to, rows[r].to);
        pooled_to = most(pooled_to, rows[r].pooled_to);
    }
    for (int b = from / KEY_BLOCK; b * KEY_BLOCK < to; b++) {
        blocks[found++] = b;
    }
    for (int b = pooled_from / KEY_BLOCK; b * KEY_BLOCK < pooled_to; b++) {
        blocks[found++] = b;
    }
    return found;
}

static void store_tile(int tile, float *to, int64_t stride) {
    switch (tile) {
    case 0: _tile_stored(0, to, stride); break;
    case 1: _tile_stored(1, to, stride); break;
    case 2: _tile_stored(2, to, stride); break;
    default: _tile_stored(3, to, stride); break;
    }
}

// A tile [16 queries][16 dimensions] from `first` and `d` on.
static void put(int tile, const struct queries *q, int first, int count, int d, float *buffer) {
    int lanes = least(TILE_ROWS, q->dim - d);
    if (count == TILE_ROWS && lanes == TILE_ROWS && q->row_stride == (int64_t) q->heads * q->dim) {
        store_tile(tile, q->out + place(q, first) + d, 4 * (int64_t) q->dim);
        return;
    }
    store_tile(tile, buffer, 64);
    for (int i = 0; i < count; i++) {
        _mm512_mask_storeu_ps(q->out + place(q, first + i) + d, first_lanes(lanes), _mm512_load_ps(buffer + 16 * i));
    }
}

static void attend_block(const struct queries *q, const struct visible *rows, int pooled_from, const struct packed *p,
                         int first, int count, uint8_t *scratch) {
    int q_tiles = parts(count, TILE_ROWS), first_row = first / q->heads, last_row = (first + count - 1) / q->heads;
    uint8_t *queries = scratch;
    float *buffer = (float *) (queries + 2 * (int64_t) p->steps * TILE_BYTES);
    int32_t *blocks = (int32_t *) ((uint8_t *) buffer + TILE_BYTES);
    int found = visible_blocks(rows + first_row, last_row - first_row + 1, pooled_from, blocks);
    uint8_t *weights = (uint8_t *) blocks + parts(4 * found, 64) * 64;
    float *scores = (float *) (weights + 2 * (int64_t) found * TILE_BYTES);
    int64_t stride = (int64_t) found * KEY_BLOCK, weights_tile = (int64_t) found * TILE_BYTES;

    load_queries(q, first, count, p->steps, queries);
    for (int b = 0; b < found; b++) {
        score_block(queries, q_tiles, p->keys + (int64_t) blocks[b] * 2 * p->steps * TILE_BYTES, p->steps,
                    scores + b * KEY_BLOCK, stride);
    }
    for (int i = 0; i < count; i++) {
        softmax(scores + i * stride, blocks, found, rows + (first + i) / q->heads, pooled_from, p->faults, q->scale,
                q->sink ? q->sink + (first + i) % q->heads : 0,
                weights + i / TILE_ROWS * weights_tile + i % TILE_ROWS * 64);
    }
    for (int t = 0; t < p->tiles; t += 2) {
        const uint8_t *values = p->values + (int64_t) t * p->blocks * TILE_BYTES;
        int two = t + 1 < p->tiles;
        add_values(weights, q_tiles, values, two ? values + (int64_t) p->blocks * TILE_BYTES : values, blocks, found,
                   weights_tile);
        for (int i = 0; i < q_tiles; i++) {
            int rest = least(TILE_ROWS, count - i * TILE_ROWS);
            put(2 * i, q, first + i * TILE_ROWS, rest, t * TILE_ROWS, buffer);
            if (two) {
                put(2 * i + 1, q, first + i * TILE_ROWS, rest, (t + 1) * TILE_ROWS, buffer);
            }
        }
    }
}

void amx_attend(const struct queries *q, const struct visible *rows, int32_t pooled_from, const uint8_t *memory,
                int32_t total, uint8_t *scratch) {
    struct packed p = packed_at((uint8_t *) memory, total, q->dim);
    configure_tiles();
    for (int first = 0; first < q->rows * q->heads; first += QUERIES) {
        attend_block(q, rows, pooled_from, &p, first, least(QUERIES, q->rows * q->heads - first), scratch);
    }
    _tile_release();
}
