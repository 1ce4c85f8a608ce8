// `column_products`: what the gradient of a batch norm asks of its rows. Inputs: x and y of one shape, shift (one
// number for each of the last dimension). Outputs, as shift: the sums of x, and of x (y - shift), over all other
// dimensions.
#include "dispatch/columns_f32.h"
#include "program/steps/columns.h"

namespace lowbit::program::steps {
namespace {

class ColumnProducts final : public Step {
 public:
  ColumnProducts(StepArgs& args, size_t rows, size_t cols)
      : x_(args.Bind(args.input(0))),
        y_(args.Bind(args.input(1))),
        shift_(args.Bind(args.input(2))),
        sums_(args.Bind(args.output(0))),
        products_(args.Bind(args.output(1))),
        cols_(cols),
        columns_(1, rows, cols, 2),
        row_(dispatch::columns_f32::Choose(args.isa())) {
    kernel_ = row_.name;
  }
  uint64_t scratch_bytes(int /*threads*/) const override { return columns_.scratch_bytes(); }
  void Run(const RunContext& run) const noexcept override {
    const float *x = x_.In<float>(run), *y = y_.In<float>(run), *shift = shift_.In<float>(run);
    float* const outs[] = {sums_.Out<float>(run), products_.Out<float>(run)};
    columns_.Run(run, outs, [&](size_t row, size_t rows, float* const* sums) {
      row_.product(x + row * cols_, y + row * cols_, shift, rows, cols_, sums[0], sums[1]);
    });
  }

 private:
  Operand x_, y_, shift_, sums_, products_;
  size_t cols_;
  ColumnSums columns_;
  const kernels::columns_f32::Row& row_;
};

}  // namespace

Status LoadColumnProducts(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 3, 2));
  const Tensor &x = args.input(0), &y = args.input(1), &shift = args.input(2);
  for (const Tensor* tensor : {&x, &y, &shift, &args.output(0), &args.output(1)})
    if (tensor->dtype != Dtype::kFloat32) return args.Fail(Code::kTypeMismatch, "takes and gives float32");
  if (x.rank < 1 || !SameShape(x, y)) return args.Fail(Code::kShapeMismatch, "x and y differ in shape");
  const size_t cols = static_cast<size_t>(x.dims[x.rank - 1]);
  for (const Tensor* tensor : {&shift, &args.output(0), &args.output(1)})
    if (tensor->count() != cols) return args.Fail(Code::kShapeMismatch, "one number a column expected");
  *step = std::make_unique<ColumnProducts>(args, cols ? x.count() / cols : 0, cols);
  return Status();
}

}  // namespace lowbit::program::steps
