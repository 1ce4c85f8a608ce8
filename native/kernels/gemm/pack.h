// Weights in the order in which gemm kernels read them: [n / nr][depth / kr][nr][kr], zero-padded.
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

// Depth as the kernel sees it.
inline size_t PaddedDepth(const Row& row, size_t depth) { return (depth + row.kr - 1) / row.kr * row.kr; }
inline size_t PanelCount(const Row& row, size_t channels) { return (channels + row.nr - 1) / row.nr; }
inline size_t PanelBytes(const Row& row, size_t depth) {
  return PaddedDepth(row, depth) * static_cast<size_t>(row.nr) * static_cast<size_t>(row.weight_bytes);
}

// Panels [channels / nr][depth / kr][nr][kr] of weight_bytes each, zero-padded; kr is 2 or 4.
void PackPanels(size_t nr, size_t kr, size_t weight_bytes, const WeightView& weights, size_t channels,
                size_t depth, uint8_t* packed);

// Fills PanelCount x PanelBytes zeroed bytes. With weight_bytes = 1 every weight must lie in [-128, 127].
void Pack(const Row& row, const WeightView& weights, size_t channels, size_t depth, uint8_t* packed);

}  // namespace lowbit::kernels::gemm
