// `scatter`: zeros, to which slices are added at indices that are known when it runs. Inputs: indices (int32,
// int64), updates. Attributes: rank, dims (rank extents), inner: the output is dims x inner elements; count:
// indices, each of rank numbers. updates: count x inner.
//
// An index outside dims fails the run. Source: TFLite kernels/internal/reference/reference_ops.h (ScatterNd).
// Integers wrap, of bools the sum is true where one is.
#include <cstring>
#include <type_traits>

#include "program/steps/dtypes.h"
#include "program/steps/slices.h"

namespace lowbit::program::steps {
namespace {

template <typename T>
T Sum(T a, T b) {
  if constexpr (std::is_same_v<T, Bool>) {
    return Bool{static_cast<uint8_t>(a.value || b.value)};
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  } else {
    return a + b;
  }
}

template <typename T, typename Index>
class Scatter final : public Step {
 public:
  Scatter(Operand indices, Operand updates, Operand out, const Cells& cells, size_t count, size_t inner)
      : indices_(indices), updates_(updates), out_(out), cells_(cells), count_(count), inner_(inner) {
    kernel_ = "scatter.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const Index* index = indices_.In<Index>(run);
    const T* update = updates_.In<T>(run);
    T* out = out_.Out<T>(run);
    std::memset(static_cast<void*>(out), 0, cells_.count * inner_ * sizeof(T));
    for (size_t i = 0; i < count_; ++i, index += cells_.rank, update += inner_) {
      size_t cell;
      if (!cells_.Find(index, &cell)) return run.Fail("an index lies outside the output");
      T* to = out + cell * inner_;
      for (size_t c = 0; c < inner_; ++c) to[c] = Sum(to[c], update[c]);
    }
  }

 private:
  Operand indices_, updates_, out_;
  Cells cells_;
  size_t count_, inner_;
};

}  // namespace

Status LoadScatter(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor& indices = args.input(0);
  const Tensor& updates = args.input(1);
  const Tensor& out = args.output(0);
  if (updates.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "updates and output differ in type");
  if (indices.dtype != Dtype::kInt32 && indices.dtype != Dtype::kInt64)
    return args.Fail(Code::kTypeMismatch, "indices must be int32 or int64");
  LOWBIT_STEP_INT(inner, 0, INT32_MAX);
  LOWBIT_STEP_INT(count, 0, INT32_MAX);
  Cells cells;
  LOWBIT_RETURN_IF_ERROR(LoadCells(args, &cells));
  Product in_out, in_updates, in_indices;
  const bool fits = in_out.Times(cells) && in_out.Times(inner) && in_out.value == out.count() &&
                    in_updates.Times(count) && in_updates.Times(inner) &&
                    in_updates.value == updates.count() && in_indices.Times(count) &&
                    in_indices.Times(cells.rank) && in_indices.value == indices.count();
  if (!fits) return args.Fail(Code::kShapeMismatch, "indices, updates and output do not fit together");
  if (!updates.count()) count = 0;
  const auto make = [&](auto sample) {
    using T = decltype(sample);
    const Operand at = args.Bind(indices), from = args.Bind(updates), to = args.Bind(out);
    const size_t each = static_cast<size_t>(inner), slices = static_cast<size_t>(count);
    if (indices.dtype == Dtype::kInt32) {
      *step = std::make_unique<Scatter<T, int32_t>>(at, from, to, cells, slices, each);
    } else {
      *step = std::make_unique<Scatter<T, int64_t>>(at, from, to, cells, slices, each);
    }
  };
  const bool found = VisitDtype<Bool, int8_t, uint8_t, int16_t, int32_t, int64_t, float>(out.dtype, make);
  return found ? Status() : args.Fail(Code::kUnsupported, "does not add this type");
}

}  // namespace lowbit::program::steps
