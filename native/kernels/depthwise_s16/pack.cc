// Packs the weights and constants of 16x8 depthwise layers.
#include "kernels/depthwise_s16/pack.h"

#include <cstring>

namespace lowbit::kernels::depthwise_s16 {

namespace {

// The channel of a block at place i of the order low, high.
size_t ChannelAt(size_t i) { return i / 8 * 4 + i % 8 / 4 * 8 + i % 4; }

void PackConstants(const Layer& layer, size_t start, Constants* constants) {
  for (size_t i = 0; i < kLanes; ++i) {
    const size_t c = start + ChannelAt(i), wide = i / 8 * 8 + i % 2 * 4 + i % 8 / 2;
    const int32_t multiplier = layer.multiplier[c];
    const int total = 15 - layer.shift[c];
    constants->bias[i] = static_cast<int32_t>(layer.bias[c]);
    constants->multiplier[i] = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
    constants->offset[i] = static_cast<int32_t>(static_cast<uint32_t>((uint64_t{1} << 62) >> total));
    constants->nudge[wide] = (int64_t{1} << 62) + (int64_t{1} << (total - 1));
    constants->shift[wide] = total;
  }
}

}  // namespace

size_t PlainBytes(size_t taps, size_t channels) {
  return channels * (sizeof(int64_t) + 2 * sizeof(int32_t) + taps);
}

void PackPlain(const Layer& layer, void* packed) {
  uint8_t* out = static_cast<uint8_t*>(packed);
  const auto add = [&](const void* from, size_t bytes) {
    if (bytes) std::memcpy(out, from, bytes);
    out += bytes;
  };
  add(layer.bias, layer.channels * sizeof(int64_t));
  add(layer.multiplier, layer.channels * sizeof(int32_t));
  add(layer.shift, layer.channels * sizeof(int32_t));
  add(layer.weights, layer.channels * layer.taps);
}

bool FitsBlocks(const Layer& layer) {
  if (layer.channels < kLanes) return false;
  constexpr int64_t kEnd = int64_t{1} << 31;
  for (size_t c = 0; c < layer.channels; ++c) {
    const int64_t bias = layer.bias[c];
    if (bias <= -kEnd || bias >= kEnd) return false;
    int64_t most = bias < 0 ? -bias : bias;
    for (size_t t = 0; t < layer.taps; ++t) {
      const int64_t w = layer.weights[t * layer.channels + c];
      most += (w < 0 ? -w : w) << 15;
    }
    if (most >= kEnd) return false;
  }
  return true;
}

size_t BlocksBytes(size_t taps, size_t channels) { return BlockCount(channels) * BlockBytes(taps); }

void PackBlocks(const Layer& layer, void* packed) {
  for (size_t block = 0; block < BlockCount(layer.channels); ++block) {
    uint8_t* to = static_cast<uint8_t*>(packed) + block * BlockBytes(layer.taps);
    const size_t start = BlockStart(block, layer.channels);
    PackConstants(layer, start, reinterpret_cast<Constants*>(to));
    int16_t* weights = reinterpret_cast<int16_t*>(to + sizeof(Constants));
    for (size_t t = 0; t < layer.taps; ++t) {
      for (size_t i = 0; i < kLanes; ++i) {
        weights[(t / 2 * kLanes + i) * 2 + t % 2] = layer.weights[t * layer.channels + start + ChannelAt(i)];
      }
    }
  }
}

}  // namespace lowbit::kernels::depthwise_s16
