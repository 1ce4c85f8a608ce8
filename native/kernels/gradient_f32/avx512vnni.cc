// The gradients for AVX-512; the loops are in vector.h.
#include "kernels/gradient_f32/avx512vnni.h"

#include "kernels/gradient_f32/vector.h"
#include "kernels/real/avx512vnni.h"

namespace lowbit::kernels::gradient_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {{"clamp_gradient.f32.avx512vnni", "max_pool_gradient.f32.avx512vnni",
                          cpu::kAvx512Vnni, ClampOf<Vector>, MaxPoolOf<Vector>}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::gradient_f32
