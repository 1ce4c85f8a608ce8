// The gradients for AVX2; the loops are in vector.h.
#include "kernels/gradient_f32/avx2.h"

#include "kernels/gradient_f32/vector.h"
#include "kernels/real/avx2.h"

namespace lowbit::kernels::gradient_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {{"clamp_gradient.f32.avx2", "max_pool_gradient.f32.avx2", cpu::kAvx2,
                          ClampOf<Vector>, MaxPoolOf<Vector>}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gradient_f32
