// The one list of kernels/depthwise_s16, best instruction set first.
#include "dispatch/depthwise_s16.h"

#include "dispatch/rows.h"
#include "kernels/depthwise_s16/scalar.h"
#if LOWBIT_AVX2
#include "kernels/depthwise_s16/avx2.h"
#endif

namespace lowbit::dispatch::depthwise_s16 {

using kernels::depthwise_s16::Row;
using kernels::depthwise_s16::Rows;

static const Rows* const kLists[] = {
#if LOWBIT_AVX2
    &kernels::depthwise_s16::kAvx2,
#endif
    &kernels::depthwise_s16::kScalar,
};

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(const kernels::depthwise_s16::Layer& layer, cpu::Isa have) {
  return *FirstRow(Lists(), have, [&](const Row& row) { return row.fits(layer); });
}

}  // namespace lowbit::dispatch::depthwise_s16
