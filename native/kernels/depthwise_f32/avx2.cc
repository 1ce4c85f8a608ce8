// Float32 depthwise convolution for AVX2 and FMA: four pixels x sixteen channels a pass, so that a weight is
// loaded once for four pixels; eight channels and masked ones at the end.
//
// Reads: taps, weights and bias inside [0, channels).
#include "kernels/depthwise_f32/avx2.h"

#include <immintrin.h>
#include <stdint.h>

namespace lowbit::kernels::depthwise_f32 {

namespace {

struct Whole {
  __m256 Load(const float* from) const { return _mm256_loadu_ps(from); }
  void Store(float* to, __m256 values) const { _mm256_storeu_ps(to, values); }
};
struct Some {
  __m256i mask;
  __m256 Load(const float* from) const { return _mm256_maskload_ps(from, mask); }
  void Store(float* to, __m256 values) const { _mm256_maskstore_ps(to, mask, values); }
};

// kPixels pixels x kVectors vectors of channels from channel c on.
template <int kPixels, int kVectors, typename Access>
inline void Tile(const Call& call, size_t pixel, size_t c, const Access& access) {
  __m256 acc[kPixels][kVectors];
#pragma GCC unroll 4
  for (int p = 0; p < kPixels; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) acc[p][v] = _mm256_setzero_ps();
  }
  const float* const* taps = call.taps + pixel * call.tap_count;
  const float* weights = call.weights + c;
  for (size_t t = 0; t < call.tap_count; ++t, ++taps, weights += call.channels) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m256 weight = access.Load(weights + v * 8);
#pragma GCC unroll 4
      for (int p = 0; p < kPixels; ++p) {
        const float* tap = taps[static_cast<size_t>(p) * call.tap_count] + c;
        acc[p][v] = _mm256_fmadd_ps(access.Load(tap + v * 8), weight, acc[p][v]);
      }
    }
  }
  const __m256 low = _mm256_set1_ps(call.low), high = _mm256_set1_ps(call.high);
#pragma GCC unroll 4
  for (int p = 0; p < kPixels; ++p) {
    float* out = call.out + (pixel + static_cast<size_t>(p)) * call.channels + c;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {  // a NaN is the second operand's
      const __m256 sum = _mm256_add_ps(acc[p][v], access.Load(call.bias + c + v * 8));
      access.Store(out + v * 8, _mm256_min_ps(high, _mm256_max_ps(low, sum)));
    }
  }
}

template <int kPixels>
inline void AllChannels(const Call& call, size_t pixel) {
  size_t c = 0;
  for (; c + 16 <= call.channels; c += 16) Tile<kPixels, 2>(call, pixel, c, Whole());
  for (; c + 8 <= call.channels; c += 8) Tile<kPixels, 1>(call, pixel, c, Whole());
  if (c == call.channels) return;
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const int left = static_cast<int>(call.channels - c);
  Tile<kPixels, 1>(call, pixel, c, Some{_mm256_cmpgt_epi32(_mm256_set1_epi32(left), lanes)});
}

void Run(const Call& call) noexcept {
  size_t pixel = 0;
  for (; pixel + 4 <= call.pixels; pixel += 4) AllChannels<4>(call, pixel);
  for (; pixel < call.pixels; ++pixel) AllChannels<1>(call, pixel);
}

constexpr Row kList[] = {{"depthwise.f32.4x16.avx2", cpu::kAvx2, Run}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::depthwise_f32
