// What training asks of a clamp and of a maximum, element by element; float32. Every row gives the same bits.
#pragma once

#include <stddef.h>

#include "cpu/isa.h"

namespace lowbit::kernels::gradient_f32 {

// dx = dy where low < x <= high, else 0. `dx` may be `dy`.
using Clamp = void (*)(const float* x, const float* dy, float* dx, size_t count, float low, float high);

// A window of an NHWC image: all channels of rows x cols pixels.
struct Window {
  const float *x, *dy;   // the first pixel; one element a channel
  float* dx;             // the first pixel, as x
  ptrdiff_t row_stride;  // elements from a row of the image to the next
  int rows, cols;        // at least 1 x 1, at most 2^22 in all
  size_t channels;
  bool adds;  // to dx, where windows overlap
};
// dx[p][c] = dy[c] at the first p whose x is the largest, 0 at the others. Where all are NaN or minus infinity, at none.
using MaxPool = void (*)(const Window&);

struct Row {
  const char *clamp_name, *max_pool_name;
  cpu::Isa needs;
  Clamp clamp;
  MaxPool max_pool;
};

struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::gradient_f32
