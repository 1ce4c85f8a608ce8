// Functions of float32, element by element.
#pragma once

#include <cstddef>

#include "cpu/isa.h"

namespace lowbit::kernels::map_f32 {

// As lib/ops numbers them (`op` of the step `unary`).
enum class Function {
  kRelu,
  kRelu6,
  kReluN1To1,
  kRelu0To1,
  kLeakyRelu,
  kHardSwish,
  kAbs,
  kNegate,
  kSquare,
  kCeil,
  kFloor,
  kRound,
  kSqrt,
  kRsqrt,
  kLogistic,
  kTanh,
  kExp,
  kLog,
  kSin,
  kCos,
  kElu,
  kGelu,
  kGeluTanh,
  kSign,
  kFunctions  // their number
};

// Those from kLogistic on cost much more than memory does, and agree with the scalar ones within a few units
// in the last place; those before give its bits (NaN aside).
constexpr bool IsCostly(Function function) { return function >= Function::kLogistic; }

// `parameter` is the slope of kLeakyRelu. `out` may be `in`.
using Kernel = void (*)(const float* in, float* out, size_t count, float parameter);
struct Row {
  const char* name;
  cpu::Isa needs;
  Function function;
  Kernel run;
};
struct Rows {
  const Row* first;
  size_t count;
};

}  // namespace lowbit::kernels::map_f32
