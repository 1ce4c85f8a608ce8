// `quantized_prelu`: codes; numbers below zero are multiplied by a slope, with broadcasting. Inputs: x (int8,
// uint8, int16), alpha (of x's type; int8 for int16). Attributes: zero_points (x, alpha, out), multipliers
// and shifts (of x, and of x times alpha).
//
// Source: TFLite kernels/internal/reference/prelu.h; every sum wraps.
#include <limits>

#include "kernels/requantize/signed_shift.h"
#include "program/steps/broadcast.h"

namespace lowbit::program::steps {
namespace {

using kernels::requantize::Clamp;
using kernels::requantize::MultiplyByQuantizedMultiplier;
using kernels::requantize::WrappingAdd;

struct Params {
  int32_t x_zero, alpha_zero, out_zero;
  int32_t multipliers[2];
  int shifts[2];
};

template <typename T, typename Alpha>
class Prelu final : public Step {
 public:
  Prelu(Operand x, Operand alpha, Operand out, const Broadcast<2>& shape, const Params& params)
      : x_(x), alpha_(alpha), out_(out), shape_(shape), p_(params) {
    kernel_ = "prelu.q.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const T* xs = x_.In<T>(run);
    const Alpha* alphas = alpha_.In<Alpha>(run);
    T* outs = out_.Out<T>(run);
    Walk(run, shape_, 4 << 10, [&](const size_t(&from)[2], size_t to, size_t count) {
      for (size_t i = 0; i < count; ++i)
        outs[to + i] = One(xs[from[0] + i * shape_.step[0]], alphas[from[1] + i * shape_.step[1]]);
    });
  }

 private:
  T One(int32_t code, int32_t slope) const noexcept {
    const int32_t x = code - p_.x_zero;
    const bool below = x < 0;
    const int32_t factor = below ? slope - p_.alpha_zero : 1;
    const int32_t scaled = MultiplyByQuantizedMultiplier(x * factor, p_.multipliers[below], p_.shifts[below]);
    return static_cast<T>(Clamp(WrappingAdd(scaled, p_.out_zero), std::numeric_limits<T>::min(),
                                std::numeric_limits<T>::max()));
  }

  Operand x_, alpha_, out_;
  Broadcast<2> shape_;
  Params p_;
};

bool Fits(Dtype dtype, int32_t zero) {
  return dtype == Dtype::kInt8    ? zero >= -128 && zero <= 127
         : dtype == Dtype::kUint8 ? zero >= 0 && zero <= 255
                                  : zero == 0;
}

}  // namespace

Status LoadQuantizedPrelu(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor& x = args.input(0);
  const Tensor& alpha = args.input(1);
  const Tensor& out = args.output(0);
  const Dtype slope = x.dtype == Dtype::kInt16 ? Dtype::kInt8 : x.dtype;
  if (out.dtype != x.dtype || alpha.dtype != slope)
    return args.Fail(Code::kTypeMismatch, "operands differ in type");
  Broadcast<2> shape;
  if (!MakeBroadcast<2>({&x, &alpha}, out, &shape))
    return args.Fail(Code::kShapeMismatch, "shapes do not broadcast to the output's");
  Span<const int32_t> zeros, multipliers, shifts;
  LOWBIT_RETURN_IF_ERROR(args.Ints("zero_points", 3, &zeros));
  LOWBIT_RETURN_IF_ERROR(args.Ints("multipliers", 2, &multipliers));
  LOWBIT_RETURN_IF_ERROR(args.Ints("shifts", 2, &shifts));
  bool sound = Fits(x.dtype, zeros[0]) && Fits(slope, zeros[1]) && Fits(x.dtype, zeros[2]);
  for (int i = 0; i < 2; ++i) sound = sound && multipliers[i] >= 0 && shifts[i] >= -31 && shifts[i] <= 30;
  if (!sound) return args.Fail(Code::kInvalid, "zero point, multiplier or shift out of range");
  const Params params{zeros[0], zeros[1], zeros[2], {multipliers[0], multipliers[1]}, {shifts[0], shifts[1]}};
  const Operand from = args.Bind(x), by = args.Bind(alpha), to = args.Bind(out);
  switch (x.dtype) {
    case Dtype::kInt8:
      *step = std::make_unique<Prelu<int8_t, int8_t>>(from, by, to, shape, params);
      return Status();
    case Dtype::kUint8:
      *step = std::make_unique<Prelu<uint8_t, uint8_t>>(from, by, to, shape, params);
      return Status();
    case Dtype::kInt16:
      *step = std::make_unique<Prelu<int16_t, int8_t>>(from, by, to, shape, params);
      return Status();
    default:
      return args.Fail(Code::kUnsupported, "takes int8, uint8 and int16");
  }
}

}  // namespace lowbit::program::steps
