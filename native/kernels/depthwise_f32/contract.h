// Float32 depthwise convolution of one run of output pixels.
//
//   out[p][c] = clamp(bias[c] + sum over t of taps[p][t][c] * weights[t][c])
//
// Taps are pointers to the input pixels under the filter, or to zeros where it hangs over the edge. Sums may
// differ from the scalar row's in their order and in fused multiply-adds; NaN passes through the clamp. `out` may be
// `bias` where there is one pixel.
#pragma once

#include <cstddef>

#include "cpu/isa.h"

namespace lowbit::kernels::depthwise_f32 {

struct Call {
  const float* const* taps;  // pixels x tap_count; each points to `channels` values
  const float* weights;      // tap_count x channels
  const float* bias;
  float* out;  // pixels x channels
  size_t pixels, tap_count, channels;
  float low, high;
};

using Kernel = void (*)(const Call&) noexcept;

struct Row {
  const char* name;
  cpu::Isa needs;
  Kernel run;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::depthwise_f32
