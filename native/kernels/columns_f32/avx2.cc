// Sums and scaling of columns for AVX2; the loops are in vector.h.
#include "kernels/columns_f32/avx2.h"

#include "kernels/columns_f32/vector.h"
#include "kernels/real/avx2.h"

namespace lowbit::kernels::columns_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"columns.f32.avx2", cpu::kAvx2, SumOf<Vector>, ProductOf<Vector>, ScaleAll<Vector>}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::columns_f32
