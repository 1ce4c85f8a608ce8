// Chooses the kernel of kernels/gemm_s16.
#pragma once

#include "base/span.h"
#include "kernels/gemm_s16/contract.h"

namespace lowbit::dispatch::gemm_s16 {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::gemm_s16::Rows* const> Lists();

// The best kernel of a machine that has `have` for so many output channels; scalar always fits.
const kernels::gemm_s16::Row& Choose(size_t channels, cpu::Isa have);

}  // namespace lowbit::dispatch::gemm_s16
