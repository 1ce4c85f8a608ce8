// Sixteen float32 lanes of AVX-512, for functions.h and the kernels over it.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

namespace lowbit::kernels::real {
namespace {

struct Vector {
  using F = __m512;
  static constexpr size_t kWidth = 16;

  static F Load(const float* p) { return _mm512_loadu_ps(p); }
  static void Store(float* p, F x) { _mm512_storeu_ps(p, x); }
  // The first n lanes, n < 16; nothing else is read or written. Other lanes are 0.
  static __mmask16 First(size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
  static F LoadFirst(const float* p, size_t n) { return _mm512_maskz_loadu_ps(First(n), p); }
  static void StoreFirst(float* p, size_t n, F x) { _mm512_mask_storeu_ps(p, First(n), x); }
  // The first n lanes of x, `other` beyond.
  static F KeepFirst(size_t n, F x, F other) { return Select(First(n), x, other); }

  static F Set(float x) { return _mm512_set1_ps(x); }
  static F Add(F a, F b) { return _mm512_add_ps(a, b); }
  static F Sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F Div(F a, F b) { return _mm512_div_ps(a, b); }
  static F MulAdd(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F NegMulAdd(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }
  static F Min(F a, F b) { return _mm512_min_ps(a, b); }
  static F Max(F a, F b) { return _mm512_max_ps(a, b); }
  static F Sqrt(F x) { return _mm512_sqrt_ps(x); }
  static F Round(F x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static F Ceil(F x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  static F Floor(F x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static F Abs(F x) { return _mm512_andnot_ps(Set(-0.0f), x); }
  static F Negate(F x) { return _mm512_xor_ps(Set(-0.0f), x); }
  static F CopySign(F size, F sign) { return _mm512_or_ps(Abs(size), _mm512_and_ps(Set(-0.0f), sign)); }
  static __mmask16 Less(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static __mmask16 AtLeast(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
  static F Select(__mmask16 where, F x, F other) { return _mm512_mask_blend_ps(where, other, x); }

  // x * 2^n, rounded once.
  static F TimesPowerOf2(F x, F n) { return _mm512_scalef_ps(x, n); }
  // The same here, down to a power so small that 0 is left of it.
  static constexpr float kNoPower = -151;
  static F TimesNormalPowerOf2(F x, F n) { return TimesPowerOf2(x, n); }

  static float Total(F x) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
  }
  static float Most(F x) {
    const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
  }

  // int8(truncated x + offset) of 16 lanes, saturated; |x| < 2^30.
  static void StoreCodes(int8_t* p, F x, int32_t offset) {
    const __m512i wide = _mm512_add_epi32(_mm512_cvttps_epi32(x), _mm512_set1_epi32(offset));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(wide));
  }
  // The same of 4 vectors, |offset| <= 128.
  static void StoreCodes4(int8_t* p, F a, F b, F c, F d, int32_t offset) {
    const __m512i shift = _mm512_set1_epi16(static_cast<int16_t>(offset));
    const __m512i ab = _mm512_packs_epi32(_mm512_cvttps_epi32(a), _mm512_cvttps_epi32(b));
    const __m512i cd = _mm512_packs_epi32(_mm512_cvttps_epi32(c), _mm512_cvttps_epi32(d));
    const __m512i codes = _mm512_packs_epi16(_mm512_adds_epi16(ab, shift), _mm512_adds_epi16(cd, shift));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi32(order, codes));
  }
};

}  // namespace
}  // namespace lowbit::kernels::real
