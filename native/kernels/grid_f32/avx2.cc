// Fake quantisation for AVX2; the loops are in vector.h.
#include "kernels/grid_f32/avx2.h"

#include "kernels/grid_f32/vector.h"
#include "kernels/real/avx2.h"

namespace lowbit::kernels::grid_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"grid.f32.avx2", cpu::kAvx2, QuantizeAll<Vector>, GradientAll<Vector>, RangeOf<Vector>}};

}  // namespace

const Rows kAvx2{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::grid_f32
