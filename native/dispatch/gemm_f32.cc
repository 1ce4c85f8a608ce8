// The lists of kernels/gemm_f32, best ISA first; scalar always fits.
#include "dispatch/gemm_f32.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/gemm_f32/avx2.h"
#endif
#if LOWBIT_NEON
#include "kernels/gemm_f32/neon.h"
#endif
#if LOWBIT_AVX512VNNI
#include "kernels/gemm_f32/avx512vnni.h"
#endif
#include "kernels/gemm_f32/scalar.h"

namespace lowbit::dispatch::gemm_f32 {
namespace {

using kernels::gemm_f32::Row;
using kernels::gemm_f32::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::gemm_f32::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::gemm_f32::kAvx2,
#endif
#if LOWBIT_NEON
    &kernels::gemm_f32::kNeon,
#endif
    &kernels::gemm_f32::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(size_t channels, cpu::Isa have) {
  // A later row of the best instruction set has narrower panels: for where they leave fewer columns empty.
  const Row* best = FirstRow(Lists(), have);
  const auto is_tighter = [&](const Row& row) {
    return row.needs == best->needs && Padded(row.nr, channels) < Padded(best->nr, channels);
  };
  const Row* tighter = FirstRow(Lists(), have, is_tighter);
  return tighter ? *tighter : *best;
}

}  // namespace lowbit::dispatch::gemm_f32
