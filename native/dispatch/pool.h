// Chooses a kernel of kernels/pool.
#pragma once

#include "base/span.h"
#include "kernels/pool/contract.h"

namespace lowbit::dispatch::pool {

// All lists of rows of this build, best ISA first.
Span<const kernels::pool::Rows* const> Lists();

// The first row of this kind that this machine has.
const kernels::pool::Row& Choose(kernels::pool::Kind kind, cpu::Isa have);

}  // namespace lowbit::dispatch::pool
