// The lists of kernels/pool, best ISA first; scalar always fits.
#include "dispatch/pool.h"

#if LOWBIT_AVX2
#include "kernels/pool/avx2.h"
#endif
#include "kernels/pool/scalar.h"

namespace lowbit::dispatch::pool {
namespace {

using kernels::pool::Row;
using kernels::pool::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX2
    &kernels::pool::kAvx2,
#endif
    &kernels::pool::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(kernels::pool::Kind kind, cpu::Isa have) {
  for (const Rows* list : Lists()) {
    for (size_t i = 0; i < list->count; ++i) {
      const Row& row = list->first[i];
      if (row.kind == kind && cpu::Has(have, row.needs)) return row;
    }
  }
  return kernels::pool::kScalar.first[0];
}

}  // namespace lowbit::dispatch::pool
