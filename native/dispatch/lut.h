// Chooses a kernel of kernels/lut.
#pragma once

#include "base/span.h"
#include "kernels/lut/contract.h"

namespace lowbit::dispatch::lut {

// All lists of rows of this build, best ISA first.
Span<const kernels::lut::Rows* const> Lists();

// The first row that this machine has.
const kernels::lut::Row& Choose(cpu::Isa have);

}  // namespace lowbit::dispatch::lut
