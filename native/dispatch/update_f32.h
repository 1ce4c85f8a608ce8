// Chooses the kernel of kernels/update_f32.
#pragma once

#include "base/span.h"
#include "kernels/update_f32/contract.h"

namespace lowbit::dispatch::update_f32 {

// All lists of this build, best first, for tests, benchmarks and kernels().
Span<const kernels::update_f32::Rows* const> Lists();

// The first row of this method that this machine has.
const kernels::update_f32::Row& Choose(kernels::update_f32::Method method, cpu::Isa have);

}  // namespace lowbit::dispatch::update_f32
