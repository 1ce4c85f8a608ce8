// The lists of kernels/pool, best ISA first; scalar always fits.
#include "dispatch/pool.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/pool/avx2.h"
#endif
#if LOWBIT_AVX512VNNI
#include "kernels/pool/avx512vnni.h"
#endif
#if LOWBIT_NEON
#include "kernels/pool/neon.h"
#endif
#include "kernels/pool/scalar.h"

namespace lowbit::dispatch::pool {
namespace {

using kernels::pool::Row;
using kernels::pool::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::pool::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::pool::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::pool::kNeon,
#endif
    &kernels::pool::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(kernels::pool::Kind kind, cpu::Isa have) {
  return *FirstRow(Lists(), have, [&](const Row& row) { return row.kind == kind; });
}

}  // namespace lowbit::dispatch::pool
