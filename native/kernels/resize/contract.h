// Bilinear resizing: one line of the output from two lines of the input.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowbit::kernels::resize {

// Pixel x of the line mixes pixels first[x] and second[x] of both lines, by the shares of the second ones:
// float for float32 and uint8, in 1/1024 and within [-1024, 1024] for int8 and int16.
struct Line {
  const void *top, *bottom;  // of the element type
  const size_t *first, *second;
  const void* column_weights;  // float or int32_t, one a pixel
  float row_weight;
  int32_t row_weight_1024;
  size_t width, channels;
};

enum class Kind { kF32, kU8, kS8, kS16 };

// Every row gives the same bits: products and sums in the reference's order (mix.h). `out` overlaps no input.
using Kernel = void (*)(const Line&, void* out);
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

}  // namespace lowbit::kernels::resize
