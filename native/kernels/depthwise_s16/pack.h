// The two layouts of 16x8 depthwise layers.
//
// Plain: bias, multiplier, shift, then the weights, each in channel order.
//
// Blocks: a `Constants` and then the weights [tap pair][low, high][lane][2] int16, one block sixteen channels;
// `low` are channels 0 to 3 and 8 to 11, `high` the others, the order in which interleaving within 128-bit
// lanes brings them. The last tap of an odd count is paired with 0. The last block covers the last sixteen
// channels (it overlaps its neighbour).
#pragma once

#include "kernels/depthwise_s16/contract.h"

namespace lowbit::kernels::depthwise_s16 {

constexpr size_t kLanes = 16;

// Entries of 32 bits in the order low, high. Those of 64 bits come in groups of eight channels of that order,
// first the four even ones, then the odd ones, as 64-bit products of 32-bit lanes arise.
struct Constants {
  int32_t bias[kLanes];
  int32_t multiplier[kLanes];  // reduced to 16 bits
  int32_t offset[kLanes];      // what 2^62 becomes, modulo 2^32
  int64_t nudge[kLanes];       // 2^62 and the half that rounds
  int64_t shift[kLanes];       // to the right, [8, 46]
};

constexpr size_t BlockCount(size_t channels) { return (channels + kLanes - 1) / kLanes; }
constexpr size_t BlockStart(size_t block, size_t channels) {
  return (block + 1) * kLanes > channels ? channels - kLanes : block * kLanes;
}
constexpr size_t BlockBytes(size_t taps) {
  return sizeof(Constants) + (taps + 1) / 2 * 2 * kLanes * sizeof(int16_t);
}

size_t PlainBytes(size_t taps, size_t channels);
void PackPlain(const Layer& layer, void* packed);

// Whether blocks can be exact: at least sixteen channels, and |bias + sum| < 2^31 in each.
bool FitsBlocks(const Layer& layer);
size_t BlocksBytes(size_t taps, size_t channels);
void PackBlocks(const Layer& layer, void* packed);

}  // namespace lowbit::kernels::depthwise_s16
