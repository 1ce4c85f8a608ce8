// `segment`: slices of the first dimensions folded into the segments that their numbers name. Inputs: x
// (float32, int32, int64), numbers (int32). Attributes: op (0 sum, 1 product, 2 maximum, 3 minimum); inner:
// x is numbers x inner elements, the output segments x inner.
//
// Negative numbers drop their slice; one beyond the output fails the run. Segments without a slice are 0, 1,
// or the lowest and highest number. Source: LiteRT kernels/segment_sum.cc, unsorted_segment.cc.
#include <limits>
#include <type_traits>

#include "program/steps/dtypes.h"
#include "program/steps/slices.h"

namespace lowbit::program::steps {
namespace {

enum Op { kSum, kProduct, kMax, kMin };

template <typename T>
T Fold(int op, T a, T b) {
  if (op == kMax) return a > b ? a : b;
  if (op == kMin) return a < b ? a : b;
  if constexpr (std::is_integral_v<T>) {
    const uint64_t x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
    return static_cast<T>(op == kSum ? x + y : x * y);
  } else {
    return op == kSum ? a + b : a * b;
  }
}

template <typename T>
class Segment final : public Step {
 public:
  Segment(Operand in, Operand numbers, Operand out, int op, size_t count, size_t inner, size_t segments)
      : in_(in), numbers_(numbers), out_(out), op_(op), count_(count), inner_(inner), segments_(segments) {
    kernel_ = "segment.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    using Limits = std::numeric_limits<T>;
    const T firsts[] = {T{0}, T{1}, Limits::lowest(), Limits::max()};
    const T* in = in_.In<T>(run);
    const int32_t* numbers = numbers_.In<int32_t>(run);
    T* const out = out_.Out<T>(run);
    std::fill_n(out, segments_ * inner_, firsts[op_]);
    for (size_t i = 0; i < count_; ++i, in += inner_) {
      const int32_t number = numbers[i];
      if (number < 0) continue;
      if (static_cast<size_t>(number) >= segments_) return run.Fail("a segment lies outside the output");
      T* const to = out + static_cast<size_t>(number) * inner_;
      for (size_t c = 0; c < inner_; ++c) to[c] = Fold(op_, to[c], in[c]);
    }
  }

 private:
  Operand in_, numbers_, out_;
  int op_;
  size_t count_, inner_, segments_;
};

}  // namespace

Status LoadSegment(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor &in = args.input(0), &numbers = args.input(1), &out = args.output(0);
  if (numbers.dtype != Dtype::kInt32 || in.dtype != out.dtype)
    return args.Fail(Code::kTypeMismatch, "takes int32 numbers, and gives what it takes");
  LOWBIT_STEP_INT(op, kSum, kMin);
  LOWBIT_STEP_INT(inner, 0, INT32_MAX);
  if (out.rank < 1) return args.Fail(Code::kShapeMismatch, "segments have a dimension");
  const size_t segments = static_cast<size_t>(out.dims[0]);
  Product all, results;
  if (numbers.count() > INT32_MAX || !all.Times(static_cast<int>(numbers.count())) || !all.Times(inner) ||
      all.value != in.count() || !results.Times(out.dims[0]) || !results.Times(inner) ||
      results.value != out.count())
    return args.Fail(Code::kShapeMismatch, "slices, numbers and segments do not fit together");
  const bool found = VisitDtype<float, int32_t, int64_t>(in.dtype, [&](auto sample) {
    *step =
        std::make_unique<Segment<decltype(sample)>>(args.Bind(in), args.Bind(numbers), args.Bind(out), op,
                                                    numbers.count(), static_cast<size_t>(inner), segments);
  });
  return found ? Status() : args.Fail(Code::kUnsupported, "takes int32, int64 and float32");
}

}  // namespace lowbit::program::steps
