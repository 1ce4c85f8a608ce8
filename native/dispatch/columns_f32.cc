// The lists of kernels/columns_f32, best ISA first; scalar always fits.
#include "dispatch/columns_f32.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/columns_f32/avx2.h"
#endif
#if LOWBIT_AVX512VNNI
#include "kernels/columns_f32/avx512vnni.h"
#endif
#include "kernels/columns_f32/scalar.h"

namespace lowbit::dispatch::columns_f32 {
namespace {

using kernels::columns_f32::Row;
using kernels::columns_f32::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::columns_f32::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::columns_f32::kAvx2,
#endif
    &kernels::columns_f32::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(cpu::Isa have) { return *FirstRow(Lists(), have); }

}  // namespace lowbit::dispatch::columns_f32
