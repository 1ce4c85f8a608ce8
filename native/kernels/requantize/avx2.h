// int32 -> int8 for eight channels at a time, AVX2. Equal to scalar.h bit for bit; for inclusion by avx2.cc
// files.
//
// Folded form: with p = x * m + 2^30 + 2^(e-1+31), p >> 31 is SRDHM(x, m) + 2^(e-1), because SRDHM is
// floor((x * m + 2^30) / 2^31). RoundingDivideByPOT(r, e) is (r + 2^(e-1) - [r < 0]) >> e; the sign of x
// serves for the sign of r: they differ only where r = 0, and there both give 0. Only bits 31..62 of p are
// needed, so logical shifts do. Condition and layout of the constants: contract.h.
#pragma once

#include <immintrin.h>

#include "kernels/requantize/contract.h"

namespace lowbit::kernels {
namespace {

// floor((x * m + 2^30 [+ more]) / 2^31) of eight lanes; `even` and `odd` are the 64-bit addends of lanes 0 2
// 4 6, 1 3 5 7.
inline __m256i HighMul8(__m256i x, __m256i m, __m256i even, __m256i odd) {
  const __m256i p0 = _mm256_add_epi64(_mm256_mul_epi32(x, m), even);
  const __m256i p1 =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(m, 32)), odd);
  return _mm256_blend_epi32(_mm256_srli_epi64(p0, 31), _mm256_add_epi64(p1, p1), 0xAA);
}

inline __m256i LoadLanes(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

// round(x * scale) of four lanes, halves away from zero, held to 2^20.
inline __m128i RoundOnce4(__m128i x, const double* scale) {
  const __m256d beyond = _mm256_set1_pd(1 << 20), sign = _mm256_set1_pd(-0.0);
  __m256d product = _mm256_mul_pd(_mm256_cvtepi32_pd(x), _mm256_loadu_pd(scale));
  product = _mm256_max_pd(_mm256_min_pd(product, beyond), _mm256_xor_pd(beyond, sign));
  const __m256d whole = _mm256_round_pd(product, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m256d rest = _mm256_andnot_pd(sign, _mm256_sub_pd(product, whole));
  const __m256d away = _mm256_or_pd(_mm256_and_pd(product, sign), _mm256_set1_pd(1.0));
  const __m256d up = _mm256_and_pd(_mm256_cmp_pd(rest, _mm256_set1_pd(0.5), _CMP_GE_OQ), away);
  return _mm256_cvttpd_epi32(_mm256_add_pd(whole, up));
}

// The folded form (contract.h) of sums with the folded bias, for channels c .. c+7, c a multiple of 8: codes with
// zero point, without clamp.
inline __m256i FoldedCodes8(__m256i u, const Channels& channels, size_t c) {
  const __m256i m = LoadLanes(channels.folded.multiplier + c);
  const __m256i p0 = _mm256_add_epi64(_mm256_mul_epu32(u, m), LoadLanes(channels.folded.addend + c));
  const __m256i p1 = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(u, 32), _mm256_srli_epi64(m, 32)),
                                      LoadLanes(channels.folded.addend + c + 4));
  const __m256i upper = _mm256_blend_epi32(_mm256_shuffle_epi32(p0, 0xF5), p1, 0xAA);
  return _mm256_srav_epi32(_mm256_add_epi32(upper, _mm256_srli_epi32(u, 31)), LoadLanes(channels.right + c));
}

// Scaled accumulators of channels c .. c+7, without zero point and clamp; c is a multiple of 8 for kFolded.
template <Rounding kRounding>
inline __m256i Scale8(__m256i acc, const Channels& channels, size_t c) {
  __m256i x = _mm256_add_epi32(acc, LoadLanes(channels.bias + c));
  if (kRounding == Rounding::kOnce) {
    return _mm256_set_m128i(RoundOnce4(_mm256_extracti128_si256(x, 1), channels.scale + c + 4),
                            RoundOnce4(_mm256_castsi256_si128(x), channels.scale + c));
  }
  const __m256i m = LoadLanes(channels.multiplier + c);
  const __m256i right = LoadLanes(channels.right + c);
  if (kRounding == Rounding::kFolded) {
    const __m256i even = LoadLanes(channels.nudge + c), odd = LoadLanes(channels.nudge + c + 4);
    const __m256i r = _mm256_add_epi32(HighMul8(x, m, even, odd), _mm256_srai_epi32(x, 31));
    return _mm256_srav_epi32(r, right);
  }
  x = _mm256_sllv_epi32(x, LoadLanes(channels.left + c));
  const __m256i half = _mm256_set1_epi64x(int64_t{1} << 30);
  const __m256i r = HighMul8(x, m, half, half);
  // Literal RoundingDivideByPOT; right = 31 keeps mask = 0x7fffffff.
  const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), right), _mm256_set1_epi32(1));
  const __m256i threshold = _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(r, 31));
  const __m256i above = _mm256_cmpgt_epi32(_mm256_and_si256(r, mask), threshold);
  return _mm256_sub_epi32(_mm256_srav_epi32(r, right), above);
}

}  // namespace
}  // namespace lowbit::kernels
