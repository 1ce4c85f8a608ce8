// Chooses the kernel of kernels/depthwise_rows_f32, for layers that have one.
#pragma once

#include "base/span.h"
#include "kernels/depthwise_rows_f32/contract.h"

namespace lowbit::dispatch::depthwise_rows_f32 {

// The best kernel of a machine that has `have` for filter x filter taps and this stride both ways, or null:
// the layer then takes kernels/depthwise_f32.
const kernels::depthwise_rows_f32::Row* Choose(int filter, int stride, cpu::Isa have);

// All lists of this build, best first.
Span<const kernels::depthwise_rows_f32::Rows* const> Lists();

}  // namespace lowbit::dispatch::depthwise_rows_f32
