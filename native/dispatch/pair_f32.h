// Chooses a kernel of kernels/pair_f32.
#pragma once

#include "base/span.h"
#include "kernels/pair_f32/contract.h"

namespace lowbit::dispatch::pair_f32 {

// All lists of rows of this build, best ISA first.
Span<const kernels::pair_f32::Rows* const> Lists();

// The first row of this operation that this machine has.
const kernels::pair_f32::Row& Choose(kernels::pair_f32::Operation operation, cpu::Isa have);

}  // namespace lowbit::dispatch::pair_f32
