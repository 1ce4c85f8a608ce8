// Functions of float32 over whole vectors, for inclusion by the files of instruction sets after their vector
// (kernels/real).
#pragma once

#include "kernels/map_f32/contract.h"
#include "kernels/real/functions.h"

namespace lowbit::kernels::map_f32 {
namespace {

template <Function function, typename V>
inline typename V::F Apply(typename V::F x, typename V::F parameter) {
  const typename V::F zero = V::Set(0.0f), one = V::Set(1.0f), six = V::Set(6.0f);
  switch (function) {
    case Function::kRelu:
      return V::Max(zero, x);
    case Function::kRelu6:
      return V::Min(six, V::Max(zero, x));
    case Function::kReluN1To1:
      return V::Min(one, V::Max(V::Set(-1.0f), x));
    case Function::kRelu0To1:
      return V::Min(one, V::Max(zero, x));
    case Function::kLeakyRelu:
      return V::Select(V::Less(zero, x), x, V::Mul(x, parameter));
    case Function::kHardSwish: {
      const typename V::F held = V::Min(six, V::Max(zero, V::Add(x, V::Set(3.0f))));
      return V::Div(V::Mul(x, held), six);
    }
    case Function::kAbs:
      return V::Abs(x);
    case Function::kNegate:
      return V::Negate(x);
    case Function::kSquare:
      return V::Mul(x, x);
    case Function::kCeil:
      return V::Ceil(x);
    case Function::kFloor:
      return V::Floor(x);
    case Function::kSqrt:
      return V::Sqrt(x);
    case Function::kRsqrt:
      return V::Div(one, V::Sqrt(x));
    case Function::kLogistic:
      return real::Logistic<V>(x);
    case Function::kTanh:
      return real::Tanh<V>(x);
    case Function::kExp:
      return real::Exp<V>(x);
    case Function::kGeluTanh:
      return real::GeluTanh<V>(x);
    default:
      return x;
  }
}

template <Function function, typename V>
void Map(const float* in, float* out, size_t count, float parameter) {
  const typename V::F p = V::Set(parameter);
  size_t i = 0;
  for (; i + V::kWidth <= count; i += V::kWidth) V::Store(out + i, Apply<function, V>(V::Load(in + i), p));
  if (const size_t left = count - i) {
    V::StoreFirst(out + i, left, Apply<function, V>(V::LoadFirst(in + i, left), p));
  }
}

}  // namespace
}  // namespace lowbit::kernels::map_f32
