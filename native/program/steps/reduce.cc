// `reduce`: sums, means, products and extremes over some dimensions. Inputs: x. Attributes: op (0 sum, 1
// mean, 2 maximum, 3 minimum, 4 product), axes (one int a dimension of x: 1 = reduced). Sums and means of
// int8, uint8 and int16 also: multiplier, shift, offset (added to each sum before scaling), zero_point, low,
// high. The output's elements are those of the kept dimensions in order; its shape is not looked at, only its
// size.
//
// Source: TFLite kernels/internal/reference/reduce.h (QuantizedMeanOrSum, Mean).
#include <cstring>
#include <limits>
#include <type_traits>

#include "dispatch/columns_f32.h"
#include "dispatch/rows_f32.h"
#include "dispatch/sum.h"
#include "kernels/requantize/signed_shift.h"
#include "program/steps/columns.h"

namespace lowbit::program::steps {
namespace {

enum Op { kSum, kMean, kMax, kMin, kProduct };

// x as alternating runs of kept and reduced dimensions, neighbours of one kind merged.
struct Shape {
  int rank = 0;
  size_t dims[kMaxRank];
  bool reduced[kMaxRank];
  size_t outputs = 1, inputs_each = 1;
};

Shape Merge(const Tensor& x, Span<const int32_t> axes) {
  Shape shape;
  for (int i = 0; i < x.rank; ++i) {
    const size_t extent = static_cast<size_t>(x.dims[i]);
    (axes[i] ? shape.inputs_each : shape.outputs) *= extent;
    if (extent == 1) continue;
    if (shape.rank && shape.reduced[shape.rank - 1] == (axes[i] != 0)) {
      shape.dims[shape.rank - 1] *= extent;
    } else {
      shape.dims[shape.rank] = extent;
      shape.reduced[shape.rank++] = axes[i] != 0;
    }
  }
  return shape;
}

// Folds every element of x into the accumulator of its output, in the order of x.
template <typename T, typename A, typename Fold>
void FoldAll(const T* x, const Shape& shape, A* accumulators, const Fold& fold) {
  // The innermost run is walked in a loop of its own, the others by counting.
  if (shape.inputs_each == 0) return;  // the other reduced extents may be huge
  const int outer = shape.rank ? shape.rank - 1 : 0;
  const size_t inner = shape.rank ? shape.dims[outer] : 1;
  const bool inner_reduced = shape.rank && shape.reduced[outer];
  size_t strides[kMaxRank] = {};
  size_t stride = inner_reduced || !shape.rank ? 1 : inner;
  for (int i = outer; i-- > 0;) {
    if (shape.reduced[i]) continue;
    strides[i] = stride;
    stride *= shape.dims[i];
  }
  size_t index[kMaxRank] = {};
  size_t rows = 1;
  for (int i = 0; i < outer; ++i) rows *= shape.dims[i];
  for (size_t row = 0; row < rows; ++row, x += inner) {
    size_t at = 0;
    for (int i = 0; i < outer; ++i) at += index[i] * strides[i];
    if (inner_reduced) {
      A value = accumulators[at];
      for (size_t k = 0; k < inner; ++k) value = fold(value, x[k]);
      accumulators[at] = value;
    } else {
      for (size_t k = 0; k < inner; ++k) accumulators[at + k] = fold(accumulators[at + k], x[k]);
    }
    for (int i = outer; i-- > 0;) {
      if (++index[i] < shape.dims[i]) break;
      index[i] = 0;
    }
  }
}

struct Requantizer {
  int32_t multiplier;
  int shift;
  int64_t offset;
  int32_t zero_point, low, high;
};

// Sums and means of codes.
template <typename T>
class QuantizedReduce final : public Step {
 public:
  QuantizedReduce(Operand in, Operand out, const Shape& shape, const Requantizer& to,
                  kernels::sum::Kernel sum, const char* name)
      : in_(in), out_(out), shape_(shape), to_(to), sum_(sum) {
    kernel_ = name;
  }
  uint64_t scratch_bytes(int /*threads*/) const override {
    return uint64_t{shape_.outputs} * sizeof(int32_t);
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = in_.In<T>(run);
    T* out = out_.Out<T>(run);
    int32_t* sums = reinterpret_cast<int32_t*>(run.scratch);
    // (batch) x reduced x kept, the usual mean over an image, and reduction of the last dimensions: whole
    // kernels.
    const int rank = shape_.rank;
    const bool last_reduced = rank >= 1 && shape_.reduced[rank - 1];
    const bool batched =
        sum_ && shape_.inputs_each > 1 &&
        ((rank <= 2 && last_reduced) || (rank == 2 && shape_.reduced[0]) || (rank == 3 && shape_.reduced[1]));
    if (batched) {
      const size_t cols = last_reduced ? 1 : shape_.dims[rank - 1];
      const size_t batches = shape_.outputs / cols;
      Split(run, batches, (64 << 10) / (cols * shape_.inputs_each + 1), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
          sum_(in + i * shape_.inputs_each * cols, shape_.inputs_each, cols, sums + i * cols);
        }
      });
    } else {
      std::memset(sums, 0, shape_.outputs * sizeof(int32_t));
      FoldAll(in, shape_, sums, [](int32_t sum, T x) { return kernels::requantize::WrappingAdd(sum, x); });
    }
    for (size_t i = 0; i < shape_.outputs; ++i) {
      const int32_t sum = static_cast<int32_t>(static_cast<uint32_t>(sums[i] + to_.offset));
      const int32_t scaled =
          kernels::requantize::MultiplyByQuantizedMultiplier(sum, to_.multiplier, to_.shift);
      out[i] = static_cast<T>(kernels::requantize::Clamp(
          kernels::requantize::WrappingAdd(scaled, to_.zero_point), to_.low, to_.high));
    }
  }

 private:
  Operand in_, out_;
  Shape shape_;
  Requantizer to_;
  kernels::sum::Kernel sum_;
};

// Everything else: the accumulators are the output itself.
template <typename T>
class PlainReduce final : public Step {
 public:
  PlainReduce(Operand in, Operand out, const Shape& shape, int op)
      : in_(in), out_(out), shape_(shape), op_(op) {
    kernel_ = "reduce.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = in_.In<T>(run);
    T* out = out_.Out<T>(run);
    using Limits = std::numeric_limits<T>;
    const T first = op_ == kMax       ? Limits::lowest()
                    : op_ == kMin     ? Limits::max()
                    : op_ == kProduct ? T{1}
                                      : T{0};
    std::fill(out, out + shape_.outputs, first);
    switch (op_) {
      case kMax:
        return FoldAll(in, shape_, out, [](T a, T x) { return x > a ? x : a; });
      case kMin:
        return FoldAll(in, shape_, out, [](T a, T x) { return x < a ? x : a; });
      case kProduct:
        return FoldAll(in, shape_, out, [](T a, T x) { return Multiply(a, x); });
      default:
        FoldAll(in, shape_, out, [](T a, T x) { return Add(a, x); });
    }
    if (op_ == kMean) {
      const T count = static_cast<T>(shape_.inputs_each);
      for (size_t i = 0; i < shape_.outputs; ++i) out[i] = out[i] / count;
    }
  }

 private:
  static T Add(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return a + b;
    if constexpr (std::is_integral_v<T>) {
      using U = std::make_unsigned_t<T>;
      return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
    }
  }
  static T Multiply(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return a * b;
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    }
  }

  Operand in_, out_;
  Shape shape_;
  int op_;
};

// Sums and means of rows of float32.
class SumRows final : public Step {
 public:
  SumRows(Operand in, Operand out, size_t rows, size_t depth, bool mean, const kernels::rows_f32::Row& row)
      : in_(in), out_(out), rows_(rows), depth_(depth), mean_(mean), sum_(row.sum) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* in = in_.In<float>(run);
    float* out = out_.Out<float>(run);
    const float count = static_cast<float>(depth_);
    Split(run, rows_, (8 << 10) / (depth_ + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const float sum = sum_(in + row * depth_, depth_);
        out[row] = mean_ ? sum / count : sum;
      }
    });
  }

 private:
  Operand in_, out_;
  size_t rows_, depth_;
  bool mean_;
  kernels::rows_f32::Sum sum_;
};

// Sums and means over the rows of matrices of float32.
class SumColumns final : public Step {
 public:
  SumColumns(Operand in, Operand out, size_t batches, size_t rows, size_t cols, bool mean,
             const kernels::columns_f32::Row& row)
      : in_(in),
        out_(out),
        cols_(cols),
        outputs_(batches * cols),
        columns_(batches, rows, cols, 1),
        count_(mean ? static_cast<float>(rows) : 1.0f),
        sum_(row.sum) {
    kernel_ = row.name;
  }
  uint64_t scratch_bytes(int /*threads*/) const override { return columns_.scratch_bytes(); }
  void Run(const RunContext& run) const noexcept override {
    const float* in = in_.In<float>(run);
    float* out = out_.Out<float>(run);
    columns_.Run(run, &out, [&](size_t row, size_t rows, float* const* sums) {
      sum_(in + row * cols_, rows, cols_, sums[0]);
    });
    if (count_ == 1.0f) return;
    for (size_t i = 0; i < outputs_; ++i) out[i] /= count_;
  }

 private:
  Operand in_, out_;
  size_t cols_, outputs_;
  ColumnSums columns_;
  float count_;
  kernels::columns_f32::Sum sum_;
};

template <typename T>
Status LoadQuantized(StepArgs& args, const Shape& shape, int op, std::unique_ptr<Step>* step) {
  const int lowest = std::numeric_limits<T>::min(), highest = std::numeric_limits<T>::max();
  LOWBIT_STEP_INT(multiplier, 0, INT32_MAX);
  LOWBIT_STEP_INT(shift, -31, 30);
  LOWBIT_STEP_INT(zero_point, lowest, highest);
  LOWBIT_STEP_INT(low, lowest, highest);
  LOWBIT_STEP_INT(high, low, highest);
  double offset = 0;
  LOWBIT_RETURN_IF_ERROR(args.Double("offset", &offset));
  if (op > kMean || !(offset >= -9e15 && offset <= 9e15))
    return args.Fail(Code::kInvalid, "op or offset out of range");
  kernels::sum::Kernel sum = nullptr;
  const char* name = "reduce.scalar";
  if constexpr (sizeof(T) == 1) {
    const auto kind = std::is_signed_v<T> ? kernels::sum::Kind::kS8 : kernels::sum::Kind::kU8;
    const kernels::sum::Row& row = dispatch::sum::Choose(kind, args.isa());
    sum = row.run;
    name = row.name;
  }
  const Requantizer to{multiplier, shift, static_cast<int64_t>(offset), zero_point, low, high};
  *step = std::make_unique<QuantizedReduce<T>>(args.Bind(args.input(0)), args.Bind(args.output(0)), shape, to,
                                               sum, name);
  return Status();
}

template <typename T>
Status LoadPlain(StepArgs& args, const Shape& shape, int op, std::unique_ptr<Step>* step) {
  *step = std::make_unique<PlainReduce<T>>(args.Bind(args.input(0)), args.Bind(args.output(0)), shape, op);
  return Status();
}

}  // namespace

Status LoadReduce(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "input and output differ in type");
  LOWBIT_STEP_INT(op, kSum, kProduct);
  Span<const int32_t> axes;
  LOWBIT_RETURN_IF_ERROR(args.Ints("axes", static_cast<size_t>(in.rank), &axes));
  const Shape shape = Merge(in, axes);
  if (shape.outputs != out.count()) return args.Fail(Code::kShapeMismatch, "the output has another size");
  if (op == kMean && shape.inputs_each == 0) return args.Fail(Code::kShapeMismatch, "a mean of nothing");
  const bool ordered = op == kMax || op == kMin;
  switch (in.dtype) {
    case Dtype::kInt8:
      return ordered ? LoadPlain<int8_t>(args, shape, op, step)
                     : LoadQuantized<int8_t>(args, shape, op, step);
    case Dtype::kBool:
      return ordered ? LoadPlain<uint8_t>(args, shape, op, step)
                     : args.Fail(Code::kUnsupported, "does not add bools");
    case Dtype::kUint8:
      return ordered ? LoadPlain<uint8_t>(args, shape, op, step)
                     : LoadQuantized<uint8_t>(args, shape, op, step);
    case Dtype::kInt16:
      return ordered ? LoadPlain<int16_t>(args, shape, op, step)
                     : LoadQuantized<int16_t>(args, shape, op, step);
    case Dtype::kInt32:
      return LoadPlain<int32_t>(args, shape, op, step);
    case Dtype::kInt64:
      return LoadPlain<int64_t>(args, shape, op, step);
    case Dtype::kFloat32:
      if (op <= kMean && shape.rank <= 2 && shape.rank > 0 && shape.reduced[shape.rank - 1]) {
        *step = std::make_unique<SumRows>(args.Bind(in), args.Bind(out), shape.outputs, shape.inputs_each,
                                          op == kMean, dispatch::rows_f32::Choose(args.isa()));
        return Status();
      }
      if (op <= kMean && (shape.rank == 2 || shape.rank == 3) && shape.reduced[shape.rank - 2] &&
          !shape.reduced[shape.rank - 1]) {
        const size_t cols = shape.dims[shape.rank - 1];
        *step = std::make_unique<SumColumns>(args.Bind(in), args.Bind(out), cols ? shape.outputs / cols : 0,
                                             shape.inputs_each, cols, op == kMean,
                                             dispatch::columns_f32::Choose(args.isa()));
        return Status();
      }
      return LoadPlain<float>(args, shape, op, step);
    default:
      return args.Fail(Code::kUnsupported, "does not reduce this type");
  }
}

}  // namespace lowbit::program::steps
