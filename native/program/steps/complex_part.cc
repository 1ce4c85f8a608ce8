// `complex_part`: a float32 of each complex64. Inputs: x. Attributes: part (0 real, 1 imaginary, 2 absolute
// value).
//
// Source: TFLite kernels/complex_support.cc.
#include <cmath>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class ComplexPart final : public Step {
 public:
  ComplexPart(Operand in, Operand out, size_t count, int part)
      : in_(in), out_(out), count_(count), part_(part) {
    kernel_ = "complex_part.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const float* in = in_.In<float>(run);
    float* out = out_.Out<float>(run);
    Split(run, count_, 16 << 10, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i)
        out[i] = part_ == 2 ? std::hypot(in[2 * i], in[2 * i + 1]) : in[2 * i + static_cast<size_t>(part_)];
    });
  }

 private:
  Operand in_, out_;
  size_t count_;
  int part_;
};

}  // namespace

Status LoadComplexPart(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != Dtype::kComplex64 || out.dtype != Dtype::kFloat32)
    return args.Fail(Code::kTypeMismatch, "makes float32 of complex64");
  if (in.count() != out.count()) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  LOWBIT_STEP_INT(part, 0, 2);
  *step = std::make_unique<ComplexPart>(args.Bind(in), args.Bind(out), in.count(), part);
  return Status();
}

}  // namespace lowbit::program::steps
