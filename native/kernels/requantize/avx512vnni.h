// int32 -> codes for sixteen channels at a time, AVX-512. Equal to scalar.h bit for bit; the folded form is
// explained in avx2.h. For inclusion by avx512vnni.cc files.
#pragma once

#include <immintrin.h>

#include "kernels/requantize/contract.h"

namespace lowbit::kernels {
namespace {

inline __m512i LoadLanes16(const void* from) { return _mm512_loadu_si512(from); }

// floor((x * m + 2^30 [+ more]) / 2^31); `even` and `odd` are the 64-bit addends of the even and the odd
// lanes.
inline __m512i HighMul16(__m512i x, __m512i m, __m512i even, __m512i odd) {
  const __m512i p0 = _mm512_add_epi64(_mm512_mul_epi32(x, m), even);
  const __m512i p1 =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(m, 32)), odd);
  return _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(p0, 31), _mm512_add_epi64(p1, p1));
}

// round(x * scale) of eight lanes, halves away from zero, held to 2^20.
inline __m256i RoundOnce8(__m256i x, const double* scale) {
  const __m512d beyond = _mm512_set1_pd(1 << 20), none = _mm512_setzero_pd();
  __m512d product = _mm512_mul_pd(_mm512_cvtepi32_pd(x), _mm512_loadu_pd(scale));
  product = _mm512_max_pd(_mm512_min_pd(product, beyond), _mm512_sub_pd(none, beyond));
  const __m512d whole = _mm512_roundscale_pd(product, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m512d rest = _mm512_sub_pd(product, whole);
  const __m512d one = _mm512_set1_pd(1.0), half = _mm512_set1_pd(0.5);
  const __m512d up = _mm512_mask_add_pd(whole, _mm512_cmp_pd_mask(rest, half, _CMP_GE_OQ), whole, one);
  const __m512d down =
      _mm512_mask_sub_pd(up, _mm512_cmp_pd_mask(rest, _mm512_sub_pd(none, half), _CMP_LE_OQ), up, one);
  return _mm512_cvttpd_epi32(down);
}

// Scaled accumulators of channels c .. c+15, without zero point and clamp; c is a multiple of 16.
template <Rounding kRounding>
inline __m512i Scale16(__m512i acc, const Channels& channels, size_t c) {
  __m512i x = _mm512_add_epi32(acc, LoadLanes16(channels.bias + c));
  if (kRounding == Rounding::kOnce) {
    return _mm512_inserti64x4(
        _mm512_castsi256_si512(RoundOnce8(_mm512_castsi512_si256(x), channels.scale + c)),
        RoundOnce8(_mm512_extracti64x4_epi64(x, 1), channels.scale + c + 8), 1);
  }
  const __m512i m = LoadLanes16(channels.multiplier + c), right = LoadLanes16(channels.right + c);
  if (kRounding == Rounding::kFolded) {
    const __m512i first = LoadLanes16(channels.nudge + c), second = LoadLanes16(channels.nudge + c + 8);
    const __m512i even = _mm512_shuffle_i64x2(first, second, 0x44);
    const __m512i odd = _mm512_shuffle_i64x2(first, second, 0xEE);
    return _mm512_srav_epi32(_mm512_add_epi32(HighMul16(x, m, even, odd), _mm512_srai_epi32(x, 31)), right);
  }
  x = _mm512_sllv_epi32(x, LoadLanes16(channels.left + c));
  const __m512i half = _mm512_set1_epi64(int64_t{1} << 30), one = _mm512_set1_epi32(1);
  const __m512i r = HighMul16(x, m, half, half);
  const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
  const __m512i threshold = _mm512_sub_epi32(_mm512_srli_epi32(mask, 1), _mm512_srai_epi32(r, 31));
  const __mmask16 above = _mm512_cmpgt_epi32_mask(_mm512_and_si512(r, mask), threshold);
  return _mm512_mask_add_epi32(_mm512_srav_epi32(r, right), above, _mm512_srav_epi32(r, right), one);
}

// Codes of sixteen channels: clamped before the zero point is added, so that the sum cannot leave int32.
template <Rounding kRounding>
inline __m128i Codes16(__m512i acc, const Channels& channels, size_t c, const Output& output) {
  const __m512i zero_point = _mm512_set1_epi32(output.zero_point);
  const __m512i low = _mm512_set1_epi32(output.low - output.zero_point);
  const __m512i high = _mm512_set1_epi32(output.high - output.zero_point);
  const __m512i scaled = _mm512_min_epi32(_mm512_max_epi32(Scale16<kRounding>(acc, channels, c), low), high);
  return _mm_xor_si128(_mm512_cvtepi32_epi8(_mm512_add_epi32(scaled, zero_point)),
                       _mm_set1_epi8(static_cast<char>(output.flip)));
}

// The folded form (contract.h) with the constants of sixteen channels in registers.
struct Folded16 {
  __m512i multiplier, odd_multiplier, right, even, odd;

  Folded16() = default;
  Folded16(const Channels& channels, size_t c) {
    const Folded& folded = channels.folded;
    const __m512i first = LoadLanes16(folded.addend + c), second = LoadLanes16(folded.addend + c + 8);
    multiplier = LoadLanes16(folded.multiplier + c);
    odd_multiplier = _mm512_srli_epi64(multiplier, 32);
    right = LoadLanes16(channels.right + c);
    even = _mm512_shuffle_i64x2(first, second, 0x44);
    odd = _mm512_shuffle_i64x2(first, second, 0xEE);
  }
  // Of sums with the folded bias; with zero point, without clamp.
  __m512i Codes(__m512i u) const {
    const __m512i p0 = _mm512_add_epi64(_mm512_mul_epu32(u, multiplier), even);
    const __m512i p1 = _mm512_add_epi64(_mm512_mul_epu32(_mm512_srli_epi64(u, 32), odd_multiplier), odd);
    const __m512i upper = _mm512_mask_shuffle_epi32(p1, 0x5555, p0, _MM_PERM_DDBB);
    return _mm512_srav_epi32(_mm512_add_epi32(upper, _mm512_srli_epi32(u, 31)), right);
  }
};

// The clamp of codes, 64 at a time; saturation on the way to bytes is harmless.
struct ByteClamp {
  __m512i low, high, flip, order;
  bool is_needed;

  explicit ByteClamp(const Output& output)
      : low(_mm512_set1_epi8(static_cast<char>(output.low))),
        high(_mm512_set1_epi8(static_cast<char>(output.high))),
        flip(_mm512_set1_epi8(static_cast<char>(output.flip))),
        order(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)),
        is_needed(output.low > -128 || output.high < 127 || output.flip != 0) {}

  // The sixteen codes of a, then those of b, c and d.
  __m512i Bytes(__m512i a, __m512i b, __m512i c, __m512i d) const {
    const __m512i bytes = _mm512_permutexvar_epi32(
        order, _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
    if (!is_needed) return bytes;
    return _mm512_xor_si512(_mm512_min_epi8(_mm512_max_epi8(bytes, low), high), flip);
  }
};

}  // namespace
}  // namespace lowbit::kernels
