// Chooses a kernel of kernels/sum.
#pragma once

#include "base/span.h"
#include "kernels/sum/contract.h"

namespace lowbit::dispatch::sum {

// All lists of rows of this build, best ISA first.
Span<const kernels::sum::Rows* const> Lists();

// The first row of this kind that this machine has.
const kernels::sum::Row& Choose(kernels::sum::Kind kind, cpu::Isa have);

}  // namespace lowbit::dispatch::sum
