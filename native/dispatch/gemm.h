// Chooses the GEMM kernel of a layer.
#pragma once

#include "base/span.h"
#include "kernels/gemm/contract.h"

namespace lowbit::dispatch {

struct GemmShape {
  size_t rows, channels, depth;
  bool weights_fit_int8;
};

// The kernel for a layer on a machine that has `have`; scalar always fits.
const kernels::gemm::Row& ChooseGemm(const GemmShape& shape, cpu::Isa have);

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::gemm::Rows* const> GemmLists();

}  // namespace lowbit::dispatch
