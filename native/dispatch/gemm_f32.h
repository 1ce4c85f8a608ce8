// Chooses the kernel of kernels/gemm_f32.
#pragma once

#include "base/span.h"
#include "kernels/gemm_f32/contract.h"

namespace lowbit::dispatch::gemm_f32 {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::gemm_f32::Rows* const> Lists();

// The best kernel of a machine that has `have` for so many columns; scalar always fits.
const kernels::gemm_f32::Row& Choose(size_t channels, cpu::Isa have);

}  // namespace lowbit::dispatch::gemm_f32
