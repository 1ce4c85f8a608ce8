// `top_k`: the largest elements of each row and their indices (int32), the largest first, of equals the one
// that comes first; NaN comes last. Inputs: x. Outputs: values, indices. The outputs' last dimension says how
// many.
//
// Source: TFLite kernels/topk_v2.cc.
#include <cmath>
#include <numeric>
#include <type_traits>

#include "program/steps/common.h"
#include "program/steps/dtypes.h"

namespace lowbit::program::steps {
namespace {

template <typename T>
bool IsNan(T x) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(x);
  return false;
}

template <typename T>
class TopK final : public Step {
 public:
  TopK(Operand in, Operand values, Operand indices, size_t rows, size_t depth, size_t k)
      : in_(in), values_(values), indices_(indices), rows_(rows), depth_(depth), k_(k) {
    kernel_ = "top_k.scalar";
  }
  // A list of indices a row.
  uint64_t scratch_bytes(int /*threads*/) const override {
    return uint64_t{rows_} * depth_ * sizeof(int32_t);
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = in_.In<T>(run);
    T* values = values_.Out<T>(run);
    int32_t* indices = indices_.Out<int32_t>(run);
    int32_t* lists = reinterpret_cast<int32_t*>(run.scratch);
    Split(run, rows_, (4 << 10) / (depth_ + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row)
        One(in + row * depth_, lists + row * depth_, values + row * k_, indices + row * k_);
    });
  }

 private:
  void One(const T* in, int32_t* list, T* values, int32_t* indices) const noexcept {
    std::iota(list, list + depth_, 0);
    std::partial_sort(list, list + k_, list + depth_, [in](int32_t a, int32_t b) {
      const bool a_is_nan = IsNan(in[a]), b_is_nan = IsNan(in[b]);
      if (a_is_nan != b_is_nan) return b_is_nan;
      return in[a] > in[b] || (!(in[a] < in[b]) && a < b);
    });
    for (size_t i = 0; i < k_; ++i) {
      indices[i] = list[i];
      values[i] = in[list[i]];
    }
  }

  Operand in_, values_, indices_;
  size_t rows_, depth_, k_;
};

}  // namespace

Status LoadTopK(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 2));
  const Tensor& in = args.input(0);
  const Tensor& values = args.output(0);
  const Tensor& indices = args.output(1);
  if (values.dtype != in.dtype || indices.dtype != Dtype::kInt32)
    return args.Fail(Code::kTypeMismatch, "values of the input's type and int32 indices are needed");
  if (in.rank < 1 || values.rank != in.rank || !SameShape(values, indices) ||
      !std::equal(in.dims, in.dims + in.rank - 1, values.dims) ||
      values.dims[in.rank - 1] > in.dims[in.rank - 1])
    return args.Fail(Code::kShapeMismatch, "input and outputs do not fit together");
  const size_t depth = static_cast<size_t>(in.dims[in.rank - 1]),
               k = static_cast<size_t>(values.dims[in.rank - 1]);
  const size_t rows = k ? in.count() / depth : 0;
  const auto make = [&](auto sample) {
    *step = std::make_unique<TopK<decltype(sample)>>(args.Bind(in), args.Bind(values), args.Bind(indices),
                                                     rows, depth, k);
  };
  const bool found = VisitDtype<float, int8_t, uint8_t, int16_t, int32_t, int64_t>(in.dtype, make);
  return found ? Status() : args.Fail(Code::kUnsupported, "does not sort this type");
}

}  // namespace lowbit::program::steps
