// Fills the AMX kernels' tables when the library is loaded: on any processor, so this file is compiled for any.
#include "tables.h"
#include <math.h>
#include <string.h>

uint16_t e2m1_scaled[256][16] __attribute__((aligned(64)));
uint16_t fp8_subnormals[256][8] __attribute__((aligned(64)));

static const float E2M1_VALUES[16] = {0, .5f, 1, 1.5f, 2, 3, 4, 6, 0, -.5f, -1, -1.5f, -2, -3, -4, -6};

static uint16_t bf16_bits(float value) {
    uint32_t bits;
    if (value != value) {
        return 0x7fc0;
    }
    if (fabsf(value) < 0x1p-126f) { // as the instructions do
        value = copysignf(0, value);
    }
    memcpy(&bits, &value, 4);
    return (uint16_t) (bits >> 16);
}

// An E8M0 scale; 255 is not a number.
static float power_of_two(int e) { return e == 255 ? NAN : ldexpf(1, e - 127); }

__attribute__((constructor)) static void fill_tables(void) {
    for (int e = 0; e < 256; e++) {
        for (int code = 0; code < 16; code++) {
            e2m1_scaled[e][code] = bf16_bits(E2M1_VALUES[code] * power_of_two(e));
        }
        for (int m = 0; m < 8; m++) {
            fp8_subnormals[e][m] = bf16_bits((float) m * 0x1p-9f * power_of_two(e));
        }
    }
}
