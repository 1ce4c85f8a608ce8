// Operations on two float32 operands over whole vectors, for inclusion by the files of instruction sets after
// their vector (kernels/real).
#pragma once

#include "kernels/pair_f32/contract.h"

namespace lowbit::kernels::pair_f32 {
namespace {

template <Operation operation, typename V>
inline typename V::F Apply(typename V::F a, typename V::F b) {
  switch (operation) {
    case Operation::kAdd:
      return V::Add(a, b);
    case Operation::kSub:
      return V::Sub(a, b);
    case Operation::kMul:
      return V::Mul(a, b);
    case Operation::kMaximum:
      return V::Max(a, b);
    case Operation::kMinimum:
      return V::Min(a, b);
    case Operation::kMaximumOrNan:
      return V::Select(V::AtLeast(a, a), V::Max(a, b), a);
    case Operation::kMinimumOrNan:
      return V::Select(V::AtLeast(a, a), V::Min(a, b), a);
    case Operation::kDiv:
      return V::Div(a, b);
    case Operation::kSquaredDifference: {
      const typename V::F difference = V::Sub(a, b);
      return V::Mul(difference, difference);
    }
    default:
      return V::Select(V::AtLeast(a, V::Set(0.0f)), a, V::Mul(a, b));
  }
}

// Loads of whole vectors: one that lies in memory, and one that is everywhere the same.
template <typename V>
struct Stream {
  const float* p;
  typename V::F Load(size_t i) const { return V::Load(p + i); }
  typename V::F LoadFirst(size_t i, size_t n) const { return V::LoadFirst(p + i, n); }
};
template <typename V>
struct Constant {
  typename V::F x;
  typename V::F Load(size_t) const { return x; }
  typename V::F LoadFirst(size_t, size_t) const { return x; }
};

template <Operation operation, typename V, typename A, typename B>
inline void Loop(const A& a, const B& b, float* out, size_t count, float low, float high) {
  const typename V::F least = V::Set(low), most = V::Set(high);
  const auto clamped = [&](typename V::F x) { return V::Min(most, V::Max(least, x)); };
  size_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth) {
    V::Store(out + i, clamped(Apply<operation, V>(a.Load(i), b.Load(i))));
  }
  if (const size_t left = count - i) {
    V::StoreFirst(out + i, left, clamped(Apply<operation, V>(a.LoadFirst(i, left), b.LoadFirst(i, left))));
  }
}

template <Operation operation, typename V>
void Pair(const float* a, int a_step, const float* b, int b_step, float* out, size_t count, float low,
          float high) {
  if (!count) return;
  if (a_step && b_step) {
    Loop<operation, V>(Stream<V>{a}, Stream<V>{b}, out, count, low, high);
  } else if (a_step) {
    Loop<operation, V>(Stream<V>{a}, Constant<V>{V::Set(*b)}, out, count, low, high);
  } else if (b_step) {
    Loop<operation, V>(Constant<V>{V::Set(*a)}, Stream<V>{b}, out, count, low, high);
  } else {
    Loop<operation, V>(Constant<V>{V::Set(*a)}, Constant<V>{V::Set(*b)}, out, count, low, high);
  }
}

}  // namespace
}  // namespace lowbit::kernels::pair_f32
