// Chooses the depthwise kernel.
#pragma once

#include "base/span.h"
#include "kernels/depthwise/contract.h"

namespace lowbit::dispatch {

// The best kernel of a machine that has `have`; scalar always fits.
const kernels::depthwise::Row& ChooseDepthwise(cpu::Isa have);

// All lists of this build, best first.
Span<const kernels::depthwise::Rows* const> DepthwiseLists();

}  // namespace lowbit::dispatch
