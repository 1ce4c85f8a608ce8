// Chooses a kernel of kernels/plane.
#pragma once

#include "base/span.h"
#include "kernels/plane/contract.h"

namespace lowbit::dispatch::plane {

// All lists of rows of this build, best ISA first.
Span<const kernels::plane::Rows* const> Lists();

// The first row that this machine has.
const kernels::plane::Row& Choose(cpu::Isa have);

}  // namespace lowbit::dispatch::plane
