// The lists of kernels/elementwise, best ISA first; scalar always fits.
#include "dispatch/elementwise.h"

#if LOWBIT_AVX2
#include "kernels/elementwise/avx2.h"
#endif
#include "kernels/elementwise/scalar.h"

namespace lowbit::dispatch::elementwise {
namespace {

using kernels::elementwise::Row;
using kernels::elementwise::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX2
    &kernels::elementwise::kAvx2,
#endif
    &kernels::elementwise::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(kernels::elementwise::Kind kind, bool left_shift, cpu::Isa have) {
  for (const Rows* list : Lists()) {
    for (size_t i = 0; i < list->count; ++i) {
      const Row& row = list->first[i];
      if (row.kind == kind && (row.left_shifts || !left_shift) && cpu::Has(have, row.needs)) return row;
    }
  }
  return kernels::elementwise::kScalar.first[0];
}

}  // namespace lowbit::dispatch::elementwise
