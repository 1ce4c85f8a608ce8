// Weights in the order in which gemm kernels read them: [n / nr][run][run depth / kr][nr][kr], zero-padded.
#pragma once

#include "kernels/gemm/contract.h"

namespace lowbit::kernels::gemm {

// A weight of channel n at depth k: code - zero point, in [-255, 255].
struct WeightView {
  const uint8_t* codes;  // any alignment
  bool is_unsigned;
  int32_t zero_point;     // of the codes
  size_t channel_stride;  // elements from channel to channel
  size_t depth_stride;    // elements from depth to depth
  int32_t At(size_t n, size_t k) const {
    const uint8_t code = codes[n * channel_stride + k * depth_stride];
    return (is_unsigned ? int32_t{code} : int32_t{static_cast<int8_t>(code)}) - zero_point;
  }
};

// Channel n's weights in order of depth.
void ReadChannel(const WeightView& weights, size_t n, size_t depth, int16_t* out);

// Whether all weights of a channel lie in [least, 127]; `line` has room for `depth`.
bool IsAbove(const WeightView& weights, size_t n, size_t depth, int32_t least, int16_t* line);

// The sum of a channel's weights, and of their magnitudes; `line` has room for `depth`.
struct ChannelSums {
  int64_t sum, size;
};
ChannelSums SumChannel(const WeightView& weights, size_t n, size_t depth, int16_t* line);

// The depth of a layer as runs (tile.h): weight (run, k) lies at depth run * depth + k.
struct Runs {
  size_t count, depth;
  size_t PaddedDepth(size_t kr) const { return (depth + kr - 1) / kr * kr; }
};

// Panels of weight_bytes a weight, zero-padded; kr is 2, or with bytes 4 or 8, too. With weight_bytes = 1 every weight must lie in
// [-128, 127].
void PackPanels(size_t nr, size_t kr, size_t weight_bytes, const WeightView& weights, size_t channels,
                const Runs& runs, uint8_t* packed);

}  // namespace lowbit::kernels::gemm
