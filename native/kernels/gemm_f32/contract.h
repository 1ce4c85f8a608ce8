// Float32 matrix multiplication: out[m][n] = clamp(bias[n] + sum over k of lhs[m][k] * weight[n][k], low,
// high).
//
// The order of summation and fused multiply-adds differ from kernel to kernel: results lie within
// (depth + 1) * eps * sum of |lhs * weight| of the exact value.
#pragma once

#include "cpu/isa.h"
#include "kernels/gemm/tile.h"

namespace lowbit::kernels::gemm_f32 {

using Block = gemm::BlockOf<float, float>;

struct Channels {
  const float* bias;  // zero-padded to whole panels
  float low, high;
};

using Kernel = void (*)(const Block&, const Channels&) noexcept;

// One panel: [depth][nr], entry (k, n) from src[n * channel_stride + k * depth_stride]. Columns from `channels` (1..nr) on become 0.
using Pack = void (*)(const float* src, size_t channel_stride, size_t depth_stride, size_t channels,
                      size_t depth, float* panel) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int mr, nr, kr;  // weights are packed [n / nr][depth][nr]; kr is 1
  Kernel run;
  Pack pack;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::gemm_f32
