// Products of the levels whose vectors hold a few rows of w: the int8 one on strips of decoded rows, a lane (or two) a
// row, and the float one row by row. A level's file says what its vectors can do, then includes this:
//
//   LEVEL                      the level's name, which its functions begin with
//   ints, floats               vectors of int32_t and float
//   LANES, VECTORS             rows of w in a vector, vectors in a strip
//   UNIT                       rows of x that a vector is multiplied by at once, 1 or 2
//   COLUMNS                    columns that one `dot` adds up
//   signed_codes(format)       whether w's codes have their offset taken off when they are decoded, not in the sums
//   interleave(codes, step)    codes of each row to [vector][column / COLUMNS][lane][COLUMNS]
//   begin(format, sums), dot(format, sums, w, x, k), settle(format, before, sums)
//                              exact sums of a block; begun and settled with every fourth `dot`
//   int_splat, float_zero, floats_of, load, load_lanes, load_rows, multiply, multiply_add, multiply_subtract, put
//
// A block's sums are exact whole numbers, and the floats made of them are added block after block: so an element's bits
// depend neither on the tile it was computed in nor on the level.
#include "blocks.h"
#include "levels.h"

#define STRIP (VECTORS * LANES)
#define VECTOR_BYTES (LANES * COLUMNS)
#define STEP_BYTES (STRIP * BLOCK + 2 * 4 * STRIP) // codes, scales, minima of 32 columns
#define TILE 4                                     // rows of x in a full tile
#define FLOATS ((int) (sizeof(floats) / sizeof(float)))

// ---- int8: x ----

static int64_t unit_bytes(int cols) { return (int64_t) blocks_of(cols) * UNIT * PACKED_BLOCK; }

// A unit is the codes of its rows, eight columns in turn, then a scale of each per block, then the sum of each block's
// codes. Where x is not finite, so is the scale.
static void pack_row(const float *x, int cols, uint8_t *unit, int row) {
    int blocks = blocks_of(cols);
    float *scales = (float *) (unit + (int64_t) blocks * UNIT * BLOCK);
    int32_t *sums = (int32_t *) (scales + blocks * UNIT);
    const float integers = 0x1.8p23f; // added to a small number, leaves its nearest integer in the last bits
    for (int b = 0; b < blocks; b++) {
        float block[BLOCK] = {0};
        memcpy(block, x + b * BLOCK, 4 * (size_t) least(BLOCK, cols - b * BLOCK));
        uint32_t largest = 0;
        for (int i = 0; i < BLOCK; i++) {
            uint32_t magnitude = bits_of_float(block[i]) & 0x7fffffff;
            largest = magnitude > largest ? magnitude : largest;
        }
        float inverse = largest > 0 ? 127 / float_of_bits(largest) : 0;
        int32_t sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            int8_t code = (int8_t) (bits_of_float(block[i] * inverse + integers) - bits_of_float(integers));
            unit[b * UNIT * BLOCK + i / 8 * UNIT * 8 + row * 8 + i % 8] = (uint8_t) code;
            sum += code;
        }
        scales[b * UNIT + row] = float_of_bits(largest) / 127;
        sums[b * UNIT + row] = sum;
    }
}

void NAME(pack_int8)(const float *x, int64_t stride, int32_t rows, int32_t cols, int32_t group, int32_t groups,
                     uint8_t *packed) {
    for (int r = group * 16; r < least((group + groups) * 16, rows); r++) {
        uint8_t *unit = packed + r / UNIT * unit_bytes(cols);
        if (UNIT > 1 && r % UNIT == 0) {
            memset(unit, 0, (size_t) unit_bytes(cols));
        }
        pack_row(x + r * stride, cols, unit, r % UNIT);
    }
}

// ---- int8: w ----

// Rows from `count` on repeat the last: nobody reads their sums. The strip behind is asked for in time, a share with
// every step.
INLINE void decode_strip(int format, const struct matrix *w, int first, int count, uint8_t *strip) {
    int blocks = blocks_of(w->cols), share = STRIP * w->row_bytes / blocks;
    const uint8_t *next = w->data + (int64_t) (first + STRIP) * w->row_bytes;
    struct row rows[STRIP];
    for (int i = 0; i < STRIP; i++) {
        rows[i] = row_of(w, first + least(i, count - 1));
    }
    for (int b = 0; b < blocks; b++) {
        uint8_t *step = strip + (int64_t) b * STEP_BYTES;
        float *scales = (float *) (step + STRIP * BLOCK);
        bytes16 codes[STRIP][2];
        for (int at = 0; at < share; at += 64) {
            __builtin_prefetch(next + (int64_t) b * share + at);
        }
#pragma GCC unroll 16
        for (int i = 0; i < STRIP; i++) {
            struct affine a = block_codes(format, w, rows[i], b, codes[i]);
            uint8_t offset = (uint8_t) (signed_codes(format) ? code_offset(format) : 0);
            codes[i][0] -= offset;
            codes[i][1] -= offset;
            scales[i] = a.scale;
            if (format == FORMAT_Q4_K) {
                scales[STRIP + i] = a.minimum;
            }
        }
        interleave(codes, step);
    }
}

// `units` of x by a strip: out [units * UNIT][STRIP].
INLINE void tile(int format, const uint8_t *x, int units, const uint8_t *strip, int blocks, float *out) {
    int64_t stride = (int64_t) blocks * UNIT * PACKED_BLOCK;
    floats sums[TILE][VECTORS];
    for (int u = 0; u < units; u++) {
        for (int p = 0; p < VECTORS; p++) {
            sums[u][p] = float_zero();
        }
    }
    for (int b = 0; b < blocks; b++) {
        const uint8_t *step = strip + (int64_t) b * STEP_BYTES, *codes = x + b * UNIT * BLOCK;
        const float *xscales = (const float *) (x + (int64_t) blocks * UNIT * BLOCK) + b * UNIT;
        const int32_t *xsums = (const int32_t *) (xscales + blocks * UNIT);
        ints acc[TILE][VECTORS], before[TILE][VECTORS];
        for (int u = 0; u < units; u++) {
            int32_t start = signed_codes(format) ? 0 : -code_offset(format) * xsums[u * stride / 4];
            for (int p = 0; p < VECTORS; p++) {
                before[u][p] = int_splat(start);
            }
        }
#pragma GCC unroll 8
        for (int k = 0; k < BLOCK / COLUMNS; k++) {
            for (int p = 0; p < VECTORS; p++) {
                for (int u = 0; u < units; u++) {
                    ints sum = k % 4 == 0 ? begin(format, before[u][p]) : acc[u][p];
                    sum = dot(format, sum, step + (p * BLOCK / COLUMNS + k) * VECTOR_BYTES, codes + u * stride, k);
                    if (k % 4 == 3) {
                        before[u][p] = settle(format, before[u][p], sum);
                    }
                    acc[u][p] = sum;
                }
            }
        }
        for (int p = 0; p < VECTORS; p++) {
            const float *scales = (const float *) (step + STRIP * BLOCK) + p * LANES;
            floats scale = load_lanes(scales), minimum = load_lanes(scales + STRIP);
            for (int u = 0; u < units; u++) {
                floats xscale = load_rows(xscales + u * stride / 4);
                sums[u][p] = multiply_add(sums[u][p], multiply(floats_of(before[u][p]), scale), xscale);
                if (format == FORMAT_Q4_K) {
                    float totals[UNIT];
                    for (int r = 0; r < UNIT; r++) {
                        totals[r] = xscales[u * stride / 4 + r] * (float) xsums[u * stride / 4 + r];
                    }
                    sums[u][p] = multiply_subtract(sums[u][p], minimum, load_rows(totals));
                }
            }
        }
    }
    for (int u = 0; u < units; u++) {
        for (int p = 0; p < VECTORS; p++) {
            put(sums[u][p], out + u * UNIT * STRIP + p * LANES);
        }
    }
}

INLINE void tiles(int format, const uint8_t *x, int rows, const uint8_t *strip, int count, int cols, float *y,
                  int64_t stride) {
    int units;
    for (int r = 0; r < rows; r += units * UNIT) {
        float out[TILE][STRIP];
        const uint8_t *from = x + r / UNIT * unit_bytes(cols);
        units = rows - r >= TILE ? TILE / UNIT : 1;
        if (units > 1) {
            tile(format, from, TILE / UNIT, strip, blocks_of(cols), out[0]);
        } else {
            tile(format, from, 1, strip, blocks_of(cols), out[0]);
        }
        for (int i = 0; i < least(units * UNIT, rows - r); i++) {
            memcpy(y + (r + i) * stride, out[i], 4 * (size_t) count);
        }
    }
}

INLINE void product_int8(int format, const uint8_t *x, int rows, const struct matrix *w, int first, int count, float *y,
                         int64_t stride, uint8_t *strip) {
    for (int at = 0; at < count; at += STRIP) {
        int lanes = least(STRIP, count - at);
        decode_strip(format, w, first + at, lanes, strip);
        tiles(format, x, rows, strip, lanes, w->cols, y + at, stride);
    }
}

void NAME(product_int8)(const uint8_t *x, int32_t rows, const struct matrix *w, int32_t first, int32_t count, float *y,
                        int64_t stride, uint8_t *scratch) {
#define PRODUCT(format) product_int8(format, x, rows, w, first, count, y, stride, scratch)
    FOR_INT8_FORMAT(w->format, PRODUCT)
}

// ---- float ----

#define FLOAT_ROWS 4 // rows of w that are decoded at a time

// The first `count` floats at p, then zeros.
static floats load_some(const float *p, int count) {
    float values[FLOATS] = {0};
    memcpy(values, p, 4 * (size_t) count);
    return load(values);
}

// Halves onto halves.
static float total(floats sums) {
    float parts[FLOATS];
    memcpy(parts, &sums, sizeof parts);
    for (int n = FLOATS / 2; n > 0; n /= 2) {
        for (int i = 0; i < n; i++) {
            parts[i] += parts[i + n];
        }
    }
    return parts[0];
}

// rows of x by rows of w; each element is a vector of sums over every so manieth column, then those in a fixed order
INLINE void tile_f32(const float *x, int64_t x_stride, int xs, const float *w, int64_t w_stride, int ws, int cols,
                     float *y, int64_t stride) {
    floats sums[4][2];
    for (int i = 0; i < xs; i++) {
        for (int j = 0; j < ws; j++) {
            sums[i][j] = float_zero();
        }
    }
    int k = 0;
    for (; k + FLOATS <= cols; k += FLOATS) {
        for (int i = 0; i < xs; i++) {
            for (int j = 0; j < ws; j++) {
                sums[i][j] = multiply_add(sums[i][j], load(x + i * x_stride + k), load(w + j * w_stride + k));
            }
        }
    }
    for (int i = 0; i < xs; i++) {
        for (int j = 0; j < ws; j++) {
            if (k < cols) {
                floats a = load_some(x + i * x_stride + k, cols - k), b = load_some(w + j * w_stride + k, cols - k);
                sums[i][j] = multiply_add(sums[i][j], a, b);
            }
            y[i * stride + j] = total(sums[i][j]);
        }
    }
}

static void tiles_f32(const float *x, int64_t x_stride, int xs, const float *w, int64_t w_stride, int ws, int cols,
                      float *y, int64_t stride) {
    int j = 0;
    for (; j + 2 <= ws && xs == 4; j += 2) {
        tile_f32(x, x_stride, 4, w + j * w_stride, w_stride, 2, cols, y + j, stride);
    }
    for (; j < ws; j++) {
        for (int i = 0; i < xs; i++) {
            tile_f32(x + i * x_stride, x_stride, 1, w + j * w_stride, w_stride, 1, cols, y + i * stride + j, stride);
        }
    }
}

void NAME(product_f32)(const float *x, int64_t x_stride, int32_t rows, const struct matrix *w, int32_t first,
                       int32_t count, float *y, int64_t stride, uint8_t *scratch) {
    for (int at = 0; at < count; at += FLOAT_ROWS) {
        int ws = least(FLOAT_ROWS, count - at);
        float *decoded = (float *) scratch;
        for (int j = 0; j < ws; j++) {
            row_values(w, first + at + j, decoded + (int64_t) j * w->cols);
        }
        // a few rows of x stay in the nearest cache while these of w pass
        for (int r = 0; r < rows; r += 4) {
            tiles_f32(x + r * x_stride, x_stride, least(4, rows - r), decoded, w->cols, ws, w->cols,
                      y + r * stride + at, stride);
        }
    }
}
