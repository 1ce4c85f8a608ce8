// Rows of float32 for AVX2 and FMA; the loops are in vector.h.
#include "kernels/rows_f32/avx2.h"

#include "kernels/real/avx2.h"
#include "kernels/rows_f32/vector.h"

namespace lowbit::kernels::rows_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {{"rows.f32.avx2", cpu::kAvx2, Total<Vector>, SoftmaxOf<Vector>,
                          NormalizeRows<Vector>, Symmetric<Vector>, Asymmetric<Vector>}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::rows_f32
