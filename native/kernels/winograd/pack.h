// Weights of 3x3 filters, transformed and in panels: [n / nr][plane][channels / 2][nr][2] int16, zero-padded.
#pragma once

#include "kernels/gemm/pack.h"
#include "kernels/winograd/contract.h"

namespace lowbit::kernels::winograd {

inline size_t PlaneCount(int tile) { return static_cast<size_t>(tile + 2) * static_cast<size_t>(tile + 2); }
inline size_t EvenChannels(size_t channels) { return (channels + 1) / 2 * 2; }
inline size_t PanelCount(int nr, size_t outputs) {
  return (outputs + static_cast<size_t>(nr) - 1) / static_cast<size_t>(nr);
}
// Elements of one panel.
inline size_t PanelSize(int tile, int nr, size_t channels) {
  return PlaneCount(tile) * EvenChannels(channels) * static_cast<size_t>(nr);
}

// Whether every output is exact: the sum of a channel, without bias, must lie in [-2^25, 2^25) for tiles of 4,
// in [-2^29, 2^29) for tiles of 2, whatever the codes are. `depth` is 9 x input channels.
bool IsExact(int tile, const gemm::WeightView& weights, size_t outputs, size_t depth);

// Fills PanelCount x PanelSize zeroed elements.
void Pack(int tile, int nr, const gemm::WeightView& weights, size_t outputs, size_t channels,
          int16_t* packed);

}  // namespace lowbit::kernels::winograd
