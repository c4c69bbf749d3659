// The AVX2 levels: eight rows of w in a vector. Compiled twice, with and without AVX-VNNI.
#include <immintrin.h>

#if defined(__AVXVNNI__)
#define LEVEL avx_vnni
#else
#define LEVEL avx2
#endif
#define LANES 8
#define VECTORS 2
#define UNIT 1
#define COLUMNS 4

typedef __m256i ints;
typedef __m256 floats;

#include "blocks.h"

INLINE ints int_splat(int32_t value) { return _mm256_set1_epi32(value); }
INLINE floats float_zero(void) { return _mm256_setzero_ps(); }
INLINE floats floats_of(ints v) { return _mm256_cvtepi32_ps(v); }
INLINE floats load(const float *p) { return _mm256_loadu_ps(p); }
INLINE floats load_lanes(const float *p) { return _mm256_loadu_ps(p); }
INLINE floats load_rows(const float *p) { return _mm256_broadcast_ss(p); }
INLINE floats multiply(floats a, floats b) { return _mm256_mul_ps(a, b); }
INLINE floats multiply_add(floats sum, floats a, floats b) { return _mm256_fmadd_ps(a, b, sum); }
INLINE floats multiply_subtract(floats sum, floats a, floats b) { return _mm256_fnmadd_ps(a, b, sum); }
INLINE void put(floats v, float *out) { _mm256_storeu_ps(out, v); }

INLINE ints four_of_a_row(const uint8_t *x, int k) {
    int32_t four;
    memcpy(&four, x + 4 * k, 4);
    return int_splat(four);
}

#if defined(__AVXVNNI__)

INLINE int signed_codes(int format) { return 0; }
INLINE ints begin(int format, ints before) { return before; }
INLINE ints settle(int format, ints before, ints sums) { return sums; }

INLINE ints dot(int format, ints sums, const uint8_t *w, const uint8_t *x, int k) {
    return _mm256_dpbusd_avx_epi32(sums, _mm256_loadu_si256((const __m256i *) w), four_of_a_row(x, k));
}

#else

// Pairs of products are added in 16 bits. Codes of x lie within 127, those of four-bit formats within 24: four pairs fit.
// Codes of Q8_0 do not; there the sign of w goes to x, and a pair is at most 2 * 128 * 127.
INLINE int signed_codes(int format) { return format == FORMAT_Q8_0; }

INLINE ints widened(ints pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }

INLINE ints begin(int format, ints before) { return format == FORMAT_Q8_0 ? before : _mm256_setzero_si256(); }

INLINE ints dot(int format, ints sums, const uint8_t *w, const uint8_t *x, int k) {
    ints codes = _mm256_loadu_si256((const __m256i *) w), four = four_of_a_row(x, k);
    if (format == FORMAT_Q8_0) {
        ints pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(four, codes));
        return _mm256_add_epi32(sums, widened(pairs));
    }
    return _mm256_add_epi16(sums, _mm256_maddubs_epi16(codes, four));
}

INLINE ints settle(int format, ints before, ints sums) {
    return format == FORMAT_Q8_0 ? sums : _mm256_add_epi32(before, widened(sums));
}

#endif

// Eight rows of eight 32-bit words, then the next eight rows.
INLINE void interleave(uint8_t codes[LANES * VECTORS][BLOCK], uint8_t *strip) {
    for (int v = 0; v < VECTORS; v++) {
        ints r[8], t[8];
        for (int i = 0; i < 8; i++) {
            r[i] = _mm256_load_si256((const __m256i *) codes[v * LANES + i]);
        }
        for (int i = 0; i < 4; i++) {
            t[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
        }
        for (int i = 0; i < 2; i++) {
            r[4 * i] = _mm256_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
            r[4 * i + 1] = _mm256_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
            r[4 * i + 2] = _mm256_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
            r[4 * i + 3] = _mm256_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
        }
        ints *out = (ints *) (strip + v * LANES * BLOCK);
        for (int i = 0; i < 4; i++) {
            _mm256_storeu_si256(out + i, _mm256_permute2x128_si256(r[i], r[i + 4], 0x20));
            _mm256_storeu_si256(out + i + 4, _mm256_permute2x128_si256(r[i], r[i + 4], 0x31));
        }
    }
}

#include "strips.h"
