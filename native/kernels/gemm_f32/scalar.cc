// Float32 GEMM tiles in plain C++.
#include "kernels/gemm_f32/scalar.h"

namespace lowbit::kernels::gemm_f32 {

namespace {

constexpr int kMr = 4, kNr = 8;

void F32_4x8(const Tile& tile, const Channels& channels) noexcept {
  const float* weights = static_cast<const float*>(tile.packed);
  for (int m = 0; m < tile.rows; ++m) {
    const float* lhs = tile.lhs + m * tile.lhs_stride;
    float acc[kNr] = {};
    for (int k = 0; k < tile.depth; ++k) {
      for (int n = 0; n < kNr; ++n) acc[n] += lhs[k] * weights[k * kNr + n];
    }
    for (int n = 0; n < tile.cols; ++n) {
      const float sum = acc[n] + channels.bias[tile.channel + static_cast<size_t>(n)];
      // In this order NaN passes through.
      tile.out[m * tile.out_stride + n] = sum < channels.low    ? channels.low
                                          : sum > channels.high ? channels.high
                                                                : sum;
    }
  }
}

void PackPanel(const float* src, size_t channel_stride, size_t depth_stride, size_t channels, size_t depth,
               float* panel) noexcept {
  for (size_t k = 0; k < depth; ++k, panel += kNr) {
    for (size_t n = 0; n < kNr; ++n) {
      panel[n] = n < channels ? src[n * channel_stride + k * depth_stride] : 0.0f;
    }
  }
}

constexpr Row kList[] = {{"gemm.f32.4x8.scalar", cpu::kScalar, kMr, kNr, 1, F32_4x8, PackPanel}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_f32
