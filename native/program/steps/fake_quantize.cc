// `fake_quantize`: a tensor on a grid of one scale, and its gradient (kernels/grid_f32/contract.h). Inputs: the grid
// (step, least, most), x, and dy for the gradient; output: as x. Attributes: gradient.
#include "dispatch/grid_f32.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class FakeQuantize final : public Step {
 public:
  FakeQuantize(StepArgs& args, const kernels::grid_f32::Row& row, bool is_gradient)
      : grid_(args.Bind(args.input(0))),
        x_(args.Bind(args.input(1))),
        out_(args.Bind(args.output(0))),
        count_(args.input(1).count()),
        is_gradient_(is_gradient),
        row_(row) {
    if (is_gradient) dy_ = args.Bind(args.input(2));
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* const numbers = grid_.In<float>(run);
    const kernels::grid_f32::Grid grid = {numbers[0], numbers[1], numbers[2]};
    const float* const x = x_.In<float>(run);
    const float* const dy = is_gradient_ ? dy_.In<float>(run) : nullptr;
    float* const out = out_.Out<float>(run);
    Split(run, count_, 16 << 10, [&](size_t begin, size_t end) {
      if (dy) {
        row_.gradient(x + begin, dy + begin, grid, end - begin, out + begin);
      } else {
        row_.quantize(x + begin, grid, end - begin, out + begin);
      }
    });
  }

 private:
  Operand grid_, x_, dy_, out_;
  size_t count_;
  bool is_gradient_;
  const kernels::grid_f32::Row& row_;
};

}  // namespace

Status LoadFakeQuantize(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_STEP_INT(gradient, 0, 1);
  const int inputs = gradient != 0 ? 3 : 2;
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, inputs, 1));
  if (args.input(0).dtype != Dtype::kFloat32 || args.input(0).count() != 3)
    return args.Fail(Code::kShapeMismatch, "a grid is three numbers");
  const auto fits = [&](const Tensor& tensor) {
    return tensor.dtype == Dtype::kFloat32 && SameShape(tensor, args.input(1));
  };
  for (int i = 1; i < inputs; ++i)
    if (!fits(args.input(i))) return args.Fail(Code::kShapeMismatch, "operands differ in shape or type");
  if (!fits(args.output(0))) return args.Fail(Code::kShapeMismatch, "operands differ in shape or type");
  *step = std::make_unique<FakeQuantize>(args, dispatch::grid_f32::Choose(args.isa()), gradient != 0);
  return Status();
}

}  // namespace lowbit::program::steps
