// What convolutions and fully connected layers share: zero points, clamp and per-channel factors, read from a
// step's attributes and folded into the constants that kernels take.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/gemm/pack.h"
#include "kernels/requantize/pack.h"
#include "program/step.h"
#include "program/steps/factors.h"

namespace lowbit::program::steps {

struct QuantizedLayer {
  uint8_t flip = 0;              // 0x80 for uint8 tensors, which kernels take as int8
  int32_t input_zero_point = 0;  // as int8 code
  kernels::Output output{};
  kernels::gemm::WeightView weights{};  // strides are the caller's to set
  Factors factors;
  std::vector<int32_t> bias;  // zeros when absent
};

// Operands: input, weights (constant), bias (constant int32, may be absent) -> output. Attributes:
// inputZeroPoint, weightZeroPoint, outputZeroPoint, low, high (stored codes), and those of factors.h.
Status ReadQuantizedLayer(const StepArgs& args, size_t channels, QuantizedLayer* layer);

// What PackChannels keeps of a channel.
inline size_t ChannelBytes(const QuantizedLayer& layer) {
  return layer.factors.once ? kernels::PackedChannels::kOnceEntryBytes : kernels::PackedChannels::kEntryBytes;
}

// Per-channel constants of one layer. `channel_of(i)` maps entry i of `count` to its channel, or to SIZE_MAX
// for padding; `depth` counts the weights of a channel.
template <typename ChannelOf>
bool PackChannels(const QuantizedLayer& layer, size_t count, size_t depth, const ChannelOf& channel_of,
                  kernels::PackedChannels* packed) {
  const bool once = layer.factors.once;
  std::vector<int32_t> bias(count, 0), multiplier(count, 0), shift(count, -1);
  std::vector<int64_t> bound(count, 0);
  std::vector<double> scale(once ? count : 0, 0.0);
  std::vector<int16_t> line(depth);
  const int64_t widest =
      128 + (layer.input_zero_point < 0 ? -layer.input_zero_point : layer.input_zero_point);
  for (size_t i = 0; i < count; ++i) {
    const size_t n = channel_of(i);
    if (n == SIZE_MAX) continue;
    const auto [sum, size] = kernels::gemm::SumChannel(layer.weights, n, depth, line.data());
    // Modulo 2^32, as the reference's sums are.
    bias[i] = static_cast<int32_t>(static_cast<uint32_t>(layer.bias[n]) -
                                   static_cast<uint32_t>(sum * layer.input_zero_point));
    const int64_t b = layer.bias[n];
    bound[i] = (b < 0 ? -b : b) + widest * size;
    if (once) {
      scale[i] = layer.factors.scale[n];
    } else {
      multiplier[i] = layer.factors.multiplier[n];
      shift[i] = layer.factors.shift[n];
    }
  }
  if (once) return packed->PackOnce(count, bias.data(), scale.data(), bound.data(), layer.output);
  return packed->Pack(count, bias.data(), multiplier.data(), shift.data(), bound.data(), layer.output);
}

}  // namespace lowbit::program::steps
