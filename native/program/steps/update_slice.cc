// `update_slice`: a tensor in which a box is replaced. Inputs: x, box, start (int32, int64: one index a
// dimension, moved so that the box lies inside). The output may be x itself.
//
// Source: LiteRT kernels/dynamic_update_slice.cc.
#include <cstring>

#include "program/steps/common.h"
#include "program/steps/dtypes.h"

namespace lowbit::program::steps {
namespace {

template <typename Index>
class UpdateSlice final : public Step {
 public:
  UpdateSlice(Operand in, Operand box, Operand start, Operand out, const Tensor& whole, const Tensor& part,
              size_t element)
      : in_(in), box_(box), start_(start), out_(out), rank_(whole.rank), bytes_(whole.bytes) {
    kernel_ = "update_slice";
    size_t stride = element;
    for (int i = rank_; i-- > 0;) {
      whole_[i] = whole.dims[i];
      part_[i] = part.dims[i];
      strides_[i] = stride;
      stride *= static_cast<size_t>(whole.dims[i]);
    }
    row_bytes_ = (rank_ ? static_cast<size_t>(part.dims[rank_ - 1]) : 1) * element;
    rows_ = row_bytes_ ? part.bytes / row_bytes_ : 0;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* const in = in_.In<uint8_t>(run);
    const uint8_t* box = box_.In<uint8_t>(run);
    uint8_t* const out = out_.Out<uint8_t>(run);
    size_t origin = 0;
    const Index* const start = start_.In<Index>(run);
    for (int i = 0; i < rank_; ++i) {
      const int64_t most = whole_[i] - part_[i];
      const int64_t at = std::min(most, std::max(int64_t{0}, static_cast<int64_t>(start[i])));
      origin += static_cast<size_t>(at) * strides_[i];
    }
    if (in != out) std::memcpy(out, in, bytes_);
    int32_t index[kMaxRank] = {};
    for (size_t row = 0; row < rows_; ++row, box += row_bytes_) {
      size_t to = origin;
      for (int i = 0; i + 1 < rank_; ++i) to += static_cast<size_t>(index[i]) * strides_[i];
      std::memcpy(out + to, box, row_bytes_);
      for (int i = rank_ - 1; i-- > 0;) {
        if (++index[i] < part_[i]) break;
        index[i] = 0;
      }
    }
  }

 private:
  Operand in_, box_, start_, out_;
  int rank_;
  size_t bytes_, row_bytes_ = 0, rows_ = 0;
  int32_t whole_[kMaxRank] = {}, part_[kMaxRank] = {};
  size_t strides_[kMaxRank] = {};
};

}  // namespace

Status LoadUpdateSlice(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 3, 1));
  const Tensor &in = args.input(0), &box = args.input(1), &start = args.input(2), &out = args.output(0);
  const size_t element = ElementBytes(in.dtype);
  if (in.dtype != out.dtype || in.dtype != box.dtype || element == 0)
    return args.Fail(Code::kTypeMismatch, "takes and gives one type of whole bytes");
  bool fits = SameShape(in, out) && box.rank == in.rank && start.count() == static_cast<size_t>(in.rank);
  for (int i = 0; fits && i < in.rank; ++i) fits = box.dims[i] <= in.dims[i];
  if (!fits) return args.Fail(Code::kShapeMismatch, "the box does not fit into the tensor");
  const bool found = VisitDtype<int32_t, int64_t>(start.dtype, [&](auto sample) {
    *step = std::make_unique<UpdateSlice<decltype(sample)>>(args.Bind(in), args.Bind(box), args.Bind(start),
                                                            args.Bind(out), in, box, element);
  });
  return found ? Status() : args.Fail(Code::kTypeMismatch, "the start must be int32 or int64");
}

}  // namespace lowbit::program::steps
