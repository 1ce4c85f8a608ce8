// Chooses a kernel of kernels/resize.
#pragma once

#include "base/span.h"
#include "kernels/resize/contract.h"

namespace lowbit::dispatch::resize {

// All lists of rows of this build, best ISA first.
Span<const kernels::resize::Rows* const> Lists();

// The first row of this kind that this machine has.
const kernels::resize::Row& Choose(kernels::resize::Kind kind, cpu::Isa have);

}  // namespace lowbit::dispatch::resize
