// `cumsum`: running sums along one dimension. Inputs: x (float32, int32, int64). Attributes: axis, exclusive
// (0 or 1: each sum leaves its own element out), reverse (0 or 1: from the end).
//
// Source: TFLite kernels/internal/reference/cumsum.h. Integers wrap.
#include <type_traits>

#include "program/steps/common.h"
#include "program/steps/dtypes.h"

namespace lowbit::program::steps {
namespace {

template <typename T>
T Add(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  } else {
    return a + b;
  }
}

template <typename T>
class CumSum final : public Step {
 public:
  CumSum(Operand in, Operand out, size_t outer, size_t depth, size_t inner, bool exclusive, bool reverse)
      : in_(in),
        out_(out),
        outer_(outer),
        depth_(depth),
        inner_(inner),
        exclusive_(exclusive),
        reverse_(reverse) {
    kernel_ = "cumsum.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = in_.In<T>(run);
    T* out = out_.Out<T>(run);
    const size_t plane = depth_ * inner_;
    Split(run, outer_, (32 << 10) / (plane + 1), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) One(in + i * plane, out + i * plane);
    });
  }

 private:
  // The sums of row d are those of the row before it and one row of elements.
  void One(const T* in, T* out) const noexcept {
    for (size_t i = 0; i < depth_; ++i) {
      const size_t d = reverse_ ? depth_ - 1 - i : i;
      const size_t before = reverse_ ? d + 1 : d - 1;  // not read where i is 0
      const T* added = in + (exclusive_ && i ? before : d) * inner_;
      T* to = out + d * inner_;
      for (size_t c = 0; c < inner_; ++c) {
        const T sum = i ? out[before * inner_ + c] : T{0};
        to[c] = exclusive_ && !i ? T{0} : Add(sum, added[c]);
      }
    }
  }

  Operand in_, out_;
  size_t outer_, depth_, inner_;
  bool exclusive_, reverse_;
};

}  // namespace

Status LoadCumSum(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "input and output differ in type");
  if (in.rank < 1 || in.count() != out.count())
    return args.Fail(Code::kShapeMismatch, "input and output differ in size, or have no dimension");
  LOWBIT_STEP_INT(axis, 0, in.rank - 1);
  LOWBIT_STEP_INT(exclusive, 0, 1);
  LOWBIT_STEP_INT(reverse, 0, 1);
  const auto make = [&](auto sample) {
    size_t outer = 1, inner = 1;
    for (int i = 0; i < in.rank; ++i) {
      if (i != axis) (i < axis ? outer : inner) *= static_cast<size_t>(in.dims[i]);
    }
    if (!in.count()) outer = 0;
    *step = std::make_unique<CumSum<decltype(sample)>>(args.Bind(in), args.Bind(out), outer,
                                                       static_cast<size_t>(in.dims[axis]), inner,
                                                       exclusive != 0, reverse != 0);
  };
  const bool found = VisitDtype<float, int32_t, int64_t>(in.dtype, make);
  return found ? Status() : args.Fail(Code::kUnsupported, "takes int32, int64 and float32");
}

}  // namespace lowbit::program::steps
