// `fake_quant`: numbers rounded to the steps of a quantisation, and kept as float32. Inputs: x. Attributes:
// low, high, scale.
//
// Source: LiteRT kernels/internal/quantization_util.cc (FakeQuantizeArray).
#include <cmath>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class FakeQuant final : public Step {
 public:
  FakeQuant(Operand in, Operand out, size_t count) : in_(in), out_(out), count_(count) {
    kernel_ = "fake_quant.scalar";
  }
  float low = 0, high = 0, scale = 1;

  void Run(const RunContext& run) const noexcept override {
    const float* const in = in_.In<float>(run);
    float* const out = out_.Out<float>(run);
    const float inverse = 1.0f / scale;
    Split(run, count_, 32 << 10, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const float shifted = std::min(high, std::max(low, in[i])) - low;
        out[i] = std::round(shifted * inverse) * scale + low;
      }
    });
  }

 private:
  Operand in_, out_;
  size_t count_;
};

}  // namespace

Status LoadFakeQuant(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor &in = args.input(0), &out = args.output(0);
  if (in.dtype != Dtype::kFloat32 || out.dtype != in.dtype || in.count() != out.count())
    return args.Fail(Code::kTypeMismatch, "takes and gives float32 of one size");
  auto loaded = std::make_unique<FakeQuant>(args.Bind(in), args.Bind(out), in.count());
  LOWBIT_RETURN_IF_ERROR(args.Float("low", &loaded->low));
  LOWBIT_RETURN_IF_ERROR(args.Float("high", &loaded->high));
  LOWBIT_RETURN_IF_ERROR(args.Float("scale", &loaded->scale));
  if (!(loaded->scale > 0) || !(loaded->low <= loaded->high))
    return args.Fail(Code::kInvalid, "no steps between its bounds");
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
