// Sums and scaling of columns over whole vectors, for inclusion by the files of instruction sets after their vector
// (kernels/real).
#pragma once

#include "kernels/columns_f32/contract.h"
#include "kernels/real/strips.h"

namespace lowbit::kernels::columns_f32 {
namespace {

using real::Strip;
using real::Strips;

template <typename V, int N>
inline void SumStrip(const Strip<V, N>& strip, const float* x, size_t rows, size_t cols, float* sums) {
  typename V::F sum[N];
  for (auto& s : sum) s = V::Set(0.0f);
  for (size_t r = 0; r < rows; ++r, x += cols)
    for (int i = 0; i < N; ++i) sum[i] = V::Add(sum[i], strip.Load(x, i));
  strip.Add(sums, sum);
}

template <typename V>
void SumOf(const float* x, size_t rows, size_t cols, float* sums) {
  for (size_t begin = 0; begin < rows; begin += kBlock) {
    const size_t count = rows - begin < kBlock ? rows - begin : kBlock;
    Strips<V>(cols, [&](const auto& strip, size_t c) {
      SumStrip(strip, x + begin * cols + c, count, cols, sums + c);
    });
  }
}

template <typename V, int N>
inline void ProductStrip(const Strip<V, N>& strip, const float* x, const float* y, const float* shift,
                         size_t rows, size_t cols, float* sums, float* products) {
  typename V::F sum[N], product[N], less[N];
  for (int i = 0; i < N; ++i) {
    sum[i] = product[i] = V::Set(0.0f);
    less[i] = strip.Load(shift, i);
  }
  for (size_t r = 0; r < rows; ++r, x += cols, y += cols) {
    for (int i = 0; i < N; ++i) {
      const typename V::F v = strip.Load(x, i);
      sum[i] = V::Add(sum[i], v);
      product[i] = V::MulAdd(v, V::Sub(strip.Load(y, i), less[i]), product[i]);
    }
  }
  strip.Add(sums, sum);
  strip.Add(products, product);
}

template <typename V>
void ProductOf(const float* x, const float* y, const float* shift, size_t rows, size_t cols, float* sums,
               float* products) {
  for (size_t begin = 0; begin < rows; begin += kBlock) {
    const size_t count = rows - begin < kBlock ? rows - begin : kBlock;
    Strips<V>(cols, [&](const auto& strip, size_t c) {
      const size_t at = begin * cols + c;
      ProductStrip(strip, x + at, y + at, shift + c, count, cols, sums + c, products + c);
    });
  }
}

template <typename V>
void ScaleAll(const float* x, const Line& line, size_t rows, size_t cols, float* out) {
  const auto scaled = [](typename V::F v, typename V::F shift, typename V::F factor, typename V::F offset) {
    return V::Add(V::Mul(V::Sub(v, shift), factor), offset);
  };
  for (size_t r = 0; r < rows; ++r, x += cols, out += cols) {
    size_t c = 0;
    for (; c + V::kWidth <= cols; c += V::kWidth)
      V::Store(out + c, scaled(V::Load(x + c), V::Load(line.shift + c), V::Load(line.factor + c),
                               V::Load(line.offset + c)));
    if (const size_t left = cols - c)
      V::StoreFirst(out + c, left,
                    scaled(V::LoadFirst(x + c, left), V::LoadFirst(line.shift + c, left),
                           V::LoadFirst(line.factor + c, left), V::LoadFirst(line.offset + c, left)));
  }
}

}  // namespace
}  // namespace lowbit::kernels::columns_f32
