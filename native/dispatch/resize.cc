// The lists of kernels/resize, best ISA first; scalar always fits.
#include "dispatch/resize.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/resize/avx2.h"
#endif
#include "kernels/resize/scalar.h"

namespace lowbit::dispatch::resize {
namespace {

using kernels::resize::Row;
using kernels::resize::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX2
    &kernels::resize::kAvx2,
#endif
    &kernels::resize::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(kernels::resize::Kind kind, cpu::Isa have) {
  return *FirstRow(Lists(), have, [&](const Row& row) { return row.kind == kind; });
}

}  // namespace lowbit::dispatch::resize
