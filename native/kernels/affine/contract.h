// Real numbers to codes and back, one scale for all.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace lowbit::kernels::affine {

struct Params {
  float scale;  // > 0
  int32_t zero_point;
  int32_t low, high;  // quantise: the codes' range
};

// quantise:   code = clamp(round(x / scale) + zero_point, low, high), halves away from zero;
//             infinities clamp, NaN gives the zero point.
// dequantise: x = scale * (code - zero_point).
enum class Kind { kQuantizeS8, kQuantizeU8, kQuantizeS16, kDequantizeS8, kDequantizeU8, kDequantizeS16 };

using Kernel = void (*)(const Params&, const void* in, void* out, size_t count);
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

}  // namespace lowbit::kernels::affine
