// Fake quantisation, one element at a time.
#include "kernels/grid_f32/scalar.h"

#include <math.h>

namespace lowbit::kernels::grid_f32 {
namespace {

void QuantizeAll(const float* x, const Grid& grid, size_t rows, size_t cols, float* out) {
  for (size_t r = 0; r < rows; ++r, x += cols, out += cols) {
    for (size_t c = 0; c < cols; ++c) {
      const float steps = x[c] / grid.step[c], least = grid.least[c], most = grid.most[c];
      const float clamped = steps < least ? least : steps > most ? most : steps;
      out[c] = grid.step[c] * (roundf(clamped) + 0.0f);
    }
  }
}

void GradientOfBlock(const float* x, const float* dy, const Grid& grid, const Effects& effects, size_t rows,
                     size_t cols, size_t c, float* dx, float* const* sums) {
  float sum[kMostEffects] = {};
  for (size_t at = c; at < rows * cols; at += cols) {
    const float steps = x[at] / grid.step[c];
    const bool below = steps<grid.least[c], above = steps> grid.most[c];
    dx[at] = steps >= grid.least[c] && steps <= grid.most[c] ? dy[at] : 0.0f;
    for (int e = 0; e < effects.count; ++e) {
      const Effect& effect = effects.each[e];
      const float slope = below   ? effect.below
                          : above ? effect.above
                                  : effect.within * (roundf(steps) - steps);
      sum[e] += dy[at] * slope;
    }
  }
  for (int e = 0; e < effects.count; ++e) sums[e][c] += sum[e];
}

void GradientAll(const float* x, const float* dy, const Grid& grid, const Effects& effects, size_t rows,
                 size_t cols, float* dx, float* const* sums) {
  for (size_t begin = 0; begin < rows; begin += kBlock) {
    const size_t count = rows - begin < kBlock ? rows - begin : kBlock, at = begin * cols;
    for (size_t c = 0; c < cols; ++c)
      GradientOfBlock(x + at, dy + at, grid, effects, count, cols, c, dx + at, sums);
  }
}

void RangeOf(const float* x, size_t rows, size_t cols, float* least, float* most) {
  for (size_t r = 0; r < rows; ++r, x += cols) {
    for (size_t c = 0; c < cols; ++c) {
      if (x[c] < least[c]) least[c] = x[c];
      if (x[c] > most[c]) most[c] = x[c];
      if (isnan(x[c])) least[c] = most[c] = NAN;
    }
  }
}

constexpr Row kList[] = {{"grid.f32.scalar", cpu::kScalar, QuantizeAll, GradientAll, RangeOf}};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::grid_f32
