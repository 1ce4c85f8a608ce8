// Eight float32 lanes of AVX2 and FMA, for functions.h and the kernels over it.
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

namespace lowbit::kernels::real {
namespace {

struct Vector {
  using F = __m256;
  static constexpr size_t kWidth = 8;

  static F Load(const float* p) { return _mm256_loadu_ps(p); }
  static void Store(float* p, F x) { _mm256_storeu_ps(p, x); }
  // The first n lanes, n < 8; nothing else is read or written. Other lanes are 0.
  static __m256i First(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static F LoadFirst(const float* p, size_t n) { return _mm256_maskload_ps(p, First(n)); }
  static void StoreFirst(float* p, size_t n, F x) { _mm256_maskstore_ps(p, First(n), x); }
  // The first n lanes of x, `other` beyond.
  static F KeepFirst(size_t n, F x, F other) { return Select(_mm256_castsi256_ps(First(n)), x, other); }

  static F Set(float x) { return _mm256_set1_ps(x); }
  static F Add(F a, F b) { return _mm256_add_ps(a, b); }
  static F Sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F Mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F Div(F a, F b) { return _mm256_div_ps(a, b); }
  static F MulAdd(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static F NegMulAdd(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }
  static F Min(F a, F b) { return _mm256_min_ps(a, b); }
  static F Max(F a, F b) { return _mm256_max_ps(a, b); }
  static F Sqrt(F x) { return _mm256_sqrt_ps(x); }
  static F Round(F x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static F Ceil(F x) { return _mm256_ceil_ps(x); }
  static F Floor(F x) { return _mm256_floor_ps(x); }
  static F Abs(F x) { return _mm256_andnot_ps(Set(-0.0f), x); }
  static F Negate(F x) { return _mm256_xor_ps(Set(-0.0f), x); }
  static F CopySign(F size, F sign) { return _mm256_or_ps(Abs(size), _mm256_and_ps(Set(-0.0f), sign)); }
  static F Less(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static F AtLeast(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
  static F Select(F where, F x, F other) { return _mm256_blendv_ps(other, x, where); }

  // x * 2^n for integers |n| <= 160 and x in [1/2, 2): by two factors, only the last product rounds.
  static F TimesPowerOf2(F x, F n) {
    const __m256i exponent = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(exponent, 1);
    const __m256i bias = _mm256_set1_epi32(127);
    const __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    const __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(exponent, half), bias), 23);
    return Mul(Mul(x, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
  }

  // x * 2^n for integers n in [kNoPower, 128] and x in [1/2, 2), by adding n to the exponent: what is below the
  // smallest normal number becomes another such number; 1 * 2^kNoPower is 0, and 1 * 2^128 is infinite.
  static constexpr float kNoPower = -127;
  static F TimesNormalPowerOf2(F x, F n) {
    const __m256i shift = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), shift));
  }

  static float Total(F x) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
  }
  static float Most(F x) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
  }

  // int8(truncated x + offset) of 8 lanes, saturated; |x| < 2^30.
  static void StoreCodes(int8_t* p, F x, int32_t offset) {
    const __m256i wide = _mm256_add_epi32(_mm256_cvttps_epi32(x), _mm256_set1_epi32(offset));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }
  // The same of 4 vectors, |offset| <= 128.
  static void StoreCodes4(int8_t* p, F a, F b, F c, F d, int32_t offset) {
    const __m256i shift = _mm256_set1_epi16(static_cast<int16_t>(offset));
    const __m256i ab = _mm256_packs_epi32(_mm256_cvttps_epi32(a), _mm256_cvttps_epi32(b));
    const __m256i cd = _mm256_packs_epi32(_mm256_cvttps_epi32(c), _mm256_cvttps_epi32(d));
    const __m256i codes = _mm256_packs_epi16(_mm256_adds_epi16(ab, shift), _mm256_adds_epi16(cd, shift));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permutevar8x32_epi32(codes, order));
  }
};

}  // namespace
}  // namespace lowbit::kernels::real
