// Which kernels a product runs on.
#define _GNU_SOURCE
#include "millrace.h"
#include "blocks.h"
#if defined(__x86_64__)
#include "amx.h"
#include "attention.h"
#include "avx512.h"
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel gives tile registers only to a process that asks.
static int may_use_tiles(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & 1u << 22) || !(d & 1u << 24)) {
        return 0;
    }
    const long request_permission = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

int32_t millrace_level(void) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")
        && __builtin_cpu_supports("avx512vbmi")) {
        return __builtin_cpu_supports("avx512bf16") && may_use_tiles() ? LEVEL_AMX : LEVEL_AVX512_VNNI;
    }
    return LEVEL_NONE;
}
#else
int32_t millrace_level(void) { return LEVEL_NONE; }
#endif

static int has_block_codes(int format) {
    return format == FORMAT_Q8_0 || format == FORMAT_Q4_0 || format == FORMAT_MXFP4 || format == FORMAT_FP4
           || format == FORMAT_Q4_K;
}

int32_t millrace_arithmetic(int32_t level, int32_t format) {
    switch (level) {
    case LEVEL_AMX:
        return format == FORMAT_F32 || format == FORMAT_F16 ? ARITHMETIC_F32 : ARITHMETIC_BF16;
    case LEVEL_AVX512_VNNI:
        return has_block_codes(format) ? ARITHMETIC_INT8 : ARITHMETIC_F32;
    default:
        return -1;
    }
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
#if defined(__x86_64__)
    if (arithmetic == ARITHMETIC_BF16) {
        amx_pack(x, stride, rows, cols, group, groups, packed);
    } else if (arithmetic == ARITHMETIC_INT8) {
        avx512_pack_int8(x, stride, rows, cols, group, groups, packed);
    }
#endif
}

void millrace_product(int32_t level, int32_t arithmetic, const float *x, int64_t x_stride, const uint8_t *packed,
                      int32_t rows, const uint8_t *data, const uint8_t *scales, const int32_t shape[7], int32_t first,
                      int32_t count, float *y, int64_t stride, uint8_t *scratch) {
    struct matrix stored = {data, scales, shape[0], shape[1], shape[2], shape[3], shape[4], shape[5], shape[6]};
    const struct matrix *w = &stored;
#if defined(__x86_64__)
    if (arithmetic == ARITHMETIC_BF16) {
        amx_product(packed, rows, w, first, count, y, stride, scratch);
    } else if (arithmetic == ARITHMETIC_INT8) {
        avx512_product_int8(packed, rows, w, first, count, y, stride, scratch);
    } else {
        avx512_product_f32(x, x_stride, rows, w, first, count, y, stride, scratch);
    }
#endif
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
#else
int64_t millrace_attention_bytes(int32_t total, int32_t dim) { return 0; }
int64_t millrace_attention_scratch(int32_t total, int32_t dim) { return 0; }
void millrace_attention_pack(const float *keys, const float *values, int64_t stride, int32_t count, int32_t dim,
                             int32_t at, int32_t total, uint8_t *packed) {}
void millrace_attend(const float *q, float *out, int64_t row_stride, int32_t rows, int32_t heads, int32_t dim,
                     float scale, const float *sink, const struct visible *visible, int32_t pooled_from,
                     const uint8_t *packed, int32_t total, uint8_t *scratch) {}
#endif
