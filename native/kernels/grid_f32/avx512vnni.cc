// Fake quantisation for AVX-512; the loops are in vector.h.
#include "kernels/grid_f32/avx512vnni.h"

#include "kernels/grid_f32/vector.h"
#include "kernels/real/avx512vnni.h"

namespace lowbit::kernels::grid_f32 {
namespace {

using real::Vector;

constexpr Row kList[] = {
    {"grid.f32.avx512vnni", cpu::kAvx512Vnni, QuantizeAll<Vector>, GradientAll<Vector>, RangeOf<Vector>}};

}  // namespace

const Rows kAvx512Vnni{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::grid_f32
