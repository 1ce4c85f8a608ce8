// The lists of kernels/depthwise_rows_f32, best instruction set first.
#include "dispatch/depthwise_rows_f32.h"

#include "dispatch/rows.h"
#if LOWBIT_AVX512VNNI
#include "kernels/depthwise_rows_f32/avx512vnni.h"
#endif
#if LOWBIT_AVX2
#include "kernels/depthwise_rows_f32/avx2.h"
#endif

namespace lowbit::dispatch::depthwise_rows_f32 {
namespace {

using kernels::depthwise_rows_f32::Row;
using kernels::depthwise_rows_f32::Rows;

const Rows* const kLists[] = {
#if LOWBIT_AVX512VNNI
    &kernels::depthwise_rows_f32::kAvx512Vnni,
#endif
#if LOWBIT_AVX2
    &kernels::depthwise_rows_f32::kAvx2,
#endif
    nullptr,  // so that the list is never empty
};

}  // namespace

Span<const Rows* const> Lists() { return {kLists, sizeof kLists / sizeof kLists[0] - 1}; }

const Row* Choose(int filter, int stride, cpu::Isa have) {
  return FirstRow(Lists(), have,
                  [&](const Row& row) { return row.filter == filter && row.stride == stride; });
}

}  // namespace lowbit::dispatch::depthwise_rows_f32
