// The lists of kernels/lut, best ISA first; scalar always fits.
#include "dispatch/lut.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/lut/avx2.h"
#endif
#if LOWBIT_NEON
#include "kernels/lut/neon.h"
#endif
#if LOWBIT_AVX512VNNI
#include "kernels/lut/avx512vnni.h"
#endif
#include "kernels/lut/scalar.h"

namespace lowbit::dispatch::lut {
namespace {

using kernels::lut::Row;
using kernels::lut::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::lut::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::lut::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::lut::kNeon,
#endif
    &kernels::lut::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(cpu::Isa have) { return *FirstRow(Lists(), have); }

}  // namespace lowbit::dispatch::lut
