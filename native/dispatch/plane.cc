// The lists of kernels/plane, best ISA first; scalar always fits.
#include "dispatch/plane.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/plane/avx2.h"
#endif
#if LOWBIT_NEON
#include "kernels/plane/neon.h"
#endif
#if LOWBIT_AVX512VNNI
#include "kernels/plane/avx512vnni.h"
#endif
#include "kernels/plane/scalar.h"

namespace lowbit::dispatch::plane {
namespace {

using kernels::plane::Row;
using kernels::plane::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::plane::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::plane::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::plane::kNeon,
#endif
    &kernels::plane::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(cpu::Isa have) { return *FirstRow(Lists(), have); }

}  // namespace lowbit::dispatch::plane
