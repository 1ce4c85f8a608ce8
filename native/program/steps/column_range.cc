// `column_range`: the smallest and the largest element of each column. Input: x [rows, columns] of float32, a row at
// least; output: [2, columns]. A column with NaN has NaN.
#include <limits>

#include "dispatch/grid_f32.h"
#include "program/steps/grid.h"

namespace lowbit::program::steps {
namespace {

class ColumnRange final : public Step {
 public:
  ColumnRange(StepArgs& args, const kernels::grid_f32::Row& row)
      : x_(args.Bind(args.input(0))),
        out_(args.Bind(args.output(0))),
        size_(SizeOf(args.input(0))),
        range_(row.range) {
    constexpr size_t kElements = 64 << 10, kMostChunks = 16;
    const size_t wanted = std::max<size_t>(1, std::min(kMostChunks, size_.rows * size_.cols / kElements));
    each_ = (size_.rows + wanted - 1) / wanted;
    chunks_ = (size_.rows + each_ - 1) / each_;
    kernel_ = row.name;
  }
  uint64_t scratch_bytes(int /*threads*/) const override {
    return uint64_t{2} * chunks_ * size_.cols * sizeof(float);
  }
  void Run(const RunContext& run) const noexcept override {
    const float* const x = x_.In<float>(run);
    float* const ranges = reinterpret_cast<float*>(run.scratch);
    const size_t cols = size_.cols;
    Split(run, chunks_, 1, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i)
        Range(x + i * each_ * cols, std::min(each_, size_.rows - i * each_), ranges + 2 * i * cols);
    });
    Range(ranges, 2 * chunks_, out_.Out<float>(run));
  }

 private:
  void Range(const float* x, size_t rows, float* out) const {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    std::fill(out, out + size_.cols, kInfinity);
    std::fill(out + size_.cols, out + 2 * size_.cols, -kInfinity);
    range_(x, rows, size_.cols, out, out + size_.cols);
  }

  Operand x_, out_;
  MatrixSize size_;
  size_t each_, chunks_;
  kernels::grid_f32::Range range_;
};

}  // namespace

Status LoadColumnRange(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor &x = args.input(0), &out = args.output(0);
  if (x.dtype != Dtype::kFloat32 || out.dtype != Dtype::kFloat32)
    return args.Fail(Code::kTypeMismatch, "takes and gives float32");
  if (x.rank != 2 || x.dims[0] < 1 || out.rank != 2 || out.dims[0] != 2 || out.dims[1] != x.dims[1])
    return args.Fail(Code::kShapeMismatch, "a matrix with a row at least, and two numbers a column expected");
  *step = std::make_unique<ColumnRange>(args, dispatch::grid_f32::Choose(args.isa()));
  return Status();
}

}  // namespace lowbit::program::steps
