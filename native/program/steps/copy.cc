// copy: the bytes of input 0 become those of output 0, whatever their shapes and types.
#include <cstring>
#include <new>

#include "program/step.h"

namespace lowbit::program::steps {
namespace {

class Copy final : public Step {
 public:
  Copy(Operand input, Operand output, size_t bytes) : input_(input), output_(output), bytes_(bytes) {
    kernel_ = "copy";
  }
  void Run(const RunContext& run) const noexcept override {
    std::memmove(output_.Out<uint8_t>(run), input_.In<uint8_t>(run), bytes_);
  }

 private:
  const Operand input_, output_;
  const size_t bytes_;
};

}  // namespace

Status LoadCopy(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() != 1 || !args.has_input(0) || args.output_count() != 1)
    return args.Fail(Code::kInvalid, "expected one input and one output");
  const Tensor& from = args.input(0);
  const Tensor& to = args.output(0);
  if (from.bytes != to.bytes)
    return args.Fail(Code::kShapeMismatch, "the input has " + std::to_string(from.bytes) +
                                               " bytes, the output " + std::to_string(to.bytes));
  step->reset(new (std::nothrow) Copy(args.Bind(from), args.Bind(to), from.bytes));
  return Status();
}

}  // namespace lowbit::program::steps
