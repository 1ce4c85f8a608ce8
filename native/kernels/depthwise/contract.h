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

// How a kernel wants weights and per-channel constants laid out (pack.h).
struct Layout {
  // Weights: taps x channels, code - zero point, in [-255, 255]. `fits` says whether the kernel takes them.
  bool (*fits)(const int16_t* weights, size_t count);
  size_t (*packed_bytes)(size_t taps, size_t channels);
  void (*pack)(const int16_t* weights, size_t taps, size_t channels, void* packed);  // into zeroed memory
  // Entries of `Channels`, and the channel that entry i belongs to (SIZE_MAX: padding).
  size_t (*entries)(size_t channels);
  size_t (*channel_of)(size_t entry, size_t channels);
  int lhs_offset;  // the kernel sees code + lhs_offset, so zero points grow by it
};

struct Row {
  const char* name;
  cpu::Isa needs;
  Kernel run;
  const Layout* layout;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::depthwise
