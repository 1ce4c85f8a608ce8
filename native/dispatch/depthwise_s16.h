// Chooses the kernel of kernels/depthwise_s16.
#pragma once

#include "base/span.h"
#include "kernels/depthwise_s16/contract.h"

namespace lowbit::dispatch::depthwise_s16 {

// The best kernel of a machine that has `have` for this layer; scalar always fits.
const kernels::depthwise_s16::Row& Choose(const kernels::depthwise_s16::Layer& layer, cpu::Isa have);

// All lists of this build, best first.
Span<const kernels::depthwise_s16::Rows* const> Lists();

}  // namespace lowbit::dispatch::depthwise_s16
