// `unique`: the different elements of a list in the order in which they first come (output 0, as long as the list; what
// is beyond their number is left alone), for each element which of them it is (output 1, int32 or int64), and their
// number (output 2, int32).
#include <cmath>
#include <numeric>
#include <type_traits>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

template <typename T, typename Place>
class Unique final : public Step {
 public:
  Unique(Operand in, Operand values, Operand places, Operand count, size_t size)
      : in_(in), values_(values), places_(places), count_(count), size_(size) {
    kernel_ = "unique.scalar";
  }
  size_t scratch_bytes(int /*threads*/) const override { return 2 * size_ * sizeof(int32_t); }
  void Run(const RunContext& run) const noexcept override {
    const T* const in = in_.In<T>(run);
    if (std::is_floating_point_v<T> &&
        std::any_of(in, in + size_, [](T x) { return std::isnan(static_cast<double>(x)); }))
      return run.Fail("NaN is no element that others may equal");
    int32_t* const order = reinterpret_cast<int32_t*>(run.scratch);
    int32_t* const first = order + size_;  // for each element the place of the first one that equals it
    std::iota(order, order + size_, 0);
    std::sort(order, order + size_,
              [in](int32_t a, int32_t b) { return in[a] < in[b] || (in[a] == in[b] && a < b); });
    for (size_t i = 0; i < size_; ++i)
      first[order[i]] = i > 0 && in[order[i]] == in[order[i - 1]] ? first[order[i - 1]] : order[i];
    T* const values = values_.Out<T>(run);
    Place* const places = places_.Out<Place>(run);
    int32_t count = 0;
    for (size_t i = 0; i < size_; ++i) {
      const auto from = static_cast<size_t>(first[i]);
      if (from == i) values[count] = in[i];
      places[i] = from == i ? static_cast<Place>(count++) : places[from];
    }
    *count_.Out<int32_t>(run) = count;
  }

 private:
  const Operand in_, values_, places_, count_;
  const size_t size_;
};

}  // namespace

Status LoadUnique(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 3));
  const Tensor &in = args.input(0), &values = args.output(0), &places = args.output(1),
               &count = args.output(2);
  const bool is_long = places.dtype == Dtype::kInt64;
  if (values.dtype != in.dtype || (!is_long && places.dtype != Dtype::kInt32) || count.dtype != Dtype::kInt32)
    return args.Fail(Code::kTypeMismatch, "gives values of the input's type, integers and an int32 count");
  const size_t size = in.count();
  if (size > INT32_MAX / 2 || values.count() != size || places.count() != size || count.count() != 1)
    return args.Fail(Code::kShapeMismatch, "gives lists as long as the input, and one count");
  LOWBIT_RETURN_IF_ERROR(args.Fits(2 * size * sizeof(int32_t)));
  const auto make = [&](auto kind) {
    using T = decltype(kind);
    const Operand from = args.Bind(in), to = args.Bind(values), at = args.Bind(places),
                  found = args.Bind(count);
    if (is_long)
      *step = std::make_unique<Unique<T, int64_t>>(from, to, at, found, size);
    else
      *step = std::make_unique<Unique<T, int32_t>>(from, to, at, found, size);
    return Status();
  };
  switch (in.dtype) {
    case Dtype::kInt8:
      return make(int8_t{});
    case Dtype::kUint8:
      return make(uint8_t{});
    case Dtype::kInt16:
      return make(int16_t{});
    case Dtype::kInt32:
      return make(int32_t{});
    case Dtype::kInt64:
      return make(int64_t{});
    case Dtype::kFloat32:
      return make(float{});
    default:
      return args.Fail(Code::kTypeMismatch, "runs on int8, uint8, int16, int32, int64 and float32");
  }
}

}  // namespace lowbit::program::steps
