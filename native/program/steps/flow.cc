// Steps that run blocks of other steps.
//   if     condition (one bool); `counts`: steps of the branch for true, of that for false
//   while  condition (one bool); `counts`: steps that compute the condition, steps of the body
//   once   a variable of one byte, 0 until the block has run; `counts`: steps of the block
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class If final : public Step {
 public:
  If(Operand condition, const StepBlock (&blocks)[2])
      : condition_(condition), then_(blocks[0]), else_(blocks[1]) {
    kernel_ = "if";
  }
  void Run(const RunContext& run) const noexcept override {
    const StepBlock& block = *condition_.In<uint8_t>(run) ? then_ : else_;
    RunSteps(run, block.first, block.count);
  }

 private:
  const Operand condition_;
  const StepBlock then_, else_;
};

class While final : public Step {
 public:
  While(Operand condition, const StepBlock (&blocks)[2], size_t place)
      : condition_(condition), ask_(blocks[0]), body_(blocks[1]), place_(place) {
    kernel_ = "while";
  }
  void Run(const RunContext& run) const noexcept override {
    for (;;) {
      if (!RunSteps(run, ask_.first, ask_.count) || !*condition_.In<uint8_t>(run)) return;
      // Counted by itself, so that a loop without steps ends as well.
      if (!run.flow->Next(place_) || !RunSteps(run, body_.first, body_.count)) return;
    }
  }

 private:
  const Operand condition_;
  const StepBlock ask_, body_;
  const size_t place_;
};

class Once final : public Step {
 public:
  Once(Operand done, const StepBlock (&blocks)[1]) : done_(done), block_(blocks[0]) { kernel_ = "once"; }
  void Run(const RunContext& run) const noexcept override {
    uint8_t* const done = done_.Out<uint8_t>(run);
    if (!*done && RunSteps(run, block_.first, block_.count)) *done = 1;
  }

 private:
  const Operand done_;
  const StepBlock block_;
};

// One bool, and as many blocks as the step has.
template <size_t size>
Status OpenFlow(StepArgs& args, StepBlock (&blocks)[size]) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 0));
  const Tensor& condition = args.input(0);
  if (condition.dtype != Dtype::kBool || condition.count() != 1)
    return args.Fail(Code::kTypeMismatch, "takes one bool");
  Span<const int32_t> counts;
  LOWBIT_RETURN_IF_ERROR(args.Ints("counts", size, &counts));
  for (size_t i = 0; i < size; ++i) LOWBIT_RETURN_IF_ERROR(args.Block(counts.data[i], &blocks[i]));
  return Status();
}

}  // namespace

Status LoadIf(StepArgs& args, std::unique_ptr<Step>* step) {
  StepBlock blocks[2];
  LOWBIT_RETURN_IF_ERROR(OpenFlow(args, blocks));
  *step = std::make_unique<If>(args.Bind(args.input(0)), blocks);
  return Status();
}

Status LoadWhile(StepArgs& args, std::unique_ptr<Step>* step) {
  StepBlock blocks[2];
  LOWBIT_RETURN_IF_ERROR(OpenFlow(args, blocks));
  *step = std::make_unique<While>(args.Bind(args.input(0)), blocks, args.index());
  return Status();
}

Status LoadOnce(StepArgs& args, std::unique_ptr<Step>* step) {
  StepBlock blocks[1];
  LOWBIT_RETURN_IF_ERROR(OpenFlow(args, blocks));
  if (!args.input(0).is_state()) return args.Fail(Code::kInvalid, "takes a variable");
  *step = std::make_unique<Once>(args.Bind(args.input(0)), blocks);
  return Status();
}

}  // namespace lowbit::program::steps
