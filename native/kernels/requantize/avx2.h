// int32 -> codes for eight channels at a time, AVX2. Equal to scalar.h bit for bit; contract.h explains the folded
// form. For inclusion by files built with AVX2 or more.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/requantize/contract.h"

namespace lowbit::kernels {
namespace {

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
inline __m256i RoundOnce8(__m256i x, const Channels& channels, size_t c) {
  return _mm256_set_m128i(RoundOnce4(_mm256_extracti128_si256(x, 1), channels.scale + c + 4),
                          RoundOnce4(_mm256_castsi256_si128(x), channels.scale + c));
}

// The literal double rounding.
inline __m256i RoundTwice8(__m256i x, const Channels& channels, size_t c) {
  const __m256i m = LoadLanes(channels.multiplier + c), right = LoadLanes(channels.right + c);
  x = _mm256_sllv_epi32(x, LoadLanes(channels.left + c));
  // floor((x * m + 2^30) / 2^31), of the even and the odd lanes; bits 31 .. 62 of a product are all that is
  // needed, so logical shifts do.
  const __m256i half = _mm256_set1_epi64x(int64_t{1} << 30), one = _mm256_set1_epi32(1);
  const __m256i p0 = _mm256_add_epi64(_mm256_mul_epi32(x, m), half);
  const __m256i p1 =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(m, 32)), half);
  const __m256i r = _mm256_blend_epi32(_mm256_srli_epi64(p0, 31), _mm256_add_epi64(p1, p1), 0xAA);
  // right = 31 keeps mask = 0x7fffffff.
  const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
  const __m256i threshold = _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(r, 31));
  const __m256i above = _mm256_cmpgt_epi32(_mm256_and_si256(r, mask), threshold);
  return _mm256_sub_epi32(_mm256_srav_epi32(r, right), above);
}

// Makes codes of channels c .. c+7, c a multiple of 8, with zero point and without clamp, from sums that began
// with Bias(channels, c). By the folded form, whose constants it holds (stores of codes may change what lies in
// memory, as far as the compiler knows), or by the roundings that are rare.
template <Form kForm>
struct Codes8 {
  static __m256i Bias(const Channels& channels, size_t c) { return LoadLanes(channels.folded.bias + c); }

  Codes8(const Channels& channels, size_t c, const Output&) : Codes8(channels, c) {}
  Codes8(const Channels& channels, size_t c)
      : multiplier(LoadLanes(channels.folded.multiplier + c)),
        odd_multiplier(_mm256_srli_epi64(multiplier, 32)),
        right(LoadLanes(channels.right + c)),
        even(LoadLanes(channels.folded.addend + c)),
        odd(LoadLanes(channels.folded.addend + c + 4)) {}

  __m256i operator()(__m256i u) const {
    const __m256i p0 = _mm256_add_epi64(_mm256_mul_epu32(u, multiplier), even);
    const __m256i p1 = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(u, 32), odd_multiplier), odd);
    const __m256i upper = _mm256_blend_epi32(_mm256_shuffle_epi32(p0, 0xF5), p1, 0xAA);
    if constexpr (kForm == Form::kPlain) return _mm256_srav_epi32(upper, right);
    return _mm256_srav_epi32(_mm256_add_epi32(upper, _mm256_srli_epi32(u, 31)), right);
  }

  __m256i multiplier, odd_multiplier, right, even, odd;
};

template <>
struct Codes8<Form::kLiteral> {
  static __m256i Bias(const Channels& channels, size_t c) { return LoadLanes(channels.bias + c); }

  Codes8(const Channels& the_channels, size_t first, const Output& output)
      : channels(the_channels), c(first), zero_point(_mm256_set1_epi32(output.zero_point)) {}

  __m256i operator()(__m256i x) const {
    const __m256i scaled =
        channels.rounding == Rounding::kOnce ? RoundOnce8(x, channels, c) : RoundTwice8(x, channels, c);
    // Held to 2^20, beyond every clamp, so that the sum cannot leave int32.
    const __m256i low = _mm256_set1_epi32(-(1 << 20)), high = _mm256_set1_epi32(1 << 20);
    return _mm256_add_epi32(_mm256_min_epi32(_mm256_max_epi32(scaled, low), high), zero_point);
  }

  const Channels& channels;
  size_t c;
  __m256i zero_point;
};

// From codes to bytes, with the clamp; saturation on the way is harmless.
struct ByteClamp {
  __m256i low, high, flip, order;
  bool is_needed;

  explicit ByteClamp(const Output& output)
      : low(_mm256_set1_epi8(static_cast<char>(output.low))),
        high(_mm256_set1_epi8(static_cast<char>(output.high))),
        flip(_mm256_set1_epi8(static_cast<char>(output.flip))),
        order(_mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)),
        is_needed(output.low > -128 || output.high < 127 || output.flip != 0) {}

  // The eight codes of a, then those of b, c and d.
  __m256i Bytes(__m256i a, __m256i b, __m256i c, __m256i d) const {
    const __m256i mixed = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    const __m256i bytes = _mm256_permutevar8x32_epi32(mixed, order);
    if (!is_needed) return bytes;
    return _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(bytes, low), high), flip);
  }
  // The eight codes of a, then those of b.
  __m128i Bytes(__m256i a, __m256i b) const {
    const __m256i words = _mm256_packs_epi32(a, b);
    const __m128i mixed = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    const __m128i bytes = _mm_shuffle_epi32(mixed, 0xD8);
    if (!is_needed) return bytes;
    return _mm_xor_si128(
        _mm_min_epi8(_mm_max_epi8(bytes, _mm256_castsi256_si128(low)), _mm256_castsi256_si128(high)),
        _mm256_castsi256_si128(flip));
  }
};

// The first `count` of kCount bytes, 8 or 16.
template <int kCount>
inline void StoreBytes(int8_t* out, __m128i bytes, int count) {
  if (count == kCount) {
    if (kCount == 16)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    else
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out), bytes);
  } else {
    alignas(16) int8_t all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
    memcpy(out, all, static_cast<size_t>(count));
  }
}

}  // namespace
}  // namespace lowbit::kernels
