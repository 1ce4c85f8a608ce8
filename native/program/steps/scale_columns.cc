// `scale_columns`: (x - shift) factor + offset, one number of each for each of the last dimension. Inputs: x, shift,
// factor, offset; output as x.
#include "dispatch/columns_f32.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class ScaleColumns final : public Step {
 public:
  ScaleColumns(StepArgs& args, size_t rows, size_t cols)
      : x_(args.Bind(args.input(0))),
        shift_(args.Bind(args.input(1))),
        factor_(args.Bind(args.input(2))),
        offset_(args.Bind(args.input(3))),
        out_(args.Bind(args.output(0))),
        rows_(rows),
        cols_(cols),
        row_(dispatch::columns_f32::Choose(args.isa())) {
    kernel_ = row_.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* x = x_.In<float>(run);
    float* out = out_.Out<float>(run);
    const kernels::columns_f32::Line line = {shift_.In<float>(run), factor_.In<float>(run),
                                             offset_.In<float>(run)};
    Split(run, rows_, (16 << 10) / (cols_ + 1), [&](size_t begin, size_t end) {
      row_.scale(x + begin * cols_, line, end - begin, cols_, out + begin * cols_);
    });
  }

 private:
  Operand x_, shift_, factor_, offset_, out_;
  size_t rows_, cols_;
  const kernels::columns_f32::Row& row_;
};

}  // namespace

Status LoadScaleColumns(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 4, 1));
  const Tensor &x = args.input(0), &out = args.output(0);
  for (const Tensor* tensor : {&x, &args.input(1), &args.input(2), &args.input(3), &out})
    if (tensor->dtype != Dtype::kFloat32) return args.Fail(Code::kTypeMismatch, "takes and gives float32");
  if (x.rank < 1 || !SameShape(x, out))
    return args.Fail(Code::kShapeMismatch, "input and output differ in shape");
  const size_t cols = static_cast<size_t>(x.dims[x.rank - 1]);
  for (int i = 1; i < 4; ++i)
    if (args.input(i).count() != cols) return args.Fail(Code::kShapeMismatch, "one number a column expected");
  *step = std::make_unique<ScaleColumns>(args, cols ? x.count() / cols : 0, cols);
  return Status();
}

}  // namespace lowbit::program::steps
