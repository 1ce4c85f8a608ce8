// `l2_norm`: each row divided by its Euclidean length. Inputs: x (float32; int8 and uint8, whose output codes
// are 1/128 and mean 0 at 0 or 128). Attributes: zero_point of x, for codes.
//
// Source: TFLite kernels/internal/reference/l2normalization.h, integer_ops/l2normalization.h.
#include <cmath>

#include "program/steps/common.h"
#include "program/steps/fixed_functions.h"

namespace lowbit::program::steps {
namespace {

using kernels::requantize::MultiplyByQuantizedMultiplier;

void Normalize(const float* in, float* out, size_t depth, int /*zero_point*/) {
  float squares = 0;
  for (size_t c = 0; c < depth; ++c) squares += in[c] * in[c];
  const float length = std::max(std::sqrt(squares), 1e-6f);
  for (size_t c = 0; c < depth; ++c) out[c] = in[c] / length;
}

template <typename T>
InverseSqrt InverseLength(const T* in, size_t depth, int zero_point) {
  int32_t squares = 0;
  for (size_t c = 0; c < depth; ++c) {
    const int32_t x = in[c] - zero_point;
    squares = WrappingAdd(squares, x * x);
  }
  return InverseSqrtOf(squares);
}

// The two types scale by 128 in different places, which rounds differently.
void Normalize(const int8_t* in, int8_t* out, size_t depth, int zero_point) {
  const InverseSqrt inverse = InverseLength(in, depth, zero_point);
  for (size_t c = 0; c < depth; ++c) {
    const int32_t code =
        MultiplyByQuantizedMultiplier(in[c] - zero_point, inverse.multiplier, inverse.shift + 7);
    out[c] = static_cast<int8_t>(Clamp(code, -128, 127));
  }
}

void Normalize(const uint8_t* in, uint8_t* out, size_t depth, int zero_point) {
  const InverseSqrt inverse = InverseLength(in, depth, zero_point);
  for (size_t c = 0; c < depth; ++c) {
    const int32_t code =
        MultiplyByQuantizedMultiplier(128 * (in[c] - zero_point), inverse.multiplier, inverse.shift);
    out[c] = static_cast<uint8_t>(Clamp(WrappingAdd(128, code), 0, 255));
  }
}

template <typename T>
class L2Norm final : public Step {
 public:
  L2Norm(Operand in, Operand out, size_t rows, size_t depth, int zero_point)
      : in_(in), out_(out), rows_(rows), depth_(depth), zero_point_(zero_point) {
    kernel_ = "l2_norm.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = in_.In<T>(run);
    T* out = out_.Out<T>(run);
    Split(run, rows_, (16 << 10) / (depth_ + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row)
        Normalize(in + row * depth_, out + row * depth_, depth_, zero_point_);
    });
  }

 private:
  Operand in_, out_;
  size_t rows_, depth_;
  int zero_point_;
};

}  // namespace

Status LoadL2Norm(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "input and output differ in type");
  if (in.rank < 1 || !SameShape(in, out))
    return args.Fail(Code::kShapeMismatch, "input and output differ in shape");
  const size_t depth = static_cast<size_t>(in.dims[in.rank - 1]);
  const size_t rows = depth ? in.count() / depth : 0;
  const auto make = [&](auto sample, int low, int high) {
    int zero_point = 0;
    if (high) LOWBIT_RETURN_IF_ERROR(args.Int("zero_point", low, high, &zero_point));
    *step =
        std::make_unique<L2Norm<decltype(sample)>>(args.Bind(in), args.Bind(out), rows, depth, zero_point);
    return Status();
  };
  switch (in.dtype) {
    case Dtype::kFloat32:
      return make(float{}, 0, 0);
    case Dtype::kInt8:
      return make(int8_t{}, -128, 127);
    case Dtype::kUint8:
      return make(uint8_t{}, 0, 255);
    default:
      return args.Fail(Code::kUnsupported, "takes int8, uint8 and float32");
  }
}

}  // namespace lowbit::program::steps
