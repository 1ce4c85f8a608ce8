// `fake_quantize`: a matrix laid on a grid for each column (kernels/grid_f32/contract.h). Inputs: the grids (rows of
// steps, of least and of most codes), x [rows, columns]; output: as x.
#include "dispatch/grid_f32.h"
#include "program/steps/grid.h"

namespace lowbit::program::steps {
namespace {

class FakeQuantize final : public Step {
 public:
  FakeQuantize(StepArgs& args, const kernels::grid_f32::Row& row)
      : grid_(args, 0),
        x_(args.Bind(args.input(1))),
        out_(args.Bind(args.output(0))),
        size_(SizeOf(args.input(1))),
        quantize_(row.quantize) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const kernels::grid_f32::Grid grid = grid_.In(run);
    const float* const x = x_.In<float>(run);
    float* const out = out_.Out<float>(run);
    const size_t cols = size_.cols;
    Split(run, size_.rows, (16 << 10) / (cols + 1), [&](size_t begin, size_t end) {
      quantize_(x + begin * cols, grid, end - begin, cols, out + begin * cols);
    });
  }

 private:
  GridOperand grid_;
  Operand x_, out_;
  MatrixSize size_;
  kernels::grid_f32::Quantize quantize_;
};

}  // namespace

Status LoadFakeQuantize(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  LOWBIT_RETURN_IF_ERROR(ExpectGridded(args, {&args.input(1), &args.output(0)}));
  *step = std::make_unique<FakeQuantize>(args, dispatch::grid_f32::Choose(args.isa()));
  return Status();
}

}  // namespace lowbit::program::steps
