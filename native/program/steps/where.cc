// `where`: the indices of all elements of input 0 that are not zero, in order, as rows of output 0 (int64, a row an
// element, a column a dimension), and their number (output 1, int32). Rows beyond the number are left alone.
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

template <typename T>
class WhereStep final : public Step {
 public:
  WhereStep(Operand in, Operand rows, Operand count, const Tensor& shape)
      : in_(in), rows_(rows), count_(count), rank_(static_cast<size_t>(shape.rank)), size_(shape.count()) {
    std::copy_n(shape.dims, kMaxRank, dims_);
    kernel_ = "where.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const T* const in = in_.In<T>(run);
    int64_t* row = rows_.Out<int64_t>(run);
    int32_t count = 0;
    for (size_t i = 0; i < size_; ++i) {
      if (in[i] == T{0}) continue;
      size_t rest = i;
      for (size_t axis = rank_; axis-- > 0;) {
        const size_t extent = static_cast<size_t>(dims_[axis]);
        row[axis] = static_cast<int64_t>(rest % extent);
        rest /= extent;
      }
      row += rank_;
      ++count;
    }
    *count_.Out<int32_t>(run) = count;
  }

 private:
  const Operand in_, rows_, count_;
  int32_t dims_[kMaxRank];
  const size_t rank_, size_;
};

}  // namespace

Status LoadWhere(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 2));
  const Tensor &in = args.input(0), &rows = args.output(0), &count = args.output(1);
  if (rows.dtype != Dtype::kInt64 || count.dtype != Dtype::kInt32)
    return args.Fail(Code::kTypeMismatch, "gives int64 indices and an int32 count");
  if (in.rank < 1 || in.count() > INT32_MAX || count.count() != 1 ||
      rows.count() != in.count() * static_cast<size_t>(in.rank))
    return args.Fail(Code::kShapeMismatch, "gives a row for each element, and one count");
  const auto make = [&](auto kind) {
    using T = decltype(kind);
    *step = std::make_unique<WhereStep<T>>(args.Bind(in), args.Bind(rows), args.Bind(count), in);
    return Status();
  };
  switch (in.dtype) {
    case Dtype::kBool:
    case Dtype::kInt8:
    case Dtype::kUint8:
      return make(uint8_t{});
    case Dtype::kInt32:
      return make(int32_t{});
    case Dtype::kInt64:
      return make(int64_t{});
    case Dtype::kFloat32:
      return make(float{});
    default:
      return args.Fail(Code::kTypeMismatch, "runs on bool, int8, uint8, int32, int64 and float32");
  }
}

}  // namespace lowbit::program::steps
