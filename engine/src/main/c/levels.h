// Levels that strips.h computes: their functions begin with the level's name.
#ifndef MILLRACE_LEVELS_H
#define MILLRACE_LEVELS_H

#include "millrace.h"

#define JOINED(level, name) level##_##name
#define NAME_AT(level, name) JOINED(level, name)
#define NAME(name) NAME_AT(LEVEL, name)

#define DECLARE(level)                                                                                                 \
    void level##_pack_int8(const float *x, int64_t stride, int32_t rows, int32_t cols, int32_t group, int32_t groups,  \
                           uint8_t *packed);                                                                           \
    void level##_product_int8(const uint8_t *packed, int32_t rows, const struct matrix *w, int32_t first,              \
                              int32_t count, float *y, int64_t stride, uint8_t *scratch);                              \
    void level##_product_f32(const float *x, int64_t x_stride, int32_t rows, const struct matrix *w, int32_t first,    \
                             int32_t count, float *y, int64_t stride, uint8_t *scratch);

#if defined(__x86_64__)
DECLARE(avx2)
DECLARE(avx_vnni)
#elif defined(__aarch64__)
DECLARE(neon)
DECLARE(dotprod)
DECLARE(i8mm)
#endif

#endif
