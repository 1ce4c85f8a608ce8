// The one list of depthwise kernels, best instruction set first.
#include "dispatch/depthwise.h"

#include "kernels/depthwise/scalar.h"
#if LOWBIT_AVX512VNNI
#include "kernels/depthwise/avx512vnni.h"
#endif
#if LOWBIT_AVX2
#include "kernels/depthwise/avx2.h"
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
    &kernels::depthwise::kScalar,
};

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(const int16_t* weights, size_t count, cpu::Isa have) {
  for (const Rows* list : kLists) {
    for (size_t i = 0; i < list->count; ++i) {
      const Row& row = list->first[i];
      if (cpu::Has(have, row.needs) && row.layout->fits(weights, count)) return row;
    }
  }
  return kernels::depthwise::kScalar.first[0];
}

}  // namespace lowbit::dispatch::depthwise
