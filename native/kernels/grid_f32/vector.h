// Fake quantisation over whole vectors, for inclusion by the files of instruction sets after their vector
// (kernels/real).
#pragma once

#include "kernels/grid_f32/contract.h"

namespace lowbit::kernels::grid_f32 {
namespace {

template <typename V>
struct Lanes {
  using F = typename V::F;
  F step, least, most;

  explicit Lanes(const Grid& grid)
      : step(V::Set(grid.step)), least(V::Set(grid.least)), most(V::Set(grid.most)) {}

  // The second operand of Max and Min is the result where one is NaN. A fraction is exact where x + 0.5 is not.
  F Quantize(F x) const {
    const F steps = V::Min(most, V::Max(least, V::Div(x, step)));
    const F size = V::Abs(steps), whole = V::Floor(size);
    const F more = V::Select(V::AtLeast(V::Sub(size, whole), V::Set(0.5f)), V::Set(1.0f), V::Set(0.0f));
    return V::Mul(step, V::Add(V::CopySign(V::Add(whole, more), steps), V::Set(0.0f)));
  }
  F Gradient(F x, F dy) const {
    const F steps = V::Div(x, step), zero = V::Set(0.0f);
    return V::Select(V::AtLeast(steps, least), V::Select(V::AtLeast(most, steps), dy, zero), zero);
  }
};

template <typename V>
void QuantizeAll(const float* x, const Grid& grid, size_t count, float* out) {
  const Lanes<V> lanes(grid);
  size_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth) V::Store(out + i, lanes.Quantize(V::Load(x + i)));
  if (const size_t left = count - i) V::StoreFirst(out + i, left, lanes.Quantize(V::LoadFirst(x + i, left)));
}

template <typename V>
void GradientAll(const float* x, const float* dy, const Grid& grid, size_t count, float* out) {
  const Lanes<V> lanes(grid);
  size_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth)
    V::Store(out + i, lanes.Gradient(V::Load(x + i), V::Load(dy + i)));
  if (const size_t left = count - i)
    V::StoreFirst(out + i, left, lanes.Gradient(V::LoadFirst(x + i, left), V::LoadFirst(dy + i, left)));
}

}  // namespace
}  // namespace lowbit::kernels::grid_f32
