// The lists of kernels/affine, best ISA first; scalar always fits.
#include "dispatch/affine.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/affine/avx2.h"
#endif
#if LOWBIT_NEON
#include "kernels/affine/neon.h"
#endif
#include "kernels/affine/scalar.h"

namespace lowbit::dispatch::affine {
namespace {

using kernels::affine::Row;
using kernels::affine::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX2
    &kernels::affine::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::affine::kNeon,
#endif
    &kernels::affine::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(kernels::affine::Kind kind, cpu::Isa have) {
  return *FirstRow(Lists(), have, [&](const Row& row) { return row.kind == kind; });
}

}  // namespace lowbit::dispatch::affine
