// `unary`: functions of numbers, element by element. Inputs: x (float32; abs and negate also int32, int64, sign int32).
// Attributes: op (Op below), parameter (one float: the slope of leaky_relu).
//
// Source: TFLite kernels/activations.cc, kernels/elementwise.cc and the reference kernels they call
// (logistic.h, round.h, elu.h, gelu.h). All of it in float32, as there.
#include <cmath>
#include <type_traits>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

// Those from kLogistic on cost much more than memory does.
enum Op {
  kRelu,
  kRelu6,
  kReluN1To1,
  kRelu0To1,
  kLeakyRelu,
  kHardSwish,
  kAbs,
  kNegate,
  kSquare,
  kCeil,
  kFloor,
  kRound,
  kSqrt,
  kRsqrt,
  kLogistic,
  kTanh,
  kExp,
  kLog,
  kSin,
  kCos,
  kElu,
  kGelu,
  kGeluTanh,
  kSign,
  kOps
};

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

template <int op>
float Apply(float x, float parameter) {
  switch (op) {
    case kRelu:
      return x < 0 ? 0 : x;
    case kRelu6:
      return x > 6 ? 6 : x < 0 ? 0 : x;
    case kReluN1To1:
      return x > 1 ? 1 : x < -1 ? -1 : x;
    case kRelu0To1:
      return x > 1 ? 1 : x < 0 ? 0 : x;
    case kLeakyRelu:
      return x > 0 ? x : x * parameter;
    case kHardSwish: {
      const float y = x + 3;
      return x * (y < 0 ? 0 : y > 6 ? 6 : y) / 6;
    }
    case kAbs:
      return std::fabs(x);
    case kNegate:
      return -x;
    case kSquare:
      return x * x;
    case kCeil:
      return std::ceil(x);
    case kFloor:
      return std::floor(x);
    case kRound:
      return RoundToEven(x);
    case kSqrt:
      return std::sqrt(x);
    case kRsqrt:
      return 1 / std::sqrt(x);
    case kLogistic:
      return Logistic(x);
    case kTanh:
      return std::tanh(x);
    case kExp:
      return std::exp(x);
    case kLog:
      return std::log(x);
    case kSin:
      return std::sin(x);
    case kCos:
      return std::cos(x);
    case kElu:
      return x < 0 ? std::expm1(x) : x;
    case kGelu:
      return Gelu(x);
    case kSign:
      return x < 0 ? -1 : x > 0 ? 1 : 0;
    default:
      return GeluTanh(x);
  }
}

template <int op>
void Map(const void* in, void* out, size_t count, float parameter) {
  const float* x = static_cast<const float*>(in);
  for (size_t i = 0; i < count; ++i) static_cast<float*>(out)[i] = Apply<op>(x[i], parameter);
}

// Integers wrap.
template <typename T, int op>
void MapIntegers(const void* in, void* out, size_t count, float /*parameter*/) {
  using U = std::make_unsigned_t<T>;
  const T* x = static_cast<const T*>(in);
  for (size_t i = 0; i < count; ++i) {
    if constexpr (op == kSign) {
      static_cast<T*>(out)[i] = x[i] < 0 ? T{-1} : x[i] > 0 ? T{1} : T{0};
      continue;
    }
    const bool turns = op == kNegate || x[i] < 0;
    static_cast<T*>(out)[i] = turns ? static_cast<T>(U{0} - static_cast<U>(x[i])) : x[i];
  }
}

using Kernel = void (*)(const void*, void*, size_t, float);
struct Row {
  const char* name;
  Kernel run;
};
constexpr Row kRows[kOps] = {
    {"relu.f32.scalar", Map<kRelu>},
    {"relu6.f32.scalar", Map<kRelu6>},
    {"relu_n1_to_1.f32.scalar", Map<kReluN1To1>},
    {"relu_0_to_1.f32.scalar", Map<kRelu0To1>},
    {"leaky_relu.f32.scalar", Map<kLeakyRelu>},
    {"hard_swish.f32.scalar", Map<kHardSwish>},
    {"abs.f32.scalar", Map<kAbs>},
    {"negate.f32.scalar", Map<kNegate>},
    {"square.f32.scalar", Map<kSquare>},
    {"ceil.f32.scalar", Map<kCeil>},
    {"floor.f32.scalar", Map<kFloor>},
    {"round.f32.scalar", Map<kRound>},
    {"sqrt.f32.scalar", Map<kSqrt>},
    {"rsqrt.f32.scalar", Map<kRsqrt>},
    {"logistic.f32.scalar", Map<kLogistic>},
    {"tanh.f32.scalar", Map<kTanh>},
    {"exp.f32.scalar", Map<kExp>},
    {"log.f32.scalar", Map<kLog>},
    {"sin.f32.scalar", Map<kSin>},
    {"cos.f32.scalar", Map<kCos>},
    {"elu.f32.scalar", Map<kElu>},
    {"gelu.f32.scalar", Map<kGelu>},
    {"gelu_tanh.f32.scalar", Map<kGeluTanh>},
    {"sign.f32.scalar", Map<kSign>},
};
constexpr Row kAbsS32{"abs.s32.scalar", MapIntegers<int32_t, kAbs>};
constexpr Row kAbsS64{"abs.s64.scalar", MapIntegers<int64_t, kAbs>};
constexpr Row kNegateS32{"negate.s32.scalar", MapIntegers<int32_t, kNegate>};
constexpr Row kNegateS64{"negate.s64.scalar", MapIntegers<int64_t, kNegate>};

constexpr Row kSignS32{"sign.s32.scalar", MapIntegers<int32_t, kSign>};

// Null where the operation does not take the type.
const Row* RowOf(Dtype dtype, int op) {
  switch (dtype) {
    case Dtype::kFloat32:
      return &kRows[op];
    case Dtype::kInt32:
      return op == kAbs ? &kAbsS32 : op == kNegate ? &kNegateS32 : op == kSign ? &kSignS32 : nullptr;
    case Dtype::kInt64:
      return op == kAbs ? &kAbsS64 : op == kNegate ? &kNegateS64 : nullptr;
    default:
      return nullptr;
  }
}

class Unary final : public Step {
 public:
  Unary(const Row& row, Operand in, Operand out, size_t count, size_t element, size_t grain, float parameter)
      : run_(row.run),
        in_(in),
        out_(out),
        count_(count),
        element_(element),
        grain_(grain),
        parameter_(parameter) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = in_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Split(run, count_, grain_, [&](size_t begin, size_t end) {
      run_(in + begin * element_, out + begin * element_, end - begin, parameter_);
    });
  }

 private:
  Kernel run_;
  Operand in_, out_;
  size_t count_, element_, grain_;
  float parameter_;
};

}  // namespace

Status LoadUnary(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "input and output differ in type");
  if (in.count() != out.count()) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  LOWBIT_STEP_INT(op, 0, kOps - 1);
  const Row* row = RowOf(in.dtype, op);
  if (!row) return args.Fail(Code::kTypeMismatch, "this function does not take this type");
  float parameter = 0;
  if (args.has("parameter")) LOWBIT_RETURN_IF_ERROR(args.Float("parameter", &parameter));
  const size_t grain = op >= kLogistic ? 2 << 10 : 32 << 10;
  *step = std::make_unique<Unary>(*row, args.Bind(in), args.Bind(out), in.count(), ElementBytes(in.dtype),
                                  grain, parameter);
  return Status();
}

}  // namespace lowbit::program::steps
