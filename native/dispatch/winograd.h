// Chooses between direct and Winograd convolution, by estimated time.
#pragma once

#include <cstdint>

#include "base/span.h"
#include "kernels/winograd/contract.h"

namespace lowbit::dispatch::winograd {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::winograd::Rows* const> Lists();

// A 3x3 convolution with stride 1.
struct Shape {
  size_t batch, out_h, out_w, channels, outputs;
  bool has_byte_weights;  // int8, which the direct kernels for bytes take
};

// One way to run a layer. `row` is null for the direct convolution.
struct Way {
  const kernels::winograd::Row* row;
  double micros;   // estimate of the whole layer's time, to compare with other ways alone
  uint64_t bytes;  // of packed weights and constants, at most
};

// The ways that a machine with `have` has, fastest first; the direct one is always among them.
struct Ways {
  Way all[7];
  int count;
  const Way* begin() const { return all; }
  const Way* end() const { return all + count; }
};
Ways WaysOf(const Shape& shape, cpu::Isa have);

}  // namespace lowbit::dispatch::winograd
