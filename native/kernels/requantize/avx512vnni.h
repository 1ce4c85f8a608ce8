// int32 -> codes for sixteen channels at a time, AVX-512. Equal to scalar.h bit for bit; contract.h explains the
// folded form. For inclusion by avx512vnni.cc files.
#pragma once

#include <immintrin.h>

#include "kernels/requantize/contract.h"

namespace lowbit::kernels {
namespace {

inline __m512i LoadLanes16(const void* from) { return _mm512_loadu_si512(from); }

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
inline __m512i RoundOnce16(__m512i x, const Channels& channels, size_t c) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(RoundOnce8(_mm512_castsi512_si256(x), channels.scale + c)),
                            RoundOnce8(_mm512_extracti64x4_epi64(x, 1), channels.scale + c + 8), 1);
}

// The literal double rounding.
inline __m512i RoundTwice16(__m512i x, const Channels& channels, size_t c) {
  const __m512i m = LoadLanes16(channels.multiplier + c), right = LoadLanes16(channels.right + c);
  x = _mm512_sllv_epi32(x, LoadLanes16(channels.left + c));
  // floor((x * m + 2^30) / 2^31), of the even and the odd lanes.
  const __m512i half = _mm512_set1_epi64(int64_t{1} << 30), one = _mm512_set1_epi32(1);
  const __m512i p0 = _mm512_add_epi64(_mm512_mul_epi32(x, m), half);
  const __m512i p1 =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(m, 32)), half);
  const __m512i r = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(p0, 31), _mm512_add_epi64(p1, p1));
  const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
  const __m512i threshold = _mm512_sub_epi32(_mm512_srli_epi32(mask, 1), _mm512_srai_epi32(r, 31));
  const __mmask16 above = _mm512_cmpgt_epi32_mask(_mm512_and_si512(r, mask), threshold);
  return _mm512_mask_add_epi32(_mm512_srav_epi32(r, right), above, _mm512_srav_epi32(r, right), one);
}

// Makes codes of channels c .. c+15, c a multiple of 16, with zero point and without clamp, from sums that began
// with Bias(channels, c). By the folded form, whose constants it holds (stores of codes may change what lies in
// memory, as far as the compiler knows), or by the roundings that are rare.
template <Form kForm>
struct Codes16 {
  static __m512i Bias(const Channels& channels, size_t c) { return LoadLanes16(channels.folded.bias + c); }

  Codes16() = default;
  Codes16(const Channels& channels, size_t c, const Output&) : Codes16(channels, c) {}
  Codes16(const Channels& channels, size_t c) {
    const Folded& folded = channels.folded;
    const __m512i first = LoadLanes16(folded.addend + c), second = LoadLanes16(folded.addend + c + 8);
    multiplier = LoadLanes16(folded.multiplier + c);
    odd_multiplier = _mm512_srli_epi64(multiplier, 32);
    right = LoadLanes16(channels.right + c);
    even = _mm512_shuffle_i64x2(first, second, 0x44);
    odd = _mm512_shuffle_i64x2(first, second, 0xEE);
  }

  __m512i operator()(__m512i u) const {
    const __m512i p0 = _mm512_add_epi64(_mm512_mul_epu32(u, multiplier), even);
    const __m512i p1 = _mm512_add_epi64(_mm512_mul_epu32(_mm512_srli_epi64(u, 32), odd_multiplier), odd);
    const __m512i upper = _mm512_mask_shuffle_epi32(p1, 0x5555, p0, _MM_PERM_DDBB);
    if constexpr (kForm == Form::kPlain) return _mm512_srav_epi32(upper, right);
    return _mm512_srav_epi32(_mm512_add_epi32(upper, _mm512_srli_epi32(u, 31)), right);
  }

  __m512i multiplier, odd_multiplier, right, even, odd;
};

template <>
struct Codes16<Form::kLiteral> {
  static __m512i Bias(const Channels& channels, size_t c) { return LoadLanes16(channels.bias + c); }

  Codes16(const Channels& the_channels, size_t first, const Output& output)
      : channels(the_channels), c(first), zero_point(_mm512_set1_epi32(output.zero_point)) {}

  __m512i operator()(__m512i x) const {
    const __m512i scaled =
        channels.rounding == Rounding::kOnce ? RoundOnce16(x, channels, c) : RoundTwice16(x, channels, c);
    // Held to 2^20, beyond every clamp, so that the sum cannot leave int32.
    const __m512i low = _mm512_set1_epi32(-(1 << 20)), high = _mm512_set1_epi32(1 << 20);
    return _mm512_add_epi32(_mm512_min_epi32(_mm512_max_epi32(scaled, low), high), zero_point);
  }

  const Channels& channels;
  size_t c;
  __m512i zero_point;
};

// From codes to bytes, with the clamp; saturation on the way is harmless.
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
    return _mm512_permutexvar_epi32(order, Mixed(a, b, c, d));
  }
  // Of each four codes of a, b, c and d in turn.
  __m512i Mixed(__m512i a, __m512i b, __m512i c, __m512i d) const {
    const __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
    if (!is_needed) return bytes;
    return _mm512_xor_si512(_mm512_min_epi8(_mm512_max_epi8(bytes, low), high), flip);
  }
  __m128i Bytes(__m512i a) const {
    const __m128i bytes = _mm512_cvtsepi32_epi8(a);
    if (!is_needed) return bytes;
    return _mm_xor_si128(
        _mm_min_epi8(_mm_max_epi8(bytes, _mm512_castsi512_si128(low)), _mm512_castsi512_si128(high)),
        _mm512_castsi512_si128(flip));
  }
};

// 64 codes, of four rows x 16 channels (kWide 1) or two x 32 (kWide 2): of the first `rows` rows the first `cols`.
template <int kWide>
inline void Store64(int8_t* out, __m512i codes, ptrdiff_t stride, ptrdiff_t rows, int cols) {
  if (kWide == 2) {
    const __mmask32 columns = static_cast<__mmask32>((uint64_t{1} << cols) - 1);
    const auto store = [&](int8_t* to, __m256i half) {
      if (cols == 32)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), half);
      else
        _mm256_mask_storeu_epi8(to, columns, half);
    };
    store(out, _mm512_castsi512_si256(codes));
    if (rows > 1) store(out + stride, _mm512_extracti64x4_epi64(codes, 1));
  } else {
    const __mmask16 columns = static_cast<__mmask16>((1u << cols) - 1);
    const auto store = [&](int8_t* to, __m128i quarter) {
      if (cols == 16)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), quarter);
      else
        _mm_mask_storeu_epi8(to, columns, quarter);
    };
    store(out, _mm512_castsi512_si128(codes));
    if (rows > 1) store(out + stride, _mm512_extracti32x4_epi32(codes, 1));
    if (rows > 2) store(out + 2 * stride, _mm512_extracti32x4_epi32(codes, 2));
    if (rows > 3) store(out + 3 * stride, _mm512_extracti32x4_epi32(codes, 3));
  }
}

}  // namespace
}  // namespace lowbit::kernels
