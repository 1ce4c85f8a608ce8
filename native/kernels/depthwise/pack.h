// The layouts of depthwise weights and constants.
//
// Pairs: [block][tap pair][lane][2] int16, where a block is kLanes channels; the last tap of an odd count is
// paired with 0. When the channels are not a multiple of kLanes and at least kLanes, the last block covers
// the last kLanes channels (it overlaps its neighbour); with fewer channels the only block is padded with
// zeros. Constants lie in the order of blocks.
//
// Quads: [block][four taps][j][lane][e][4] int8, where a block is 64 channels and (j, lane, e) is channel
// 16 * lane + 4 * j + e of it: the order in which interleaving bytes within 128-bit lanes brings them.
// Constants lie in the order (j, lane, e) too. Missing taps and channels are zero.
//
// Taps: [block][tap][lane] with the blocks of pairs, int8 (weights in [-127, 127]) or int16. kernels/depthwise_rows
// has them, too.
#pragma once

#include "kernels/depthwise/contract.h"

namespace lowbit::kernels::depthwise {

constexpr size_t kLanes = 8;
constexpr size_t kQuadBlock = 64;

inline size_t BlockCount(size_t channels) { return (channels + kLanes - 1) / kLanes; }
inline size_t PairCount(size_t taps) { return (taps + 1) / 2; }
inline size_t QuadCount(size_t taps) { return (taps + 3) / 4; }
// First channel of a block of pairs.
inline size_t BlockStart(size_t block, size_t channels) {
  return channels >= kLanes && (block + 1) * kLanes > channels ? channels - kLanes : block * kLanes;
}

extern const Layout kPairs;
extern const Layout kQuads;
extern const Layout kByteTaps;
extern const Layout kWordTaps;

}  // namespace lowbit::kernels::depthwise
