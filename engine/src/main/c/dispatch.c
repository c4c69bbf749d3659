// Which kernels a product runs on.
#define _GNU_SOURCE
#include "millrace.h"
#include "levels.h"

// What a level computes with. The packed form is that of the level's arithmetic: int8, or bfloat16 on AMX.
struct kernels {
    void (*pack)(const float *x, int64_t stride, int32_t rows, int32_t cols, int32_t group, int32_t groups,
                 uint8_t *packed);
    void (*product)(const uint8_t *packed, int32_t rows, const struct matrix *w, int32_t first, int32_t count, float *y,
                    int64_t stride, uint8_t *scratch);
    void (*product_f32)(const float *x, int64_t x_stride, int32_t rows, const struct matrix *w, int32_t first,
                        int32_t count, float *y, int64_t stride, uint8_t *scratch);
};

#if defined(__x86_64__)
#include "amx.h"
#include "attention.h"
#include "avx512.h"
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct kernels KERNELS[] = {
    [LEVEL_AVX2] = {avx2_pack_int8, avx2_product_int8, avx2_product_f32},
    [LEVEL_AVX_VNNI] = {avx_vnni_pack_int8, avx_vnni_product_int8, avx_vnni_product_f32},
    [LEVEL_AVX512_VNNI] = {avx512_pack_int8, avx512_product_int8, avx512_product_f32},
    [LEVEL_AMX] = {amx_pack, amx_product, avx512_product_f32},
};

// The kernel gives tile registers only to a process that asks.
static int may_use_tiles(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & 1u << 22) || !(d & 1u << 24)) {
        return 0;
    }
    const long request_permission = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

int32_t millrace_has(int32_t level) {
    switch (level) {
    case LEVEL_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case LEVEL_AVX_VNNI:
        return millrace_has(LEVEL_AVX2) && __builtin_cpu_supports("avxvnni");
    case LEVEL_AVX512_VNNI:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
               && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
               && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
    case LEVEL_AMX:
        return millrace_has(LEVEL_AVX512_VNNI) && __builtin_cpu_supports("avx512bf16") && may_use_tiles();
    default:
        return 0;
    }
}
#elif defined(__aarch64__)
#include <sys/auxv.h>

static const struct kernels KERNELS[] = {
    [LEVEL_NEON] = {neon_pack_int8, neon_product_int8, neon_product_f32},
    [LEVEL_DOTPROD] = {dotprod_pack_int8, dotprod_product_int8, dotprod_product_f32},
    [LEVEL_I8MM] = {i8mm_pack_int8, i8mm_product_int8, i8mm_product_f32},
};

// Bits of Linux's hwcap.h, which older systems do not name.
int32_t millrace_has(int32_t level) {
    int dotprod = (getauxval(AT_HWCAP) >> 20 & 1) != 0;
    switch (level) {
    case LEVEL_NEON:
        return 1;
    case LEVEL_DOTPROD:
        return dotprod;
    case LEVEL_I8MM:
        return dotprod && (getauxval(AT_HWCAP2) >> 13 & 1) != 0;
    default:
        return 0;
    }
}
#endif

static int has_block_codes(int format) {
    return format == FORMAT_Q8_0 || format == FORMAT_Q4_0 || format == FORMAT_MXFP4 || format == FORMAT_FP4
           || format == FORMAT_Q4_K;
}

int32_t millrace_arithmetic(int32_t level, int32_t format) {
    if (!millrace_has(level)) {
        return -1;
    }
    if (level == LEVEL_AMX) {
        return format == FORMAT_F32 || format == FORMAT_F16 ? ARITHMETIC_F32 : ARITHMETIC_BF16;
    }
    return has_block_codes(format) ? ARITHMETIC_INT8 : ARITHMETIC_F32;
}

int64_t millrace_packed_bytes(int32_t arithmetic, int32_t rows, int32_t cols) {
    int64_t groups = (rows + 15) / 16, blocks = blocks_of(cols);
    switch (arithmetic) {
    case ARITHMETIC_BF16:
        return groups * 16 * blocks * BLOCK * 2;
    case ARITHMETIC_INT8:
        return groups * 16 * blocks * PACKED_BLOCK;
    default:
        return 0;
    }
}

int64_t millrace_scratch_bytes(int32_t arithmetic, int32_t rows, int32_t cols) {
    int64_t tiles = (rows + 15) / 16, blocks = blocks_of(cols) + 1;
    switch (arithmetic) {
    case ARITHMETIC_BF16:
        return tiles * 16 * blocks * BLOCK * 2;
    case ARITHMETIC_INT8:
        return 2 * blocks * (16 * BLOCK + 128);
    default:
        return 4 * 4 * (int64_t) cols;
    }
}

void millrace_pack(int32_t level, int32_t arithmetic, const float *x, int64_t stride, int32_t rows, int32_t cols,
                   int32_t group, int32_t groups, uint8_t *packed) {
    if (arithmetic != ARITHMETIC_F32) {
        KERNELS[level].pack(x, stride, rows, cols, group, groups, packed);
    }
}

void millrace_product(int32_t level, int32_t arithmetic, const float *x, int64_t x_stride, const uint8_t *packed,
                      int32_t rows, const uint8_t *data, const uint8_t *scales, const int32_t shape[7], int32_t first,
                      int32_t count, float *y, int64_t stride, uint8_t *scratch) {
    struct matrix stored = {data, scales, shape[0], shape[1], shape[2], shape[3], shape[4], shape[5], shape[6]};
    const struct matrix *w = &stored;
    if (arithmetic == ARITHMETIC_F32) {
        KERNELS[level].product_f32(x, x_stride, rows, w, first, count, y, stride, scratch);
    } else {
        KERNELS[level].product(packed, rows, w, first, count, y, stride, scratch);
    }
}

int32_t millrace_attends(int32_t level) { return level == LEVEL_AMX; }

#if defined(__x86_64__)
int64_t millrace_attention_bytes(int32_t total, int32_t dim) { return amx_attention_bytes(total, dim); }

int64_t millrace_attention_scratch(int32_t total, int32_t dim) { return amx_attention_scratch(total, dim); }

void millrace_attention_pack(const float *keys, const float *values, int64_t stride, int32_t count, int32_t dim,
                             int32_t at, int32_t total, uint8_t *packed) {
    amx_attention_pack(keys, values, stride, count, dim, at, total, packed);
}

void millrace_attend(const float *q, float *out, int64_t row_stride, int32_t rows, int32_t heads, int32_t dim,
                     float scale, const float *sink, const struct visible *visible, int32_t pooled_from,
                     const uint8_t *packed, int32_t total, uint8_t *scratch) {
    struct queries queries = {q, out, row_stride, rows, heads, dim, scale, sink};
    amx_attend(&queries, visible, pooled_from, packed, total, scratch);
}

int64_t millrace_index_bytes(int32_t count, int32_t dim) { return amx_index_bytes(count, dim); }

void millrace_index_queries(const float *q, int32_t count, int32_t dim, uint8_t *packed) {
    amx_index_queries(q, count, dim, packed);
}

void millrace_index_keys(const float *keys, int32_t count, int32_t dim, uint8_t *packed) {
    amx_index_keys(keys, count, dim, packed);
}

void millrace_index_scores(const uint8_t *queries, const float *weights, int32_t rows, int32_t heads, int32_t dim,
                           const uint8_t *keys, int32_t count, float *scores, int64_t stride) {
    amx_index_scores(queries, weights, rows, heads, dim, keys, count, scores, stride);
}
#else
int64_t millrace_attention_bytes(int32_t total, int32_t dim) { return 0; }
int64_t millrace_attention_scratch(int32_t total, int32_t dim) { return 0; }
void millrace_attention_pack(const float *keys, const float *values, int64_t stride, int32_t count, int32_t dim,
                             int32_t at, int32_t total, uint8_t *packed) {}
void millrace_attend(const float *q, float *out, int64_t row_stride, int32_t rows, int32_t heads, int32_t dim,
                     float scale, const float *sink, const struct visible *visible, int32_t pooled_from,
                     const uint8_t *packed, int32_t total, uint8_t *scratch) {}
int64_t millrace_index_bytes(int32_t count, int32_t dim) { return 0; }
void millrace_index_queries(const float *q, int32_t count, int32_t dim, uint8_t *packed) {}
void millrace_index_keys(const float *keys, int32_t count, int32_t dim, uint8_t *packed) {}
void millrace_index_scores(const uint8_t *queries, const float *weights, int32_t rows, int32_t heads, int32_t dim,
                           const uint8_t *keys, int32_t count, float *scores, int64_t stride) {}
#endif
