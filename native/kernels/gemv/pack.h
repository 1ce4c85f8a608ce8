// Weights in the order in which gemv kernels read them: panels of nr channels, the last one of as few multiples of
// `unit` as hold the rest; in a panel [depth / 4][channels][4], zero-padded.
#pragma once

#include "kernels/gemm/pack.h"
#include "kernels/gemv/contract.h"

namespace lowbit::kernels::gemv {

inline size_t PaddedChannels(const Row& row, size_t channels) {
  const size_t unit = static_cast<size_t>(row.unit);
  return (channels + unit - 1) / unit * unit;
}

inline size_t PaddedDepth(size_t depth) {
  return (depth + kDepthInterleave - 1) / kDepthInterleave * kDepthInterleave;
}

// Fills PaddedChannels x PaddedDepth bytes. Every weight must lie in [row.least_weight, 127].
void PackPanels(const Row& row, const gemm::WeightView& weights, size_t channels, size_t depth,
                uint8_t* packed);

}  // namespace lowbit::kernels::gemv
