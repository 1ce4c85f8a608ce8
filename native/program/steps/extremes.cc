// `extremes`: the largest or smallest numbers of matrices, float32. Inputs: x [batches, rows, columns], all at least 1.
// Output: [batches, columns]. Attributes: least (1: the smallest). NaN where there is one; of zeros of both signs either.
#include <cstring>
#include <limits>

#include "dispatch/pair_f32.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

using kernels::pair_f32::Operation;

class Extremes final : public Step {
 public:
  Extremes(Operand x, Operand out, const Tensor& shape, bool least, const kernels::pair_f32::Row& row)
      : x_(x),
        out_(out),
        batches_(static_cast<size_t>(shape.dims[0])),
        rows_(static_cast<size_t>(shape.dims[1])),
        cols_(static_cast<size_t>(shape.dims[2])),
        least_(least),
        pair_(row.run) {
    kernel_ = row.name;
    // Chunks of few matrices do not depend on the number of threads: nor does the sign of a zero.
    constexpr size_t kElements = 32 << 10, kMostChunks = 16;
    const size_t wanted = batches_ < kMostChunks ? std::min(kMostChunks, rows_ * cols_ / kElements) : 1;
    each_ = wanted > 1 ? (rows_ + wanted - 1) / wanted : rows_;
    chunks_ = (rows_ + each_ - 1) / each_;
  }
  uint64_t scratch_bytes(int /*threads*/) const override {
    return chunks_ > 1 ? uint64_t{batches_} * chunks_ * cols_ * sizeof(float) : 0;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* const x = x_.In<float>(run);
    float* const out = out_.Out<float>(run);
    float* const parts = chunks_ > 1 ? reinterpret_cast<float*>(run.scratch) : out;
    Split(run, batches_ * chunks_, (32 << 10) / (each_ * cols_ + 1), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const size_t first = i % chunks_ * each_;
        Fold(x + (i / chunks_ * rows_ + first) * cols_, std::min(each_, rows_ - first), parts + i * cols_);
      }
    });
    if (chunks_ == 1) return;
    for (size_t b = 0; b < batches_; ++b) Fold(parts + b * chunks_ * cols_, chunks_, out + b * cols_);
  }

 private:
  static constexpr size_t kLine = 256;

  void Pair(float* best, const float* x, size_t count) const {
    pair_(best, 1, x, 1, best, count, -std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::infinity());
  }
  float Better(float best, float x) const { return x != x || (least_ ? x < best : x > best) ? x : best; }

  // Narrow rows side by side, as many as make up a line.
  void Fold(const float* x, size_t rows, float* to) const {
    const size_t side = cols_ < kLine / 4 ? kLine / cols_ : 1;
    if (side > 1 && rows >= 2 * side) {
      float line[kLine];
      const size_t width = side * cols_, lines = rows / side;
      std::memcpy(line, x, width * sizeof(float));
      for (size_t l = 1; l < lines; ++l) Pair(line, x + l * width, width);
      FoldNarrow(line, side, to);
      for (size_t r = lines * side; r < rows; ++r) Narrow(x + r * cols_, to);
      return;
    }
    if (side > 1) return FoldNarrow(x, rows, to);
    std::memcpy(to, x, cols_ * sizeof(float));
    for (size_t r = 1; r < rows; ++r) Pair(to, x + r * cols_, cols_);
  }
  void FoldNarrow(const float* x, size_t rows, float* to) const {
    std::memcpy(to, x, cols_ * sizeof(float));
    for (size_t r = 1; r < rows; ++r) Narrow(x + r * cols_, to);
  }
  void Narrow(const float* x, float* to) const {
    for (size_t c = 0; c < cols_; ++c) to[c] = Better(to[c], x[c]);
  }

  Operand x_, out_;
  size_t batches_, rows_, cols_, each_, chunks_;
  bool least_;
  kernels::pair_f32::Kernel pair_;
};

}  // namespace

Status LoadExtremes(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor &x = args.input(0), &out = args.output(0);
  if (x.dtype != Dtype::kFloat32 || out.dtype != Dtype::kFloat32)
    return args.Fail(Code::kTypeMismatch, "takes and gives float32");
  if (x.rank != 3 || x.count() == 0 || out.rank != 2 || out.dims[0] != x.dims[0] || out.dims[1] != x.dims[2])
    return args.Fail(Code::kShapeMismatch, "matrices of numbers, and a row for each expected");
  LOWBIT_STEP_INT(least, 0, 1);
  const Operation operation = least ? Operation::kMinimumOrNan : Operation::kMaximumOrNan;
  auto made = std::make_unique<Extremes>(args.Bind(x), args.Bind(out), x, least != 0,
                                         dispatch::pair_f32::Choose(operation, args.isa()));
  LOWBIT_RETURN_IF_ERROR(args.Fits(made->scratch_bytes(args.threads())));
  *step = std::move(made);
  return Status();
}

}  // namespace lowbit::program::steps
