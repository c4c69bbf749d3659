#ifndef MILLRACE_ATTENTION_H
#define MILLRACE_ATTENTION_H

#include "millrace.h"

int64_t amx_attention_bytes(int32_t total, int32_t dim);
int64_t amx_attention_scratch(int32_t total, int32_t dim);
void amx_attention_pack(const float *keys, const float *values, int64_t stride, int32_t count, int32_t dim, int32_t at,
                        int32_t total, uint8_t *packed);

// Queries [rows][heads][dim] that share their keys; `row_stride` floats from row to row.
struct queries {
    const float *q;
    float *out; // as q
    int64_t row_stride;
    int32_t rows, heads, dim;
    float scale;
    const float *sink; // [heads], or null for none
};

void amx_attend(const struct queries *q, const struct visible *rows, int32_t pooled_from, const uint8_t *packed,
                int32_t total, uint8_t *scratch);

int64_t amx_index_bytes(int32_t count, int32_t dim);
void amx_index_queries(const float *q, int32_t count, int32_t dim, uint8_t *packed);
void amx_index_keys(const float *keys, int32_t count, int32_t dim, uint8_t *packed);
void amx_index_scores(const uint8_t *queries, const float *weights, int32_t rows, int32_t heads, int32_t dim,
                      const uint8_t *keys, int32_t count, float *scores, int64_t stride);

#endif
