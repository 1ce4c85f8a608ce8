// The lists of kernels/gemv, best instruction set first.
#include "dispatch/gemv.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX512VNNI
#include "kernels/gemv/avx512vnni.h"
#endif
#if LOWBIT_AVXVNNI
#include "kernels/gemv/avxvnni.h"
#endif
#if LOWBIT_AVX2
#include "kernels/gemv/avx2.h"
#endif

namespace lowbit::dispatch::gemv {
namespace {

using kernels::gemv::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::gemv::kAvx512Vnni,
#endif
#if LOWBIT_AVXVNNI
    &kernels::gemv::kAvxVnni,
#endif
#if LOWBIT_AVX2
    &kernels::gemv::kAvx2,
#endif
    nullptr,  // so that the list is never empty
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0] - 1}; }

const kernels::gemv::Row* Choose(size_t channels, int32_t least, cpu::Isa have) {
  return FirstRow(Lists(), have, [&](const kernels::gemv::Row& row) {
    return least >= row.least_weight && !GrowsTooMuch(row.unit, 1, channels);
  });
}

}  // namespace lowbit::dispatch::gemv
