// Operations on two float32 operands, one element at a time.
#include "kernels/pair_f32/scalar.h"

namespace lowbit::kernels::pair_f32 {
namespace {

template <Operation operation>
inline float Apply(float a, float b) {
  switch (operation) {
    case Operation::kAdd:
      return a + b;
    case Operation::kSub:
      return a - b;
    case Operation::kMul:
      return a * b;
    case Operation::kMaximum:
      return a > b ? a : b;
    case Operation::kMinimum:
      return a < b ? a : b;
    case Operation::kMaximumOrNan:
      return a != a || a > b ? a : b;
    case Operation::kMinimumOrNan:
      return a != a || a < b ? a : b;
    case Operation::kDiv:
      return a / b;
    case Operation::kSquaredDifference:
      return (a - b) * (a - b);
    default:
      return a >= 0 ? a : a * b;
  }
}

template <Operation operation>
void Pair(const float* a, int a_step, const float* b, int b_step, float* out, size_t count, float low,
          float high) {
  for (size_t i = 0; i < count; ++i) {
    const float x = Apply<operation>(*a, *b);
    out[i] = x < low ? low : x > high ? high : x;
    a += a_step;
    b += b_step;
  }
}

constexpr Row kList[] = {
    {"add.f32.scalar", cpu::kScalar, Operation::kAdd, Pair<Operation::kAdd>},
    {"sub.f32.scalar", cpu::kScalar, Operation::kSub, Pair<Operation::kSub>},
    {"mul.f32.scalar", cpu::kScalar, Operation::kMul, Pair<Operation::kMul>},
    {"maximum.f32.scalar", cpu::kScalar, Operation::kMaximum, Pair<Operation::kMaximum>},
    {"minimum.f32.scalar", cpu::kScalar, Operation::kMinimum, Pair<Operation::kMinimum>},
    {"div.f32.scalar", cpu::kScalar, Operation::kDiv, Pair<Operation::kDiv>},
    {"squared_difference.f32.scalar", cpu::kScalar, Operation::kSquaredDifference,
     Pair<Operation::kSquaredDifference>},
    {"prelu.f32.scalar", cpu::kScalar, Operation::kPrelu, Pair<Operation::kPrelu>},
    {"maximum_or_nan.f32.scalar", cpu::kScalar, Operation::kMaximumOrNan, Pair<Operation::kMaximumOrNan>},
    {"minimum_or_nan.f32.scalar", cpu::kScalar, Operation::kMinimumOrNan, Pair<Operation::kMinimumOrNan>},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::pair_f32
