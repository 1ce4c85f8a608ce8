// The lists of kernels/sum, best ISA first; scalar always fits.
#include "dispatch/sum.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/sum/avx2.h"
#endif
#if LOWBIT_NEON
#include "kernels/sum/neon.h"
#endif
#include "kernels/sum/scalar.h"

namespace lowbit::dispatch::sum {
namespace {

using kernels::sum::Row;
using kernels::sum::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX2
    &kernels::sum::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::sum::kNeon,
#endif
    &kernels::sum::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(kernels::sum::Kind kind, cpu::Isa have) {
  return *FirstRow(Lists(), have, [&](const Row& row) { return row.kind == kind; });
}

}  // namespace lowbit::dispatch::sum
