// AMX tiles of 16 rows by 64 bytes, and floats as the bfloat16 words that they multiply.
#ifndef MILLRACE_TILES_H
#define MILLRACE_TILES_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define TILE_ROWS 16
#define TILE_COLS 32 // bfloat16 words of a row
#define TILE_BYTES 1024

struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

// All eight tiles whole. To be released when done.
static inline void configure_tiles(void) {
    struct tile_config config;
    memset(&config, 0, sizeof config);
    config.palette = 1;
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = TILE_ROWS;
    }
    _tile_loadconfig(&config);
}

// The first lanes of sixteen: all, if there are more.
static inline __mmask16 first_lanes(int count) {
    return count >= 16 ? 0xffff : count > 0 ? (__mmask16) ((1u << count) - 1) : 0;
}

// 32 floats as bfloat16, zeros from `count` on.
static inline __m512i bf16_of(const float *x, int count) {
    __m512 a = _mm512_maskz_loadu_ps(first_lanes(count), x);
    __m512 b = count > 16 ? _mm512_maskz_loadu_ps(first_lanes(count - 16), x + 16) : _mm512_setzero_ps();
    return (__m512i) _mm512_cvtne2ps_pbh(b, a);
}

#endif
