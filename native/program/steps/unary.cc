// `unary`: functions of float32, element by element. Inputs: x. Attributes: op (Op below), parameter (one
// float: the slope of leaky_relu).
//
// Source: TFLite kernels/activations.cc, kernels/elementwise.cc and the reference kernels they call.
#include <cmath>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

enum Op {
  kRelu,
  kRelu6,
  kReluN1To1,
  kLeakyRelu,
  kHardSwish,
  kAbs,
  kNeg,
  kSquare,
  kSqrt,
  kRsqrt,
  kFloor,
  kCeil,
  kRound,  // halves to the even neighbour
  kLogistic,
  kTanh,
  kExp,
  kLog,
  kSin,
  kCos,
  kElu,
  kOps
};

// The reference's logistic: linear beyond its cut-offs. internal/reference/logistic.h.
float Logistic(float x) {
  if (x > 16.619047164916992188f) return 1.0f;
  if (x < -9.0f) return std::exp(x);
  return 1.0f / (1.0f + std::exp(-x));
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
    case kLeakyRelu:
      return x > 0 ? x : x * parameter;
    case kHardSwish: {
      const float y = x + 3;
      return x * (y < 0 ? 0 : y > 6 ? 6 : y) / 6;
    }
    case kAbs:
      return std::fabs(x);
    case kNeg:
      return -x;
    case kSquare:
      return x * x;
    case kSqrt:
      return std::sqrt(x);
    case kRsqrt:
      return 1.0f / std::sqrt(x);
    case kFloor:
      return std::floor(x);
    case kCeil:
      return std::ceil(x);
    case kRound: {
      const float whole = std::floor(x), rest = x - whole;
      return rest < 0.5f || (rest == 0.5f && std::fmod(whole, 2.0f) == 0) ? whole : whole + 1.0f;
    }
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
    default:
      return x < 0 ? std::expm1(x) : x;
  }
}

template <int op>
void Map(const float* in, float* out, size_t count, float parameter) {
  for (size_t i = 0; i < count; ++i) out[i] = Apply<op>(in[i], parameter);
}

using Kernel = void (*)(const float*, float*, size_t, float);
struct Row {
  const char* name;
  Kernel run;
};
constexpr Row kRows[kOps] = {
    {"relu.f32.scalar", Map<kRelu>},
    {"relu6.f32.scalar", Map<kRelu6>},
    {"relu_n1_to_1.f32.scalar", Map<kReluN1To1>},
    {"leaky_relu.f32.scalar", Map<kLeakyRelu>},
    {"hard_swish.f32.scalar", Map<kHardSwish>},
    {"abs.f32.scalar", Map<kAbs>},
    {"neg.f32.scalar", Map<kNeg>},
    {"square.f32.scalar", Map<kSquare>},
    {"sqrt.f32.scalar", Map<kSqrt>},
    {"rsqrt.f32.scalar", Map<kRsqrt>},
    {"floor.f32.scalar", Map<kFloor>},
    {"ceil.f32.scalar", Map<kCeil>},
    {"round.f32.scalar", Map<kRound>},
    {"logistic.f32.scalar", Map<kLogistic>},
    {"tanh.f32.scalar", Map<kTanh>},
    {"exp.f32.scalar", Map<kExp>},
    {"log.f32.scalar", Map<kLog>},
    {"sin.f32.scalar", Map<kSin>},
    {"cos.f32.scalar", Map<kCos>},
    {"elu.f32.scalar", Map<kElu>},
};

class Unary final : public Step {
 public:
  Unary(const Row& row, Operand in, Operand out, size_t count, size_t grain, float parameter)
      : run_(row.run), in_(in), out_(out), count_(count), grain_(grain), parameter_(parameter) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* in = in_.In<float>(run);
    float* out = out_.Out<float>(run);
    Split(run, count_, grain_,
          [&](size_t begin, size_t end) { run_(in + begin, out + begin, end - begin, parameter_); });
  }

 private:
  Kernel run_;
  Operand in_, out_;
  size_t count_, grain_;
  float parameter_;
};

}  // namespace

Status LoadUnary(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != Dtype::kFloat32 || out.dtype != Dtype::kFloat32)
    return args.Fail(Code::kTypeMismatch, "takes float32");
  if (in.count() != out.count()) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  LOWBIT_STEP_INT(op, 0, kOps - 1);
  float parameter = 0;
  if (args.has("parameter")) LOWBIT_RETURN_IF_ERROR(args.Float("parameter", &parameter));
  const size_t grain = op >= kLogistic ? 2 << 10 : 32 << 10;
  *step = std::make_unique<Unary>(kRows[op], args.Bind(in), args.Bind(out), in.count(), grain, parameter);
  return Status();
}

}  // namespace lowbit::program::steps
