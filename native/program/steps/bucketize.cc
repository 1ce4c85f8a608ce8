// `bucketize`: for each number how many boundaries are not above it. Inputs: x (float32, int32, int64).
// Attributes: boundaries (floats, ascending). Output: int32.
//
// Source: LiteRT kernels/bucketize.cc (std::upper_bound; numbers are compared with floats).
#include <cmath>
#include <vector>

#include "program/steps/common.h"
#include "program/steps/dtypes.h"

namespace lowbit::program::steps {
namespace {

template <typename T>
class Bucketize final : public Step {
 public:
  Bucketize(Operand in, Operand out, size_t count, std::vector<float> boundaries)
      : in_(in), out_(out), count_(count), boundaries_(std::move(boundaries)) {
    kernel_ = "bucketize.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const T* const in = in_.In<T>(run);
    int32_t* const out = out_.Out<int32_t>(run);
    for (size_t i = 0; i < count_; ++i) {
      const auto after = std::upper_bound(boundaries_.begin(), boundaries_.end(), static_cast<float>(in[i]));
      out[i] = static_cast<int32_t>(after - boundaries_.begin());
    }
  }

 private:
  Operand in_, out_;
  size_t count_;
  std::vector<float> boundaries_;
};

}  // namespace

Status LoadBucketize(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor &in = args.input(0), &out = args.output(0);
  LOWBIT_STEP_INT(count, 0, INT32_MAX);
  Span<const float> given;
  LOWBIT_RETURN_IF_ERROR(args.Floats("boundaries", static_cast<size_t>(count), &given));
  if (out.dtype != Dtype::kInt32 || out.count() != in.count())
    return args.Fail(Code::kTypeMismatch, "gives an int32 for each number");
  std::vector<float> boundaries(given.data, given.data + count);
  for (size_t i = 0; i < boundaries.size(); ++i) {
    if (std::isnan(boundaries[i]) || (i && boundaries[i] < boundaries[i - 1]))
      return args.Fail(Code::kInvalid, "boundaries must ascend");
  }
  const bool found = VisitDtype<float, int32_t, int64_t>(in.dtype, [&](auto sample) {
    *step =
        std::make_unique<Bucketize<decltype(sample)>>(args.Bind(in), args.Bind(out), in.count(), boundaries);
  });
  return found ? Status() : args.Fail(Code::kUnsupported, "takes int32, int64 and float32");
}

}  // namespace lowbit::program::steps
