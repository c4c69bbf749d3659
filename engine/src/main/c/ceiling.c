// How many operations a core can do at most: loops of independent multiply-adds on registers, nothing else; and how fast
// it reads memory. The loops are assembly, since compilers spill their accumulators and then measure their own stores.
#define _GNU_SOURCE
#include "millrace.h"

// Asks for lines well before they are read: the processor's own prefetching stops at the end of a page.
int64_t millrace_read(const void *memory, int64_t bytes) {
    enum { LINE = 64, AHEAD = 4096 };
    const char *at = memory, *end = at + bytes / LINE * LINE;
    int64_t found[4] = {0};
    for (; at < end; at += LINE) {
        __builtin_prefetch(at + AHEAD, 0, 0);
        const int64_t *words = (const int64_t *) at;
        for (int i = 0; i < 4; i++) {
            found[i] |= words[i] | words[i + 4];
        }
    }
    return found[0] | found[1] | found[2] | found[3];
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOOP(body) "1:\n" body "dec %0\njnz 1b\n"
#define TEN(op)                                                                                                         \
    op("0") op("1") op("2") op("3") op("4") op("5") op("6") op("7") op("8") op("9")
#define ACCUMULATORS                                                                                                    \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
        "xmm14", "xmm15"

// 16 lanes of 4 multiply-adds.
static int64_t spin_vnni(int64_t rounds) {
#define VNNI(i) "vpdpbusd %%zmm15, %%zmm14, %%zmm" i "\n"
    int64_t left = rounds;
    __asm__ volatile(LOOP(TEN(VNNI)) : "+r"(left)::"cc", ACCUMULATORS);
    return rounds * 10 * 16 * 4 * 2;
}

// 8 lanes of 4 multiply-adds in three instructions, four chains.
static int64_t spin_avx2(int64_t rounds) {
#define AVX2(t, i)                                                                                                      \
    "vpmaddubsw %%ymm15, %%ymm14, %%ymm" t "\nvpmaddwd %%ymm13, %%ymm" t ", %%ymm" t "\nvpaddd %%ymm" t ", %%ymm" i     \
    ", %%ymm" i "\n"
    int64_t left = rounds;
    __asm__ volatile(LOOP(AVX2("0", "4") AVX2("1", "5") AVX2("2", "6") AVX2("3", "7")) : "+r"(left)::"cc", ACCUMULATORS);
    return rounds * 4 * 8 * 4 * 2;
}

// Two by two tiles of 16 rows and 16 columns, 64 bytes deep.
#define TILES(name, op)                                                                                                 \
    static void name(int64_t rounds) {                                                                                  \
        __asm__ volatile(LOOP(op " %%tmm6, %%tmm4, %%tmm0\n" op " %%tmm7, %%tmm4, %%tmm1\n" op                          \
                                 " %%tmm6, %%tmm5, %%tmm2\n" op " %%tmm7, %%tmm5, %%tmm3\n")                            \
                         : "+r"(rounds)::"cc");                                                                         \
    }
TILES(spin_int8_tiles, "tdpbssd")
TILES(spin_bf16_tiles, "tdpbf16ps")

static int64_t spin_tiles(int64_t rounds, void (*spin)(int64_t), int depth) {
    struct {
        uint8_t palette, start_row, unused[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shape.bytes[i] = 64;
        shape.rows[i] = 16;
    }
    __asm__ volatile("ldtilecfg %0" ::"m"(shape));
    spin(rounds);
    __asm__ volatile("tilerelease");
    return rounds * 4 * 16 * 16 * depth * 2;
}

static int has_tiles(unsigned bit) {
    unsigned a, b, c, d;
    const long request_permission = 0x1023, tile_data = 18;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & 1u << 24) && (d & 1u << bit)
           && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

int64_t millrace_spin(int32_t unit, int64_t rounds) {
    switch (unit) {
    case UNIT_INT8:
        return __builtin_cpu_supports("avx512vnni") ? spin_vnni(rounds)
               : __builtin_cpu_supports("avx2")     ? spin_avx2(rounds)
                                                    : -1;
    case UNIT_INT8_TILES:
        return has_tiles(25) ? spin_tiles(rounds, spin_int8_tiles, 64) : -1;
    case UNIT_BF16_TILES:
        return has_tiles(22) ? spin_tiles(rounds, spin_bf16_tiles, 32) : -1;
    default:
        return -1;
    }
}
#elif defined(__aarch64__)
#include <sys/auxv.h>

// 4 lanes of 4 multiply-adds, if the processor has the dot products of Armv8.2.
int64_t millrace_spin(int32_t unit, int64_t rounds) {
    const unsigned long dot_products = 1ul << 20;
    if (unit != UNIT_INT8 || !(getauxval(AT_HWCAP) & dot_products)) {
        return -1;
    }
#define SDOT(i) "sdot v" i ".4s, v30.16b, v31.16b\n"
    int64_t left = rounds;
    __asm__ volatile(".arch armv8.2-a+dotprod\n1:\n" SDOT("0") SDOT("1") SDOT("2") SDOT("3") SDOT("4") SDOT("5")
                         SDOT("6") SDOT("7") "subs %0, %0, #1\nb.ne 1b\n"
                     : "+r"(left)::"cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7");
    return rounds * 8 * 4 * 4 * 2;
}
#else
int64_t millrace_spin(int32_t unit, int64_t rounds) { return -1; }
#endif
