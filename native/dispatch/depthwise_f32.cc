// The one list of kernels/depthwise_f32, best instruction set first.
#include "dispatch/depthwise_f32.h"

#include "dispatch/rows.h"
#include "kernels/depthwise_f32/scalar.h"
#if LOWBIT_AVX2
#include "kernels/depthwise_f32/avx2.h"
#endif

namespace lowbit::dispatch::depthwise_f32 {

using kernels::depthwise_f32::Row;
using kernels::depthwise_f32::Rows;

static const Rows* const kLists[] = {
#if LOWBIT_AVX2
    &kernels::depthwise_f32::kAvx2,
#endif
    &kernels::depthwise_f32::kScalar,
};

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(cpu::Isa have) { return *FirstRow(Lists(), have); }

}  // namespace lowbit::dispatch::depthwise_f32
