// Chooses the kernel of kernels/gemm_u8, on processors that have one.
#pragma once

#include "base/span.h"
#include "kernels/gemm_u8/contract.h"

namespace lowbit::dispatch::gemm_u8 {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::gemm_u8::Rows* const> Lists();

// The best kernel of a machine that has `have`, or null: the layer then takes kernels/gemm.
const kernels::gemm_u8::Row* Choose(cpu::Isa have);

}  // namespace lowbit::dispatch::gemm_u8
