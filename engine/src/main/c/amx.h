#include "millrace.h"

void amx_pack(const float *x, int64_t stride, int32_t rows, int32_t cols, int32_t group, int32_t groups, uint8_t *packed);
void amx_product(const uint8_t *packed, int32_t rows, const struct matrix *w, int32_t first, int32_t count, float *y,
                 int64_t stride, uint8_t *scratch);
