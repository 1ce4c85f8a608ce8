// Fake quantisation on a grid of one scale: the float32 that a code stands for, and the gradient that passes it.
#pragma once

#include <stddef.h>

#include "cpu/isa.h"

namespace lowbit::kernels::grid_f32 {

// Codes less the zero point run from `least` to `most`: whole numbers below 2^22.
struct Grid {
  float step, least, most;
};

// out = step round(clamp(x / step, least, most)), half away from zero, never -0 for a step above 0; NaN stays.
using Quantize = void (*)(const float* x, const Grid& grid, size_t count, float* out);
// out = dy where x / step lies within the clamp, else 0, also for NaN.
using Gradient = void (*)(const float* x, const float* dy, const Grid& grid, size_t count, float* out);

// Every row gives the same bits. `out` overlaps nothing.
struct Row {
  const char* name;
  cpu::Isa needs;
  Quantize quantize;
  Gradient gradient;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::grid_f32
