// Chooses the GEMM kernel of a layer.
#pragma once

#include "base/span.h"
#include "kernels/gemm/contract.h"

namespace lowbit::dispatch::gemm {

struct Shape {
  size_t rows, channels, depth;
  bool weights_fit_int8;
};

// The kernel for a layer on a machine that has `have`; scalar always fits.
const kernels::gemm::Row& Choose(const Shape& shape, cpu::Isa have);

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::gemm::Rows* const> Lists();

}  // namespace lowbit::dispatch::gemm
