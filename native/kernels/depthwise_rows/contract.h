// Depthwise convolution with a small square filter, a few output rows a call.
//
//   out[y][x][c] = requantize(sum over ky, kx of rows[y][ky][x * stride - pad_left + kx][c] * weight[ky][kx][c])
//
// A kernel walks along the rows with the columns under the filter in registers, so that each input pixel is
// read and interleaved once an output row. Columns outside [0, in_w) are `padding`; so is a whole row where the
// caller hands one that holds nothing else. Other filters, strides and dilations: kernels/depthwise.
#pragma once

#include "kernels/depthwise/contract.h"

namespace lowbit::kernels::depthwise_rows {

constexpr int kMostFilter = 5;

struct Call {
  const int8_t* const* rows;            // count x filter; each is in_w x channels codes
  const void* packed;                   // as the row's layout packs them
  int8_t* out;                          // count x out_w x channels
  size_t count, in_w, out_w, channels;  // out_w and channels at least 1
  ptrdiff_t pad_left;
  uint8_t flip;     // of the input: code = stored byte ^ flip
  uint8_t padding;  // stored byte
};

using Kernel = void (*)(const Call&, const Channels&, const Output&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  int filter, stride;
  size_t fewest_channels;
  Kernel run;
  const depthwise::Layout* layout;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::depthwise_rows
