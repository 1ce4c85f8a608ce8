// The lists of kernels/update_f32, best ISA first; scalar always fits.
#include "dispatch/update_f32.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX2
#include "kernels/update_f32/avx2.h"
#endif
#if LOWBIT_AVX512VNNI
#include "kernels/update_f32/avx512vnni.h"
#endif
#include "kernels/update_f32/scalar.h"

namespace lowbit::dispatch::update_f32 {
namespace {

using kernels::update_f32::Row;
using kernels::update_f32::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::update_f32::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::update_f32::kAvx2,
#endif
    &kernels::update_f32::kScalar,
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0]}; }

const Row& Choose(kernels::update_f32::Method method, cpu::Isa have) {
  return *FirstRow(Lists(), have, [&](const Row& row) { return row.method == method; });
}

}  // namespace lowbit::dispatch::update_f32
