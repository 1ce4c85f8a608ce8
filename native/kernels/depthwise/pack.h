// Depthwise weights in the order in which the kernels read them.
//
// [block][tap pair][lane][2] int16, where a block is kLanes channels; the last tap of an odd count is paired
// with 0. When the channels are not a multiple of kLanes and at least kLanes, the last block covers the last
// kLanes channels (it overlaps its neighbour); with fewer channels than kLanes the only block is padded with
// zeros.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lowbit::kernels::depthwise {

constexpr size_t kLanes = 8;

inline size_t BlockCount(size_t channels) { return (channels + kLanes - 1) / kLanes; }
inline size_t PairCount(size_t taps) { return (taps + 1) / 2; }
// First channel of a block.
inline size_t BlockStart(size_t block, size_t channels) {
  return channels >= kLanes && (block + 1) * kLanes > channels ? channels - kLanes : block * kLanes;
}

inline size_t PackedBytes(size_t taps, size_t channels) {
  return BlockCount(channels) * PairCount(taps) * kLanes * 2 * sizeof(int16_t);
}

// Fills PackedBytes zeroed bytes. weights: taps x channels, code - zero point, in [-255, 255].
void Pack(const int16_t* weights, size_t taps, size_t channels, uint8_t* packed);

}  // namespace lowbit::kernels::depthwise
