// The lists of kernels/gemm_u8, best instruction set first.
#include "dispatch/gemm_u8.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX512VNNI
#include "kernels/gemm_u8/avx512vnni.h"
#endif
#if LOWBIT_AVXVNNI
#include "kernels/gemm_u8/avxvnni.h"
#endif
#if LOWBIT_NEONI8MM
#include "kernels/gemm_u8/neoni8mm.h"
#endif
#if LOWBIT_NEONDOT
#include "kernels/gemm_u8/neondot.h"
#endif
#if LOWBIT_NEON
#include "kernels/gemm_u8/neon.h"
#endif

namespace lowbit::dispatch::gemm_u8 {
namespace {

using kernels::gemm_u8::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::gemm_u8::kAvx512Vnni,
#endif
#if LOWBIT_AVXVNNI
    &kernels::gemm_u8::kAvxVnni,
#endif
#if LOWBIT_NEONI8MM
    &kernels::gemm_u8::kNeonI8mm,
#endif
#if LOWBIT_NEONDOT
    &kernels::gemm_u8::kNeonDot,
#endif
#if LOWBIT_NEON
    &kernels::gemm_u8::kNeon,
#endif
    nullptr,  // so that the list is never empty
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0] - 1}; }

const kernels::gemm_u8::Row* Choose(size_t channels, int32_t least, cpu::Isa have) {
  for (const Rows* list : Lists()) {
    const kernels::gemm_u8::Row* best = nullptr;
    for (size_t i = 0; i < list->count; ++i) {
      const kernels::gemm_u8::Row& row = list->first[i];
      if (!cpu::Has(have, row.needs) || least < row.least_weight || GrowsTooMuch(row.nr, 1, channels))
        continue;
      const auto cost = [&](const kernels::gemm_u8::Row& one) {
        return PanelCost(one.nr, list->first[0].nr, channels);
      };
      if (!best || cost(row) < cost(*best)) best = &row;
    }
    if (best) return best;
  }
  return nullptr;
}

}  // namespace lowbit::dispatch::gemm_u8
