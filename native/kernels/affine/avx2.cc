// Real numbers to codes and back for AVX2, 16 elements at once.
//
// Rounding: t = x cut off towards zero; x - t is exact; where |x - t| >= 1/2 the magnitude of t grows by one.
//         The quotient is clamped to +-70000 first, beyond every code; an ordered comparison makes NaN 0.
// Tail:   through a buffer of 16 elements.
#include "kernels/affine/avx2.h"

#include <immintrin.h>
#include <string.h>

namespace lowbit::kernels::affine {
namespace {

inline __m256i Codes(const float* in, __m256 scale, __m256i zero, __m256i low, __m256i high) {
  const __m256 sign_bit = _mm256_set1_ps(-0.0f);
  __m256 x = _mm256_div_ps(_mm256_loadu_ps(in), scale);
  x = _mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q));
  x = _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(-70000.0f)), _mm256_set1_ps(70000.0f));
  const __m256 whole = _mm256_round_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m256 rest = _mm256_andnot_ps(sign_bit, _mm256_sub_ps(x, whole));
  const __m256 away = _mm256_and_ps(_mm256_cmp_ps(rest, _mm256_set1_ps(0.5f), _CMP_GE_OQ),
                                    _mm256_or_ps(_mm256_set1_ps(1.0f), _mm256_and_ps(x, sign_bit)));
  const __m256i code = _mm256_add_epi32(_mm256_cvttps_epi32(_mm256_add_ps(whole, away)), zero);
  return _mm256_min_epi32(_mm256_max_epi32(code, low), high);
}

template <bool kSigned>
void Quantize(const Params& p, const void* in, void* out, size_t count) {
  const __m256 scale = _mm256_set1_ps(p.scale);
  const __m256i zero = _mm256_set1_epi32(p.zero_point);
  const __m256i low = _mm256_set1_epi32(p.low), high = _mm256_set1_epi32(p.high);
  const auto block = [&](const float* from, uint8_t* to) {
    const __m256i words = _mm256_permute4x64_epi64(
        _mm256_packs_epi32(Codes(from, scale, zero, low, high), Codes(from + 8, scale, zero, low, high)),
        0xD8);
    const __m128i a = _mm256_castsi256_si128(words), b = _mm256_extracti128_si256(words, 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     kSigned ? _mm_packs_epi16(a, b) : _mm_packus_epi16(a, b));
  };
  const float* from = static_cast<const float*>(in);
  uint8_t* to = static_cast<uint8_t*>(out);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) block(from + i, to + i);
  if (const size_t left = count - i) {
    float padded[16] = {};
    uint8_t codes[16];
    memcpy(padded, from + i, left * sizeof(float));
    block(padded, codes);
    memcpy(to + i, codes, left);
  }
}

template <bool kSigned>
void Dequantize(const Params& p, const void* in, void* out, size_t count) {
  const __m256 scale = _mm256_set1_ps(p.scale);
  const __m256i zero = _mm256_set1_epi32(p.zero_point);
  const uint8_t* from = static_cast<const uint8_t*>(in);
  float* to = static_cast<float*>(out);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + i));
    const __m256i code = _mm256_sub_epi32(kSigned ? _mm256_cvtepi8_epi32(x) : _mm256_cvtepu8_epi32(x), zero);
    _mm256_storeu_ps(to + i, _mm256_mul_ps(scale, _mm256_cvtepi32_ps(code)));
  }
  for (; i < count; ++i) {
    const int code = kSigned ? static_cast<int8_t>(from[i]) : static_cast<int>(from[i]);
    to[i] = p.scale * static_cast<float>(code - p.zero_point);
  }
}

constexpr Row kList[] = {
    {"quantize.f32s8.avx2", cpu::kAvx2, Kind::kQuantizeS8, Quantize<true>},
    {"quantize.f32u8.avx2", cpu::kAvx2, Kind::kQuantizeU8, Quantize<false>},
    {"dequantize.s8f32.avx2", cpu::kAvx2, Kind::kDequantizeS8, Dequantize<true>},
    {"dequantize.u8f32.avx2", cpu::kAvx2, Kind::kDequantizeU8, Dequantize<false>},
};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::affine
