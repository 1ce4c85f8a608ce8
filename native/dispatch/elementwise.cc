// The lists of kernels/elementwise, best ISA first; scalar always fits.
#include "dispatch/elementwise.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/elementwise/avx2.h"
#endif
#if LOWBIT_NEON
#include "kernels/elementwise/neon.h"
#endif
#if LOWBIT_AVX512VNNI
#include "kernels/elementwise/avx512vnni.h"
#endif
#include "kernels/elementwise/scalar.h"

namespace lowbit::dispatch::elementwise {
namespace {

using kernels::elementwise::Row;
using kernels::elementwise::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::elementwise::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::elementwise::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::elementwise::kNeon,
#endif
    &kernels::elementwise::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(kernels::elementwise::Kind kind, bool left_shift, cpu::Isa have) {
  return *FirstRow(Lists(), have,
                   [&](const Row& row) { return row.kind == kind && (row.left_shifts || !left_shift); });
}

}  // namespace lowbit::dispatch::elementwise
