// Float32 GEMM tiles for NEON: 8 rows x 8 channels in sixteen accumulators, fmla by element.
// Reads: lhs runs inside [0, run_depth); panels are zero-padded.
#include "kernels/gemm_f32/neon.h"

#include <arm_neon.h>
#include <string.h>

#include "kernels/gemm/rows.h"

namespace lowbit::kernels::gemm_f32 {

namespace {

constexpr int kMr = 8, kNr = 8;

// One depth of all rows: entry kLane of `a`.
template <int kLane, int kRows>
inline void Step(float32x4_t (&acc)[kRows][2], const float32x4_t (&a)[kRows], const float* weights) {
  const float32x4_t w0 = vld1q_f32(weights), w1 = vld1q_f32(weights + 4);
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    acc[m][0] = vfmaq_laneq_f32(acc[m][0], w0, a[m], kLane);
    acc[m][1] = vfmaq_laneq_f32(acc[m][1], w1, a[m], kLane);
  }
}

// In this order NaN passes through.
inline float32x4_t Clamped(float32x4_t x, float32x4_t low, float32x4_t high) {
  x = vbslq_f32(vcltq_f32(x, low), low, x);
  return vbslq_f32(vcgtq_f32(x, high), high, x);
}

template <int kRows>
LOWBIT_NOINLINE void RunRows(const Block& block, const gemm::Tile<float, float>& tile,
                             const Channels& channels) {
  float32x4_t acc[kRows][2];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) acc[m][0] = acc[m][1] = vdupq_n_f32(0);
  const float* weights = static_cast<const float*>(tile.packed);
  for (int run = 0; run < block.run_count; ++run) {
    const float* lhs[kRows];
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) lhs[m] = tile.lhs[m] + block.runs[run];
    ptrdiff_t k = 0;
    for (; k + 4 <= block.run_depth; k += 4, weights += 4 * kNr) {
      float32x4_t a[kRows];
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) a[m] = vld1q_f32(lhs[m] + k);
      Step<0>(acc, a, weights);
      Step<1>(acc, a, weights + kNr);
      Step<2>(acc, a, weights + 2 * kNr);
      Step<3>(acc, a, weights + 3 * kNr);
    }
    for (; k < block.run_depth; ++k, weights += kNr) {
      float32x4_t a[kRows];
#pragma GCC unroll 8
      for (int m = 0; m < kRows; ++m) a[m] = vdupq_n_f32(lhs[m][k]);
      Step<0>(acc, a, weights);
    }
  }
  const float32x4_t low = vdupq_n_f32(channels.low), high = vdupq_n_f32(channels.high);
  const float* bias = channels.bias + tile.channel;
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    float* out = tile.out + m * block.out_stride;
    float all[kNr];
    vst1q_f32(all, Clamped(vaddq_f32(acc[m][0], vld1q_f32(bias)), low, high));
    vst1q_f32(all + 4, Clamped(vaddq_f32(acc[m][1], vld1q_f32(bias + 4)), low, high));
    if (tile.cols == kNr)
      memcpy(out, all, sizeof all);
    else
      memcpy(out, all, static_cast<size_t>(tile.cols) * sizeof(float));
  }
}

void F32_8x8(const Block& block, const Channels& channels) noexcept {
  gemm::EachStrip<kMr>(block, [&](auto count, const gemm::Strip& strip) {
    constexpr int kRows = decltype(count)::value;
    gemm::EachTile<kRows, kNr>(block, strip,
                               [&](const auto& tile) { RunRows<kRows>(block, tile, channels); });
  });
}

void PackPanel(const float* src, size_t channel_stride, size_t depth_stride, size_t channels, size_t depth,
               float* panel) noexcept {
  for (size_t k = 0; k < depth; ++k, panel += kNr) {
    for (size_t n = 0; n < kNr; ++n)
      panel[n] = n < channels ? src[n * channel_stride + k * depth_stride] : 0.0f;
  }
}

constexpr Row kList[] = {{"gemm.f32.8x8.neon", cpu::kNeon, kMr, kNr, 1, F32_8x8, PackPanel}};

}  // namespace

const Rows kNeon{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gemm_f32
