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

// Scaled accumulators of channels c .. c+7, without zero point and clamp. c is a multiple of 8.
template <bool kFolded>
inline __m256i Scale8(__m256i acc, const Channels& channels, size_t c) {
  const auto load = [](const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); };
  const __m256i m = load(channels.multiplier + c);
  const __m256i right = load(channels.right + c);
  __m256i x = _mm256_add_epi32(acc, load(channels.bias + c));
  if (kFolded) {
    const __m256i even = load(channels.nudge + c), odd = load(channels.nudge + c + 4);
    const __m256i r = _mm256_add_epi32(HighMul8(x, m, even, odd), _mm256_srai_epi32(x, 31));
    return _mm256_srav_epi32(r, right);
  }
  x = _mm256_sllv_epi32(x, load(channels.left + c));
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
