// Functions of float32, one element at a time.
//
// Source: TFLite kernels/activations.cc, kernels/elementwise.cc and the reference kernels they call
// (logistic.h, round.h, elu.h, gelu.h). All of it in float32, as there.
#include "kernels/map_f32/scalar.h"

#include <cmath>

namespace lowbit::kernels::map_f32 {
namespace {

// The reference's logistic: linear beyond its cut-offs. internal/reference/logistic.h.
float Logistic(float x) {
  if (x > 16.619047164916992188f) return 1.0f;
  if (x < -9.0f) return std::exp(x);
  return 1.0f / (1.0f + std::exp(-x));
}

// To nearest, halves to even, whatever the rounding mode is.
float RoundToEven(float x) {
  const float below = std::floor(x);
  const float rest = x - below;
  if (rest < 0.5f || (rest == 0.5f && std::fmod(below, 2.0f) == 0)) return below;
  return below + 1;
}

float Gelu(float x) { return 0.5f * x * std::erfc(x * -0.70710678118654752f); }

float GeluTanh(float x) {
  constexpr float kRootOf2OverPi = 0.79788456080286536f;
  return 0.5f * x * (1 + std::tanh(kRootOf2OverPi * (x + 0.044715f * x * x * x)));
}

template <Function function>
float Apply(float x, float parameter) {
  switch (function) {
    case Function::kRelu:
      return x < 0 ? 0 : x;
    case Function::kRelu6:
      return x > 6 ? 6 : x < 0 ? 0 : x;
    case Function::kReluN1To1:
      return x > 1 ? 1 : x < -1 ? -1 : x;
    case Function::kRelu0To1:
      return x > 1 ? 1 : x < 0 ? 0 : x;
    case Function::kLeakyRelu:
      return x > 0 ? x : x * parameter;
    case Function::kHardSwish: {
      const float y = x + 3;
      return x * (y < 0 ? 0 : y > 6 ? 6 : y) / 6;
    }
    case Function::kAbs:
      return std::fabs(x);
    case Function::kNegate:
      return -x;
    case Function::kSquare:
      return x * x;
    case Function::kCeil:
      return std::ceil(x);
    case Function::kFloor:
      return std::floor(x);
    case Function::kRound:
      return RoundToEven(x);
    case Function::kSqrt:
      return std::sqrt(x);
    case Function::kRsqrt:
      return 1 / std::sqrt(x);
    case Function::kLogistic:
      return Logistic(x);
    case Function::kTanh:
      return std::tanh(x);
    case Function::kExp:
      return std::exp(x);
    case Function::kLog:
      return std::log(x);
    case Function::kSin:
      return std::sin(x);
    case Function::kCos:
      return std::cos(x);
    case Function::kElu:
      return x < 0 ? std::expm1(x) : x;
    case Function::kGelu:
      return Gelu(x);
    case Function::kSign:
      return x < 0 ? -1.0f : x > 0 ? 1.0f : 0.0f;
    default:
      return GeluTanh(x);
  }
}

template <Function function>
void Map(const float* in, float* out, size_t count, float parameter) {
  for (size_t i = 0; i < count; ++i) out[i] = Apply<function>(in[i], parameter);
}

constexpr Row kList[] = {
    {"relu.f32.scalar", cpu::kScalar, Function::kRelu, Map<Function::kRelu>},
    {"relu6.f32.scalar", cpu::kScalar, Function::kRelu6, Map<Function::kRelu6>},
    {"relu_n1_to_1.f32.scalar", cpu::kScalar, Function::kReluN1To1, Map<Function::kReluN1To1>},
    {"relu_0_to_1.f32.scalar", cpu::kScalar, Function::kRelu0To1, Map<Function::kRelu0To1>},
    {"leaky_relu.f32.scalar", cpu::kScalar, Function::kLeakyRelu, Map<Function::kLeakyRelu>},
    {"hard_swish.f32.scalar", cpu::kScalar, Function::kHardSwish, Map<Function::kHardSwish>},
    {"abs.f32.scalar", cpu::kScalar, Function::kAbs, Map<Function::kAbs>},
    {"negate.f32.scalar", cpu::kScalar, Function::kNegate, Map<Function::kNegate>},
    {"square.f32.scalar", cpu::kScalar, Function::kSquare, Map<Function::kSquare>},
    {"ceil.f32.scalar", cpu::kScalar, Function::kCeil, Map<Function::kCeil>},
    {"floor.f32.scalar", cpu::kScalar, Function::kFloor, Map<Function::kFloor>},
    {"round.f32.scalar", cpu::kScalar, Function::kRound, Map<Function::kRound>},
    {"sqrt.f32.scalar", cpu::kScalar, Function::kSqrt, Map<Function::kSqrt>},
    {"rsqrt.f32.scalar", cpu::kScalar, Function::kRsqrt, Map<Function::kRsqrt>},
    {"logistic.f32.scalar", cpu::kScalar, Function::kLogistic, Map<Function::kLogistic>},
    {"tanh.f32.scalar", cpu::kScalar, Function::kTanh, Map<Function::kTanh>},
    {"exp.f32.scalar", cpu::kScalar, Function::kExp, Map<Function::kExp>},
    {"log.f32.scalar", cpu::kScalar, Function::kLog, Map<Function::kLog>},
    {"sin.f32.scalar", cpu::kScalar, Function::kSin, Map<Function::kSin>},
    {"cos.f32.scalar", cpu::kScalar, Function::kCos, Map<Function::kCos>},
    {"elu.f32.scalar", cpu::kScalar, Function::kElu, Map<Function::kElu>},
    {"gelu.f32.scalar", cpu::kScalar, Function::kGelu, Map<Function::kGelu>},
    {"gelu_tanh.f32.scalar", cpu::kScalar, Function::kGeluTanh, Map<Function::kGeluTanh>},
    {"sign.f32.scalar", cpu::kScalar, Function::kSign, Map<Function::kSign>},
};

}  // namespace

const Rows kScalar{kList, sizeof kList / sizeof kList[0]};

}  // namespace lowbit::kernels::map_f32
