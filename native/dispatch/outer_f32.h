// Chooses the kernel of kernels/outer_f32.
#pragma once

#include "base/span.h"
#include "kernels/outer_f32/contract.h"

namespace lowbit::dispatch::outer_f32 {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::outer_f32::Rows* const> Lists();

// The best kernel of a machine that has `have`; scalar always fits.
const kernels::outer_f32::Row& Choose(cpu::Isa have);

}  // namespace lowbit::dispatch::outer_f32
