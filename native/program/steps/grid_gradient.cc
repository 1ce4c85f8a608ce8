// `grid_gradient`: what passes a fake quantiser back, and what the gradient says of the numbers that its grids hang on
// (kernels/grid_f32/contract.h). Inputs: the grids, x, dy, and perhaps effects [count, 3] (below, above, within).
// Outputs: dx, and with effects their sums [count, columns].
#include "dispatch/grid_f32.h"
#include "program/steps/columns.h"
#include "program/steps/grid.h"

namespace lowbit::program::steps {
namespace {

using kernels::grid_f32::Effects;
using kernels::grid_f32::kMostEffects;

class GridGradient final : public Step {
 public:
  GridGradient(StepArgs& args, int effects, const kernels::grid_f32::Row& row)
      : grid_(args, 0),
        x_(args.Bind(args.input(1))),
        dy_(args.Bind(args.input(2))),
        dx_(args.Bind(args.output(0))),
        effects_(effects),
        size_(SizeOf(args.input(1))),
        columns_(1, size_.rows, size_.cols, static_cast<size_t>(effects)),
        gradient_(row.gradient) {
    if (effects) {
      numbers_ = args.Bind(args.input(3));
      sums_ = args.Bind(args.output(1));
    }
    kernel_ = row.name;
  }
  uint64_t scratch_bytes(int /*threads*/) const override { return effects_ ? columns_.scratch_bytes() : 0; }
  void Run(const RunContext& run) const noexcept override {
    const kernels::grid_f32::Grid grid = grid_.In(run);
    const float *x = x_.In<float>(run), *dy = dy_.In<float>(run);
    float* const dx = dx_.Out<float>(run);
    Effects effects = {effects_, {}};
    const auto work = [&](size_t row, size_t rows, float* const* sums) {
      const size_t at = row * size_.cols;
      gradient_(x + at, dy + at, grid, effects, rows, size_.cols, dx + at, sums);
    };
    if (effects_ == 0) {
      const size_t grain = (16 << 10) / (size_.cols + 1);
      Split(run, size_.rows, grain, [&](size_t begin, size_t end) { work(begin, end - begin, nullptr); });
      return;
    }
    float* outs[kMostEffects];
    const float* const numbers = numbers_.In<float>(run);
    for (int e = 0; e < effects_; ++e) {
      const size_t at = static_cast<size_t>(e);
      effects.each[e] = {numbers[3 * at], numbers[3 * at + 1], numbers[3 * at + 2]};
      outs[e] = sums_.Out<float>(run) + at * size_.cols;
    }
    columns_.Run(run, outs, work);
  }

 private:
  GridOperand grid_;
  Operand x_, dy_, dx_, numbers_, sums_;
  int effects_;
  MatrixSize size_;
  ColumnSums columns_;
  kernels::grid_f32::Gradient gradient_;
};

Status ExpectEffects(const StepArgs& args) {
  const Tensor &effects = args.input(3), &sums = args.output(1);
  const bool fits = effects.dtype == Dtype::kFloat32 && effects.rank == 2 && effects.dims[0] >= 1 &&
                    effects.dims[0] <= kMostEffects && effects.dims[1] == 3;
  if (!fits) return args.Fail(Code::kShapeMismatch, "effects are one or two rows of three numbers");
  const bool has_sums = sums.dtype == Dtype::kFloat32 && sums.rank == 2 && sums.dims[0] == effects.dims[0] &&
                        sums.dims[1] == args.input(1).dims[1];
  return has_sums ? Status() : args.Fail(Code::kShapeMismatch, "a sum for each effect and column expected");
}

}  // namespace

Status LoadGridGradient(StepArgs& args, std::unique_ptr<Step>* step) {
  const bool has_effects = args.input_count() > 3;
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, has_effects ? 4 : 3, has_effects ? 2 : 1));
  LOWBIT_RETURN_IF_ERROR(ExpectGridded(args, {&args.input(1), &args.input(2), &args.output(0)}));
  if (has_effects) LOWBIT_RETURN_IF_ERROR(ExpectEffects(args));
  const int effects = has_effects ? static_cast<int>(args.input(3).dims[0]) : 0;
  *step = std::make_unique<GridGradient>(args, effects, dispatch::grid_f32::Choose(args.isa()));
  return Status();
}

}  // namespace lowbit::program::steps
