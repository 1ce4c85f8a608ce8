// The one list of depthwise kernels, best instruction set first.
#include "dispatch/depthwise.h"

#include "dispatch/rows.h"
#include "kernels/depthwise/scalar.h"
#if LOWBIT_AVX512VNNI
#include "kernels/depthwise/avx512vnni.h"
#endif
#if LOWBIT_AVX2
#include "kernels/depthwise/avx2.h"
#endif
#if LOWBIT_NEON
#include "kernels/depthwise/neon.h"
#endif

namespace lowbit::dispatch::depthwise {

using kernels::depthwise::Row;
using kernels::depthwise::Rows;

static const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::depthwise::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::depthwise::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::depthwise::kNeon,
#endif
    &kernels::depthwise::kScalar,
};

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(const int16_t* weights, size_t count, cpu::Isa have) {
  return *FirstRow(Lists(), have, [&](const Row& row) { return row.layout->fits(weights, count); });
}

}  // namespace lowbit::dispatch::depthwise
