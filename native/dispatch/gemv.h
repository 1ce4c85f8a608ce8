// Chooses the kernel of kernels/gemv, on processors that have one.
#pragma once

#include "base/span.h"
#include "kernels/gemv/contract.h"

namespace lowbit::dispatch::gemv {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::gemv::Rows* const> Lists();

// The best kernel of a machine that has `have` for layers of so many output channels and weights from `least` to
// 127, or null: the layer then takes another family. Rows that would pad the weights to more than four times their
// size are passed over.
const kernels::gemv::Row* Choose(size_t channels, int32_t least, cpu::Isa have);

}  // namespace lowbit::dispatch::gemv
