// Matrix products on stored weights: y = x wT, x and y floats, w as it lies in the checkpoint.
//
// Pure functions on memory that the caller owns; no state, no threads, no allocation. The caller shares a product out
// by ranges of w's rows. Every element of y has one order of additions over the columns, whatever the number of x's
// rows and whatever range computes it, so a row's bits never depend on its companions.
#ifndef MILLRACE_H
#define MILLRACE_H

#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

// What the processor can do. A product asks for one of them.
enum level {
    LEVEL_NONE = 0,
    LEVEL_AVX2 = 1,        // AVX2, FMA, F16C
    LEVEL_AVX_VNNI = 2,    // the same and AVX-VNNI
    LEVEL_AVX512_VNNI = 3, // AVX-512 F, BW, DQ, VL, VNNI, VBMI
    LEVEL_AMX = 4,         // the same, AVX512-BF16 and AMX-BF16
    LEVEL_NEON = 5,        // any aarch64
    LEVEL_DOTPROD = 6,     // Armv8.2's dot product
    LEVEL_I8MM = 7         // Armv8.6's int8 matrix product too
};

// How x is rounded before it is multiplied.
enum arithmetic {
    ARITHMETIC_F32 = 0,
    ARITHMETIC_BF16 = 1, // x to bfloat16, w to bfloat16, sums in float
    ARITHMETIC_INT8 = 2  // x to int8 with a scale per 32, sums of 32 exact, sums of those in float
};

// Formats of w. A row is whole blocks of the format.
enum format {
    FORMAT_F32 = 0,
    FORMAT_F16 = 1,
    FORMAT_BF16 = 2,
    FORMAT_FP8 = 3,   // E4M3, scales apart
    FORMAT_FP4 = 4,   // E2M1 pairs, even columns low, scales apart
    FORMAT_Q8_0 = 5,  // these carry their scales: blocks of ggml
    FORMAT_Q4_0 = 6,
    FORMAT_MXFP4 = 7,
    FORMAT_Q4_K = 8,
    FORMAT_Q6_K = 9
};

#define BLOCK 32                 // columns that share a scale in int8
#define PACKED_BLOCK (BLOCK + 8) // codes of x, scale, sum of the codes

static inline int blocks_of(int cols) { return (cols + BLOCK - 1) / BLOCK; }

// A stored matrix [rows, cols]. Scales, where they lie apart, are [ceil(rows / block_rows), ceil(cols / block_cols)].
struct matrix {
    const uint8_t *data;
    const uint8_t *scales; // or null
    int32_t format;
    int32_t rows;
    int32_t cols;
    int32_t row_bytes;
    int32_t scale_is_float; // else E8M0
    int32_t block_rows;
    int32_t block_cols;
};

// 1 if this library was compiled for the level and this processor has it, else 0.
EXPORT int32_t millrace_has(int32_t level);

// The arithmetic in which a level multiplies a format; -1 where there is no such level.
EXPORT int32_t millrace_arithmetic(int32_t level, int32_t format);

// Bytes that packed rows of x take: [packed_bytes(rows)] in whole groups of 16 rows.
EXPORT int64_t millrace_packed_bytes(int32_t arithmetic, int32_t rows, int32_t cols);

// Bytes of scratch that a product over `rows` rows of w needs.
EXPORT int64_t millrace_scratch_bytes(int32_t arithmetic, int32_t rows, int32_t cols);

// Packs the groups [group, group + groups) of 16 rows of x [rows, cols]; `stride` floats from row to row.
EXPORT void millrace_pack(int32_t level, int32_t arithmetic, const float *x, int64_t stride, int32_t rows, int32_t cols,
                   int32_t group, int32_t groups, uint8_t *packed);

// y[r][i] = packed x row r times w row (first + i), i < count; `stride` floats from row to row of y. For F32, `packed`
// is not used and x is read where it lies. `shape`: the numbers of `struct matrix`, from `format` on.
EXPORT void millrace_product(int32_t level, int32_t arithmetic, const float *x, int64_t x_stride, const uint8_t *packed,
                      int32_t rows, const uint8_t *data, const uint8_t *scales, const int32_t shape[7], int32_t first,
                      int32_t count, float *y, int64_t stride, uint8_t *scratch);

// ---- attention ----

// Keys of a block. A query's sums run over blocks from the first key on, so a key's place modulo this is part of what
// is computed: the caller chooses it by the key's position and by nothing else.
#define ATTENTION_BLOCK 32

// The keys that the queries of a row see: [from, to) and [pooled_from, pooled_to), whose start is common to all rows.
struct visible {
    int32_t from, to, pooled_to;
};

// 1 if a level has the functions below, else 0.
EXPORT int32_t millrace_attends(int32_t level);

// Bytes of `total` packed keys and values, a multiple of ATTENTION_BLOCK.
EXPORT int64_t millrace_attention_bytes(int32_t total, int32_t dim);

// Bytes of scratch that `millrace_attend` needs.
EXPORT int64_t millrace_attention_scratch(int32_t total, int32_t dim);

// Packs keys and values [count, dim], `stride` floats from row to row, to the places from `at` on, a multiple of 16.
// What is left of the last sixteen, at least one sixteen, becomes zero. No place of a block may be left unpacked.
EXPORT void millrace_attention_pack(const float *keys, const float *values, int64_t stride, int32_t count, int32_t dim,
                                    int32_t at, int32_t total, uint8_t *packed);

// Softmax attention of queries [rows][heads][dim], whose heads share the keys; `row_stride` floats from row to row of
// q and out. A query that sees a value that is not finite gives not-a-number; one that does not see it does not.
EXPORT void millrace_attend(const float *q, float *out, int64_t row_stride, int32_t rows, int32_t heads, int32_t dim,
                            float scale, const float *sink, const struct visible *visible, int32_t pooled_from,
                            const uint8_t *packed, int32_t total, uint8_t *scratch);

// ---- index scores ----

// Bytes of `count` packed queries or keys.
EXPORT int64_t millrace_index_bytes(int32_t count, int32_t dim);

// Packs queries [count, dim].
EXPORT void millrace_index_queries(const float *q, int32_t count, int32_t dim, uint8_t *packed);

// Packs keys [count, dim], at most 16, which take the bytes of 16; zeros for those that are missing.
EXPORT void millrace_index_keys(const float *keys, int32_t count, int32_t dim, uint8_t *packed);

// scores[r][j] = sum over h of weights[r][h] max(0, q[r][h] k[j]) of packed queries [rows, heads] and `count` packed
// keys; `stride` floats from row to row of scores. Keys are read in pairs of 16: their bytes are to be there.
EXPORT void millrace_index_scores(const uint8_t *queries, const float *weights, int32_t rows, int32_t heads,
                                  int32_t dim, const uint8_t *keys, int32_t count, float *scores, int64_t stride);

// ---- ceilings ----

// What a core's arithmetic can be measured on.
enum unit {
    UNIT_INT8 = 0,       // vectors
    UNIT_INT8_TILES = 1, // AMX
    UNIT_BF16_TILES = 2
};

// Keeps a unit busy for `rounds` turns of a loop of multiply-adds, each of a fraction of a microsecond, and answers how
// many operations those were, a multiply-add being two; -1 if the processor has no such unit.
EXPORT int64_t millrace_spin(int32_t unit, int64_t rounds);

// Reads memory from its start to its last whole 64 bytes, once; answers its 64-bit words' bits, all or-ed together.
EXPORT int64_t millrace_read(const void *memory, int64_t bytes);

#endif
