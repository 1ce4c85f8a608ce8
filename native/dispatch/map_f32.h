// Chooses a kernel of kernels/map_f32.
#pragma once

#include "base/span.h"
#include "kernels/map_f32/contract.h"

namespace lowbit::dispatch::map_f32 {

// All lists of rows of this build, best ISA first.
Span<const kernels::map_f32::Rows* const> Lists();

// The first row of this function that this machine has.
const kernels::map_f32::Row& Choose(kernels::map_f32::Function function, cpu::Isa have);

}  // namespace lowbit::dispatch::map_f32
