// expect: fails the run unless an int32 tensor holds the numbers that the plan was made for. No output.
#include <memory>
#include <vector>

#include "program/steps/common.h"

namespace lowbit::program::steps {

namespace {

class Expect final : public Step {
 public:
  Expect(Operand in, std::vector<int32_t> values) : in_(in), values_(std::move(values)) {
    kernel_ = "expect.s32.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    if (!std::equal(values_.begin(), values_.end(), in_.In<int32_t>(run))) {
      run.Fail("a computed shape differs from the one that the file declares");
    }
  }

 private:
  Operand in_;
  std::vector<int32_t> values_;
};

}  // namespace

Status LoadExpect(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 0));
  const Tensor& in = args.input(0);
  if (in.dtype != Dtype::kInt32) return args.Fail(Code::kTypeMismatch, "takes int32");
  Span<const int32_t> values;
  LOWBIT_RETURN_IF_ERROR(args.Ints("values", in.count(), &values));
  *step = std::make_unique<Expect>(args.Bind(in), std::vector<int32_t>(values.begin(), values.end()));
  return Status();
}

}  // namespace lowbit::program::steps
