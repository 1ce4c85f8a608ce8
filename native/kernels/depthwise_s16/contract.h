// Depthwise convolution of int16 activations with int8 weights ("16x8"), one run of output pixels.
//
//   out[p][c] = clamp(rounded((bias[c] + sum over t of taps[p][t][c] * weight[t][c]) * factor[c]))
//
// The sum has 64 bits, the factor is reduced to 16 (requantize/wide.h). Taps are pointers to the input pixels
// under the filter, or to zeros where it hangs over the edge.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowbit::kernels::depthwise_s16 {

// What a layer's weights and constants are packed from; arrays in channel order.
struct Layer {
  const int8_t* weights;  // taps x channels
  size_t taps, channels;
  const int64_t* bias;
  const int32_t *multiplier, *shift;  // shift in [-31, 7]
};

struct Call {
  const int16_t* const* taps;  // pixels x tap_count; each points to `channels` codes
  const void* packed;          // as the row's `pack` lays them, 64-byte aligned
  int16_t* out;                // pixels x channels
  size_t pixels, tap_count, channels;
  int32_t low, high;
};

using Kernel = void (*)(const Call&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  bool (*fits)(const Layer&);
  size_t (*packed_bytes)(size_t taps, size_t channels);
  void (*pack)(const Layer&, void* packed);  // into zeroed memory
  Kernel run;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::depthwise_s16
