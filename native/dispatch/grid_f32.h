// Chooses the kernel of kernels/grid_f32.
#pragma once

#include "base/span.h"
#include "kernels/grid_f32/contract.h"

namespace lowbit::dispatch::grid_f32 {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::grid_f32::Rows* const> Lists();

// The first row that this machine has.
const kernels::grid_f32::Row& Choose(cpu::Isa have);

}  // namespace lowbit::dispatch::grid_f32
