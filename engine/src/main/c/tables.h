// What the AMX kernels look up.
#ifndef MILLRACE_TABLES_H
#define MILLRACE_TABLES_H

#include <stdint.h>

// E2M1 values times each power of two that E8M0 knows, and the subnormal values of E4M3 so, as bfloat16 words.
extern uint16_t e2m1_scaled[256][16], fp8_subnormals[256][8];

#endif
