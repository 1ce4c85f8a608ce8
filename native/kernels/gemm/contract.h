// The matrix multiplication of convolutions and fully connected layers: int8 codes in, int8 codes out.
//
//   out[m][n] = requantize(sum over k of lhs[m][k] * weight[n][k], channel n)
//
// lhs elements are int16 codes (Widen makes them); zero points of the lhs are folded into the bias, those of
// the weights into the packed weights. All sums are modulo 2^32, as the reference's int32 sums are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"
#include "kernels/gemm/tile.h"
#include "kernels/requantize/contract.h"

namespace lowbit::kernels::gemm {

using Block = BlockOf<int16_t, int8_t>;

using Kernel = void (*)(const Block&, const Channels&, const Output&) noexcept;

// Float results of the same sums, for activations that are quantised at run time, row by row:
//   out[m][n] = clamp((sum - (offset + zero_point[m]) * weight_sum[n]) * (row_scale[m] * scale[n]) + bias[n],
//                     low, high)
// or, with scales_apart, ((sum - ...) * scale[n]) * row_scale[m] + bias[n]: the reference's convolutions
// round so. No multiply-add is fused: results equal the reference bit for bit.
using HybridBlock = BlockOf<int16_t, float>;

struct HybridChannels {  // one entry a channel, zero-padded to a multiple of kChannelPadding
  const float *scale, *bias;
  const int32_t* weight_sum;
  int32_t offset;  // by which the codes are raised: kernels for bytes see code + 128
  float low, high;
  bool scales_apart;
};

struct HybridRows {  // of the block's first row; entry m lies `step` * m further (0: one for all rows)
  const float* scale;
  const int32_t* zero_point;
  ptrdiff_t step;
};

using HybridKernel = void (*)(const HybridBlock&, const HybridChannels&, const HybridRows&) noexcept;

// dst[i] = int8(src[i] ^ flip), i in [0, count)
using Widen = void (*)(const int8_t* src, size_t count, uint8_t flip, int16_t* dst) noexcept;

// All kernels so far multiply pairs of int16: kr is 2.
constexpr int kDepthInterleave = 2;

struct Row {
  const char* name;
  cpu::Isa needs;
  int mr, nr, kr;
  int weight_bytes;  // of one packed weight: 2, or 1 where all weights fit int8
  Kernel run;
  HybridKernel run_hybrid;
  Widen widen;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::gemm
