// The lists of kernels/gemm_s16, best ISA first; scalar always fits.
#include "dispatch/gemm_s16.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/gemm_s16/avx2.h"
#endif
#if LOWBIT_AVXVNNI
#include "kernels/gemm_s16/avxvnni.h"
#endif
#if LOWBIT_AVX512VNNI
#include "kernels/gemm_s16/avx512vnni.h"
#endif
#include "kernels/gemm_s16/scalar.h"

namespace lowbit::dispatch::gemm_s16 {
namespace {

using kernels::gemm_s16::Row;
using kernels::gemm_s16::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::gemm_s16::kAvx512Vnni,
#endif
#if LOWBIT_AVXVNNI
    &kernels::gemm_s16::kAvxVnni,
#endif
#if LOWBIT_AVX2
    &kernels::gemm_s16::kAvx2,
#endif
    &kernels::gemm_s16::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(size_t channels, cpu::Isa have) {
  const Row* best = FirstRow(Lists(), have);
  // Panels half as wide, where the best ones would be half empty.
  const Row* narrow = FirstRow(Lists(), have, [&](const Row& row) {
    return row.needs != cpu::kScalar && 2 * Padded(row.nr, channels) <= Padded(best->nr, channels);
  });
  return narrow ? *narrow : *best;
}

}  // namespace lowbit::dispatch::gemm_s16
