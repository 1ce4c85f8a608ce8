// `clamp_gradient`: what dy says of the operand x of an activation that clamps. Inputs: x, dy of one shape; output dx.
// Attributes: clamp (two floats): dx = dy where low < x <= high, else 0.
#include "dispatch/gradient_f32.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class ClampGradient final : public Step {
 public:
  explicit ClampGradient(const kernels::gradient_f32::Row& row) : row_(row) { kernel_ = row.clamp_name; }
  Operand x, dy, dx;
  size_t count = 0;
  float low = 0, high = 0;

  void Run(const RunContext& run) const noexcept override {
    Split(run, count, 32 << 10, [&](size_t begin, size_t end) {
      row_.clamp(x.In<float>(run) + begin, dy.In<float>(run) + begin, dx.Out<float>(run) + begin, end - begin,
                 low, high);
    });
  }

 private:
  const kernels::gradient_f32::Row& row_;
};

}  // namespace

Status LoadClampGradient(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor &x = args.input(0), &dy = args.input(1), &dx = args.output(0);
  for (const Tensor* tensor : {&x, &dy, &dx})
    if (tensor->dtype != Dtype::kFloat32) return args.Fail(Code::kTypeMismatch, "takes and gives float32");
  if (!SameShape(x, dy) || !SameShape(x, dx))
    return args.Fail(Code::kShapeMismatch, "operands differ in shape");
  Span<const float> clamp;
  LOWBIT_RETURN_IF_ERROR(args.Floats("clamp", 2, &clamp));
  auto made = std::make_unique<ClampGradient>(dispatch::gradient_f32::Choose(args.isa()));
  made->x = args.Bind(x);
  made->dy = args.Bind(dy);
  made->dx = args.Bind(dx);
  made->count = x.count();
  made->low = clamp[0];
  made->high = clamp[1];
  *step = std::move(made);
  return Status();
}

}  // namespace lowbit::program::steps
