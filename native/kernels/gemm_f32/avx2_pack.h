// Packs a panel with AVX: rows as they are, columns by transpositions of 8 x 8. For inclusion by kernel files
// built with AVX2 or more.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/gemm_f32/contract.h"

namespace lowbit::kernels::gemm_f32 {
namespace {

// to[k * to_stride + n] = from[n * from_stride + k] for 8 x 8: halves of rows n and n + 4 lie side by side as they
// are loaded, the lanes of 4 x 4 are turned.
inline void Transpose8(const float* from, size_t from_stride, float* to, size_t to_stride) {
  for (size_t half = 0; half < 2; ++half, from += 4, to += 4 * to_stride) {
    __m256 r[4];
    for (size_t i = 0; i < 4; ++i) {
      const float* row = from + i * from_stride;
      r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row)),
                                  _mm_loadu_ps(row + 4 * from_stride), 1);
    }
    const __m256 low01 = _mm256_unpacklo_ps(r[0], r[1]), high01 = _mm256_unpackhi_ps(r[0], r[1]);
    const __m256 low23 = _mm256_unpacklo_ps(r[2], r[3]), high23 = _mm256_unpackhi_ps(r[2], r[3]);
    _mm256_storeu_ps(to, _mm256_shuffle_ps(low01, low23, 0x44));
    _mm256_storeu_ps(to + to_stride, _mm256_shuffle_ps(low01, low23, 0xEE));
    _mm256_storeu_ps(to + 2 * to_stride, _mm256_shuffle_ps(high01, high23, 0x44));
    _mm256_storeu_ps(to + 3 * to_stride, _mm256_shuffle_ps(high01, high23, 0xEE));
  }
}

template <size_t nr>
void PackPanel(const float* src, size_t channel_stride, size_t depth_stride, size_t channels, size_t depth,
               float* panel) noexcept {
  if (channel_stride == 1 && channels == nr) {
    for (size_t k = 0; k < depth; ++k, panel += nr, src += depth_stride)
      memcpy(panel, src, nr * sizeof(float));
    return;
  }
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
