// Chooses the kernel of kernels/gemm_u8, on processors that have one.
#pragma once

#include "base/span.h"
#include "kernels/gemm_u8/contract.h"

namespace lowbit::dispatch::gemm_u8 {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::gemm_u8::Rows* const> Lists();

// The best kernel of a machine that has `have` for layers of so many output channels and weights from `least` on, or
// null: the layer then takes kernels/gemm. Rows that would pad the weights to more than four times their size are
// passed over.
const kernels::gemm_u8::Row* Choose(size_t channels, int32_t least, cpu::Isa have);

}  // namespace lowbit::dispatch::gemm_u8
