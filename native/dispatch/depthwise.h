// Chooses the depthwise kernel.
#pragma once

#include "base/span.h"
#include "kernels/depthwise/contract.h"

namespace lowbit::dispatch::depthwise {

// The best kernel of a machine that has `have` for these weights (code - zero point); scalar always fits.
const kernels::depthwise::Row& Choose(const int16_t* weights, size_t count, cpu::Isa have);

// All lists of this build, best first.
Span<const kernels::depthwise::Rows* const> Lists();

}  // namespace lowbit::dispatch::depthwise
