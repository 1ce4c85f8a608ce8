// Chooses the kernel of kernels/columns_f32.
#pragma once

#include "base/span.h"
#include "kernels/columns_f32/contract.h"

namespace lowbit::dispatch::columns_f32 {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::columns_f32::Rows* const> Lists();

// The best kernel of a machine that has `have`; scalar always fits.
const kernels::columns_f32::Row& Choose(cpu::Isa have);

}  // namespace lowbit::dispatch::columns_f32
