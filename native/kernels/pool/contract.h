// Pooling: one output pixel, all channels, from a window that lies inside the image.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowbit::kernels::pool {

struct Window {
  const void* first;     // top left tap, channel 0
  ptrdiff_t row_stride;  // elements from a row of the image to the next
  int rows, cols;        // taps, at least 1 x 1 and at most 2^22 in all
  int channels;          // also the stride from a pixel to the next
};

// The fused activation: codes for integers, real numbers for floats.
struct Limits {
  int low, high;
  float float_low, float_high;
};

// Averages divide by the number of taps in the window. Integers round to nearest: s8 and s16 halves away from
// zero, u8 halves up.
enum class Kind { kAverageS8, kAverageU8, kAverageS16, kAverageF32, kMaxS8, kMaxU8, kMaxS16, kMaxF32 };

using Kernel = void (*)(const Window&, const Limits&, void* out);
struct Row {
  const char* name;
  cpu::Isa needs;
  Kind kind;
  Kernel run;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::pool
