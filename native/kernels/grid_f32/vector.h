// Fake quantisation over whole vectors, for inclusion by the files of instruction sets after their vector
// (kernels/real).
#pragma once

#include <math.h>

#include "kernels/grid_f32/contract.h"
#include "kernels/real/strips.h"

namespace lowbit::kernels::grid_f32 {
namespace {

using real::Strip;

// Calls work(strip, first column, first element, rows) for blocks of rows.
template <typename V, typename Work>
inline void Blocks(size_t rows, size_t cols, const Work& work) {
  for (size_t begin = 0; begin < rows; begin += kBlock) {
    const size_t count = rows - begin < kBlock ? rows - begin : kBlock;
    real::Strips<V>(cols, [&](const auto& strip, size_t c) { work(strip, c, begin * cols + c, count); });
  }
}

// A fraction is exact where x + 0.5 is not.
template <typename V>
inline typename V::F RoundAway(typename V::F x) {
  const typename V::F size = V::Abs(x), whole = V::Floor(size);
  const auto up = V::AtLeast(V::Sub(size, whole), V::Set(0.5f));
  return V::CopySign(V::Add(whole, V::Select(up, V::Set(1.0f), V::Set(0.0f))), x);
}

// The grids of a strip.
template <typename V, int N>
struct Lines {
  typename V::F step[N], least[N], most[N];

  Lines(const Strip<V, N>& strip, const Grid& grid, size_t c) {
    for (int i = 0; i < N; ++i) {
      step[i] = strip.Load(grid.step + c, i);
      least[i] = strip.Load(grid.least + c, i);
      most[i] = strip.Load(grid.most + c, i);
    }
  }
};

template <typename V, int N>
inline void QuantizeStrip(const Strip<V, N>& strip, const Lines<V, N>& lines, const float* x, size_t rows,
                          size_t cols, float* out) {
  for (size_t r = 0; r < rows; ++r, x += cols, out += cols) {
    for (int i = 0; i < N; ++i) {
      // The second operand of Max and Min is the result where one is NaN.
      const typename V::F steps = V::Div(strip.Load(x, i), lines.step[i]);
      const typename V::F clamped = V::Min(lines.most[i], V::Max(lines.least[i], steps));
      strip.Store(out, i, V::Mul(lines.step[i], V::Add(RoundAway<V>(clamped), V::Set(0.0f))));
    }
  }
}

template <typename V>
void QuantizeAll(const float* x, const Grid& grid, size_t rows, size_t cols, float* out) {
  Blocks<V>(rows, cols, [&](const auto& strip, size_t c, size_t at, size_t count) {
    QuantizeStrip(strip, {strip, grid, c}, x + at, count, cols, out + at);
  });
}

// What the gradient of a strip reads and writes, from its first element on.
struct GradientArrays {
  const float *x, *dy;
  float* dx;
};

template <int kEffects, typename V, int N>
inline void GradientStrip(const Strip<V, N>& strip, const Lines<V, N>& lines, const Effects& effects,
                          GradientArrays arrays, size_t rows, size_t cols, size_t c, float* const* sums) {
  using F = typename V::F;
  const F zero = V::Set(0.0f);
  F sum[kMostEffects][N];
  for (auto& part : sum)
    for (F& s : part) s = zero;
  for (size_t r = 0; r < rows; ++r, arrays.x += cols, arrays.dy += cols, arrays.dx += cols) {
    for (int i = 0; i < N; ++i) {
      const F steps = V::Div(strip.Load(arrays.x, i), lines.step[i]), dy = strip.Load(arrays.dy, i);
      const F dx = V::Select(V::AtLeast(lines.most[i], steps), dy, zero);
      strip.Store(arrays.dx, i, V::Select(V::AtLeast(steps, lines.least[i]), dx, zero));
      if (kEffects == 0) continue;
      const F inside = V::Sub(RoundAway<V>(steps), steps);
      const auto below = V::Less(steps, lines.least[i]), above = V::Less(lines.most[i], steps);
      for (int e = 0; e < kEffects; ++e) {
        const Effect& effect = effects.each[e];
        const F within = V::Mul(V::Set(effect.within), inside);
        const F slope =
            V::Select(below, V::Set(effect.below), V::Select(above, V::Set(effect.above), within));
        sum[e][i] = V::Add(sum[e][i], V::Mul(dy, slope));
      }
    }
  }
  for (int e = 0; e < kEffects; ++e) strip.Add(sums[e] + c, sum[e]);
}

template <typename V, int kEffects>
void GradientOf(const float* x, const float* dy, const Grid& grid, const Effects& effects, size_t rows,
                size_t cols, float* dx, float* const* sums) {
  Blocks<V>(rows, cols, [&](const auto& strip, size_t c, size_t at, size_t count) {
    GradientStrip<kEffects>(strip, {strip, grid, c}, effects, {x + at, dy + at, dx + at}, count, cols, c,
                            sums);
  });
}

template <typename V>
void GradientAll(const float* x, const float* dy, const Grid& grid, const Effects& effects, size_t rows,
                 size_t cols, float* dx, float* const* sums) {
  const auto run = effects.count == 0   ? GradientOf<V, 0>
                   : effects.count == 1 ? GradientOf<V, 1>
                                        : GradientOf<V, 2>;
  run(x, dy, grid, effects, rows, cols, dx, sums);
}

template <typename V, int N>
inline void RangeStrip(const Strip<V, N>& strip, const float* x, size_t rows, size_t cols, float* least,
                       float* most) {
  using F = typename V::F;
  F low[N], high[N], odd[N];
  const F nan = V::Set(NAN);
  for (int i = 0; i < N; ++i) {
    low[i] = strip.Load(least, i);
    high[i] = strip.Load(most, i);
    odd[i] = V::Set(0.0f);
  }
  for (size_t r = 0; r < rows; ++r, x += cols) {
    for (int i = 0; i < N; ++i) {
      const F v = strip.Load(x, i);
      low[i] = V::Min(v, low[i]);  // the second operand where one is NaN, or both are 0
      high[i] = V::Max(v, high[i]);
      odd[i] = V::Select(V::AtLeast(v, v), odd[i], nan);
    }
  }
  for (int i = 0; i < N; ++i) {
    const auto plain = V::AtLeast(odd[i], odd[i]);
    strip.Store(least, i, V::Select(plain, low[i], nan));
    strip.Store(most, i, V::Select(plain, high[i], nan));
  }
}

template <typename V>
void RangeOf(const float* x, size_t rows, size_t cols, float* least, float* most) {
  Blocks<V>(rows, cols, [&](const auto& strip, size_t c, size_t at, size_t count) {
    RangeStrip(strip, x + at, count, cols, least + c, most + c);
  });
}

}  // namespace
}  // namespace lowbit::kernels::grid_f32
