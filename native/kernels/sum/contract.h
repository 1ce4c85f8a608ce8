// Sums of bytes along an axis.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowbit::kernels::sum {

enum class Kind { kS8, kU8 };

// sums[c] = the sum of in[r * cols + c] over all rows r, modulo 2^32.
using Kernel = void (*)(const void* in, size_t rows, size_t cols, int32_t* sums);
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

}  // namespace lowbit::kernels::sum
