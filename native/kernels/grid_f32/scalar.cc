// Fake quantisation, one element at a time.
#include "kernels/grid_f32/scalar.h"

#include <math.h>

namespace lowbit::kernels::grid_f32 {
namespace {

void QuantizeAll(const float* x, const Grid& grid, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    const float steps = x[i] / grid.step;
    const float clamped = steps < grid.least ? grid.least : steps > grid.most ? grid.most : steps;
    out[i] = grid.step * (roundf(clamped) + 0.0f);
  }
}

void GradientAll(const float* x, const float* dy, const Grid& grid, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    const float steps = x[i] / grid.step;
    out[i] = steps >= grid.least && steps <= grid.most ? dy[i] : 0.0f;
  }
}

constexpr Row kList[] = {{"grid.f32.scalar", cpu::kScalar, QuantizeAll, GradientAll}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::grid_f32
