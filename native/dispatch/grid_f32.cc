// The lists of kernels/grid_f32, best ISA first; scalar always fits.
#include "dispatch/grid_f32.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/grid_f32/avx2.h"
#endif
#if LOWBIT_AVX512VNNI
#include "kernels/grid_f32/avx512vnni.h"
#endif
#include "kernels/grid_f32/scalar.h"

namespace lowbit::dispatch::grid_f32 {
namespace {

using kernels::grid_f32::Row;
using kernels::grid_f32::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::grid_f32::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::grid_f32::kAvx2,
#endif
    &kernels::grid_f32::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(cpu::Isa have) {
  return *FirstRow(Lists(), have, [](const Row&) { return true; });
}

}  // namespace lowbit::dispatch::grid_f32
