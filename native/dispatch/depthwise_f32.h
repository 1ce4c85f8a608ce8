// Chooses the kernel of kernels/depthwise_f32.
#pragma once

#include "base/span.h"
#include "kernels/depthwise_f32/contract.h"

namespace lowbit::dispatch::depthwise_f32 {

// The best kernel of a machine that has `have`.
const kernels::depthwise_f32::Row& Choose(cpu::Isa have);

// All lists of this build, best first.
Span<const kernels::depthwise_f32::Rows* const> Lists();

}  // namespace lowbit::dispatch::depthwise_f32
