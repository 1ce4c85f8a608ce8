// Chooses a kernel of kernels/elementwise.
#pragma once

#include "base/span.h"
#include "kernels/elementwise/contract.h"

namespace lowbit::dispatch::elementwise {

// All lists of rows of this build, best ISA first.
Span<const kernels::elementwise::Rows* const> Lists();

// The first row of this kind that this machine has; `left_shift`: whether the result's factor shifts left.
const kernels::elementwise::Row& Choose(kernels::elementwise::Kind kind, bool left_shift, cpu::Isa have);

}  // namespace lowbit::dispatch::elementwise
