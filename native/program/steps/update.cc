// `update`: one step of an optimiser (kernels/update_f32/contract.h). Inputs: numbers, values, gradients, and the
// method's states; outputs: new values and states. Attributes: method (Method there).
#include "dispatch/update_f32.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

using kernels::update_f32::Method;

class Update final : public Step {
 public:
  Update(StepArgs& args, const kernels::update_f32::Row& row)
      : numbers_(args.Bind(args.input(0))),
        states_(StatesOf(row.method)),
        count_(args.input(1).count()),
        row_(row) {
    for (int i = 0; i < states_ + 2; ++i) in_[i] = args.Bind(args.input(i + 1));
    for (int i = 0; i < states_ + 1; ++i) out_[i] = args.Bind(args.output(i));
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* const numbers = numbers_.In<float>(run);
    const float* in[4] = {};
    float* out[3] = {};
    for (int i = 0; i < states_ + 2; ++i) in[i] = in_[i].In<float>(run);
    for (int i = 0; i < states_ + 1; ++i) out[i] = out_[i].Out<float>(run);
    Split(run, count_, 16 << 10, [&](size_t begin, size_t end) {
      const auto from = [&](const float* p) { return p ? p + begin : nullptr; };
      const auto to = [&](float* p) { return p ? p + begin : nullptr; };
      row_.run({from(in[0]), from(in[1]), from(in[2]), from(in[3]), to(out[0]), to(out[1]), to(out[2])},
               end - begin, numbers);
    });
  }

 private:
  Operand numbers_, in_[4], out_[3];
  int states_;
  size_t count_;
  const kernels::update_f32::Row& row_;
};

}  // namespace

Status LoadUpdate(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_STEP_INT(method, 0, static_cast<int>(Method::kMethods) - 1);
  const kernels::update_f32::Row& row = dispatch::update_f32::Choose(static_cast<Method>(method), args.isa());
  const int states = StatesOf(row.method);
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 3 + states, 1 + states));
  if (args.input(0).dtype != Dtype::kFloat32 ||
      args.input(0).count() != static_cast<size_t>(NumbersOf(row.method)))
    return args.Fail(Code::kShapeMismatch, "the method takes another count of numbers");
  const auto fits = [&](const Tensor& tensor) {
    return tensor.dtype == Dtype::kFloat32 && SameShape(tensor, args.input(1));
  };
  for (int i = 1; i < 3 + states; ++i)
    if (!fits(args.input(i))) return args.Fail(Code::kShapeMismatch, "operands differ in shape or type");
  for (int i = 0; i < 1 + states; ++i)
    if (!fits(args.output(i))) return args.Fail(Code::kShapeMismatch, "operands differ in shape or type");
  *step = std::make_unique<Update>(args, row);
  return Status();
}

}  // namespace lowbit::program::steps
