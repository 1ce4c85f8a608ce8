// Packs a panel with AVX: rows as they are, columns by transpositions of 8 x 8. For inclusion by kernel files
// built with AVX2 or more.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm_f32/contract.h"

namespace lowbit::kernels::gemm_f32 {
namespace {

// to[k * to_stride + n] = from[n * from_stride + k] for 8 x 8.
inline void Transpose8(const float* from, size_t from_stride, float* to, size_t to_stride) {
  __m256 r[8], t[8];
  for (size_t i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(from + i * from_stride);
  for (size_t i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (size_t i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
  }
  for (size_t i = 0; i < 4; ++i) {
    _mm256_storeu_ps(to + i * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

template <size_t nr>
void PackPanel(const float* src, size_t channel_stride, size_t depth_stride, size_t channels, size_t depth,
               float* panel) noexcept {
  if (channel_stride == 1) {
    for (size_t k = 0; k < depth; ++k, panel += nr) {
      memcpy(panel, src + k * depth_stride, channels * sizeof(float));
      memset(panel + channels, 0, (nr - channels) * sizeof(float));
    }
    return;
  }
  const size_t whole_channels = depth_stride == 1 ? channels / 8 * 8 : 0, whole_depth = depth / 8 * 8;
  for (size_t k = 0; k < whole_depth; k += 8) {
    for (size_t n = 0; n < whole_channels; n += 8) {
      Transpose8(src + n * channel_stride + k, channel_stride, panel + k * nr + n, nr);
    }
  }
  for (size_t k = 0; k < depth; ++k) {
    for (size_t n = k < whole_depth ? whole_channels : 0; n < nr; ++n) {
      panel[k * nr + n] = n < channels ? src[n * channel_stride + k * depth_stride] : 0.0f;
    }
  }
}

}  // namespace
}  // namespace lowbit::kernels::gemm_f32
