// Chooses a kernel of kernels/affine.
#pragma once

#include "base/span.h"
#include "kernels/affine/contract.h"

namespace lowbit::dispatch::affine {

// All lists of rows of this build, best ISA first.
Span<const kernels::affine::Rows* const> Lists();

// The first row of this kind that this machine has.
const kernels::affine::Row& Choose(kernels::affine::Kind kind, cpu::Isa have);

}  // namespace lowbit::dispatch::affine
