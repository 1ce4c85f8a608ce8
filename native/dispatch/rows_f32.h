// Chooses a kernel of kernels/rows_f32.
#pragma once

#include "base/span.h"
#include "kernels/rows_f32/contract.h"

namespace lowbit::dispatch::rows_f32 {

// All lists of rows of this build, best ISA first.
Span<const kernels::rows_f32::Rows* const> Lists();

// The first row that this machine has.
const kernels::rows_f32::Row& Choose(cpu::Isa have);

}  // namespace lowbit::dispatch::rows_f32
