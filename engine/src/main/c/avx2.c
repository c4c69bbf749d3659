// The AVX2 levels: eight rows of w in a vector. Compiled twice, with AVX-VNNI and without.
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
    ints codes = _mm256_loadu_si256((const __m256i *) w), four = four_of_a_row(x, k);
    return _mm256_dpbusd_avx_epi32(sums, codes, four);
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

INLINE ints together(bytes16 low, bytes16 high) { return _mm256_set_m128i((__m128i) high, (__m128i) low); }

// Eight rows of eight 32-bit words, then the next eight rows.
INLINE void interleave(bytes16 codes[LANES * VECTORS][2], uint8_t *step) {
    for (int v = 0; v < VECTORS; v++) {
        for (int half = 0; half < 2; half++) {
            ints r[4];
            for (int i = 0; i < 4; i++) {
                r[i] = together(codes[v * LANES + i][half], codes[v * LANES + 4 + i][half]);
            }
            ints a = _mm256_unpacklo_epi32(r[0], r[1]), b = _mm256_unpackhi_epi32(r[0], r[1]);
            ints c = _mm256_unpacklo_epi32(r[2], r[3]), d = _mm256_unpackhi_epi32(r[2], r[3]);
            ints *out = (ints *) (step + v * LANES * BLOCK) + 4 * half;
            _mm256_storeu_si256(out, _mm256_unpacklo_epi64(a, c));
            _mm256_storeu_si256(out + 1, _mm256_unpackhi_epi64(a, c));
            _mm256_storeu_si256(out + 2, _mm256_unpacklo_epi64(b, d));
            _mm256_storeu_si256(out + 3, _mm256_unpackhi_epi64(b, d));
        }
    }
}

#include "strips.h"
