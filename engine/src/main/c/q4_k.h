// Scales and minima of Q4_K, six bits each, of sixteen rows at once.
#ifndef MILLRACE_Q4_K_H
#define MILLRACE_Q4_K_H

#include <immintrin.h>

// Half floats in the low or the high halves of words.
static inline __m512 low_halves(__m512i words) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(words)); }

static inline __m512 high_halves(__m512i words) { return low_halves(_mm512_srli_epi32(words, 16)); }

// Of the 32 columns `sub` of 256, from the four words at the head of every row's block.
static inline void q4_k_scales_of(const __m512i head[4], int sub, __m512 *scales, __m512 *minima) {
    __m512i six = _mm512_set1_epi32(63), four = _mm512_set1_epi32(15), two = _mm512_set1_epi32(48);
    __m128i shift = _mm_cvtsi32_si128(sub % 4 * 8), more = _mm_cvtsi32_si128(sub % 4 * 8 + 4);
    __m512i scale = _mm512_srl_epi32(head[1], shift), minimum = _mm512_srl_epi32(head[2], shift);
    if (sub < 4) {
        scale = _mm512_and_si512(scale, six);
        minimum = _mm512_and_si512(minimum, six);
    } else {
        __m512i high = _mm512_and_si512(_mm512_srli_epi32(scale, 2), two);
        scale = _mm512_or_si512(_mm512_and_si512(_mm512_srl_epi32(head[3], shift), four), high);
        high = _mm512_and_si512(_mm512_srli_epi32(minimum, 2), two);
        minimum = _mm512_or_si512(_mm512_and_si512(_mm512_srl_epi32(head[3], more), four), high);
    }
    *scales = _mm512_mul_ps(low_halves(head[0]), _mm512_cvtepi32_ps(scale));
    *minima = _mm512_mul_ps(high_halves(head[0]), _mm512_cvtepi32_ps(minimum));
}

#endif
