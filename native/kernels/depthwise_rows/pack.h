// The layouts of weights and constants: [block][group][lane][kr], a block being `lanes` channels.
//
// A group holds kr taps of each channel. With filter = rows * kr + 1 the first groups are columns of kr filter
// rows, (0, kx) to (rows - 1, kx); then the last filter row from left to right, kr taps a group; then its last
// tap, at the last of the kr places. A filter of 3 rows with kr = 4 has its columns alone, the fourth place
// being 0. With at least `lanes` channels the last block covers the last `lanes` ones (it overlaps its
// neighbour); with fewer the only block is padded. Constants lie in the order of blocks.
#pragma once

#include "kernels/depthwise/contract.h"

namespace lowbit::kernels::depthwise_rows {

constexpr size_t GroupCount(size_t filter, size_t kr) {
  return filter % kr == 1 ? filter / kr * filter + (filter - 1) / kr + 1 : filter;
}
constexpr size_t BlockCount(size_t channels, size_t lanes) { return (channels + lanes - 1) / lanes; }
// First channel of a block.
constexpr size_t BlockStart(size_t block, size_t channels, size_t lanes) {
  return channels >= lanes && (block + 1) * lanes > channels ? channels - lanes : block * lanes;
}

extern const depthwise::Layout kPairs8;   // int16, kr 2
extern const depthwise::Layout kQuads8;   // int8, kr 4
extern const depthwise::Layout kQuads16;  // int8, kr 4

}  // namespace lowbit::kernels::depthwise_rows
