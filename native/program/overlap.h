// The rule for operands that share memory.
#pragma once

#include <string>

#include "base/span.h"
#include "program/step.h"

namespace lowbit::program {

// Kernels read operands in an order of their own and copy by memcpy, so what a step writes is nobody else's:
// no output overlaps another operand, but that output 0 may be the very memory of an input that `in_place`
// (StepKind) names. Operands are inputs (null where absent), then outputs. Says what is wrong, or nothing.
std::string FindOverlap(Span<const Tensor* const> operands, size_t input_count, uint32_t in_place);

}  // namespace lowbit::program
