// The lists of kernels/gemm_f32, best ISA first; scalar always fits.
#include "dispatch/gemm_f32.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/gemm_f32/avx2.h"
#endif
#include "kernels/gemm_f32/scalar.h"

namespace lowbit::dispatch::gemm_f32 {
namespace {

using kernels::gemm_f32::Row;
using kernels::gemm_f32::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX2
    &kernels::gemm_f32::kAvx2,
#endif
    &kernels::gemm_f32::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(cpu::Isa have) { return *FirstRow(Lists(), have); }

}  // namespace lowbit::dispatch::gemm_f32
