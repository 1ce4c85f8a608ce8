// Chooses the kernel of kernels/depthwise_rows, for layers that have one.
#pragma once

#include "base/span.h"
#include "kernels/depthwise_rows/contract.h"

namespace lowbit::dispatch::depthwise_rows {

// The best kernel of a machine that has `have` for filter x filter taps, this stride both ways and these
// weights (code - zero point), or null: the layer then takes kernels/depthwise.
const kernels::depthwise_rows::Row* Choose(int filter, int stride, size_t channels, const int16_t* weights,
                                           size_t count, cpu::Isa have);

// All lists of this build, best first.
Span<const kernels::depthwise_rows::Rows* const> Lists();

}  // namespace lowbit::dispatch::depthwise_rows
