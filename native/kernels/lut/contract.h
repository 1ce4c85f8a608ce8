// Byte maps: out[i] = table[in[i]]. Signed codes index by their bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowbit::kernels::lut {

// table: 256 bytes. `out` may be `in`.
using Kernel = void (*)(const uint8_t* table, const uint8_t* in, uint8_t* out, size_t count);
struct Row {
  const char* name;
  cpu::Isa needs;
  Kernel run;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::lut
