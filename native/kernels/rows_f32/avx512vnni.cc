// Rows of float32 for AVX-512; the loops are in vector.h.
#include "kernels/rows_f32/avx512vnni.h"

#include "kernels/real/avx512vnni.h"
#include "kernels/rows_f32/vector.h"

namespace lowbit::kernels::rows_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {{"rows.f32.avx512vnni", cpu::kAvx512Vnni, Total<Vector>, SoftmaxOf<Vector>,
                          NormalizeRows<Vector>, Symmetric<Vector>, Asymmetric<Vector>}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::rows_f32
