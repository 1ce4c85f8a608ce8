// Float32 GEMM tiles in plain C++.
#include "kernels/gemm_f32/scalar.h"

namespace lowbit::kernels::gemm_f32 {

namespace {

constexpr int kMr = 4, kNr = 8;

void F32_4x8(const Block& block, const Channels& channels) noexcept {
  for (size_t first = 0; first < block.cols; first += kNr) {
    const uint8_t* packed = static_cast<const uint8_t*>(block.packed) + first / kNr * block.panel_bytes;
    for (size_t m = 0; m < block.rows; ++m) {
      const float* weights = reinterpret_cast<const float*>(packed);
      float acc[kNr] = {};
      for (int run = 0; run < block.run_count; ++run) {
        const float* lhs = block.lhs[m] + block.runs[run];
        for (int k = 0; k < block.run_depth; ++k, weights += kNr) {
          for (int n = 0; n < kNr; ++n) acc[n] += lhs[k] * weights[n];
        }
      }
      float* out = block.out + static_cast<ptrdiff_t>(m) * block.out_stride;
      for (size_t n = first; n < block.cols && n < first + kNr; ++n) {
        const float sum = acc[n - first] + channels.bias[block.channel + n];
        // In this order NaN passes through.
        out[n] = sum < channels.low ? channels.low : sum > channels.high ? channels.high : sum;
      }
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
