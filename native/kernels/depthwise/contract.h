// Depthwise convolution of one run of output pixels: each channel with its own taps.
//
//   out[p][c] = requantize(sum over t of taps[p][t][c] * weight[t][c], channel c)
//
// Taps are pointers to the input pixels under the filter, or to a row of zero-point codes where the filter
// hangs over the edge. Zero points of the input are folded into the bias, those of the weights into the
// packed weights.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"
#include "kernels/requantize/contract.h"

namespace lowbit::kernels::depthwise {

struct Call {
  const int8_t* const* taps;  // pixels x tap_count; each points to `channels` codes
  const void* packed;         // as the row's `pack` lays them
  int8_t* out;                // pixels x channels, rows out_stride apart
  ptrdiff_t out_stride;       // elements
  size_t pixels, tap_count, channels;
  uint8_t flip;  // of the input: code = stored byte ^ flip
};

using Kernel = void (*)(const Call&, const Channels&, const Output&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  Kernel run;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::depthwise
