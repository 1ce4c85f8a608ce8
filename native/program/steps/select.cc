// `select`: elements of x where a condition holds, of y elsewhere, with broadcasting. Inputs: condition
// (bool), x, y and the output of one type.
#include "program/steps/broadcast.h"

namespace lowbit::program::steps {
namespace {

template <typename T>
class Select final : public Step {
 public:
  Select(Operand condition, Operand x, Operand y, Operand out, const Broadcast<3>& shape)
      : condition_(condition), x_(x), y_(y), out_(out), shape_(shape) {
    kernel_ = "select.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* conditions = condition_.In<uint8_t>(run);
    const T* xs = x_.In<T>(run);
    const T* ys = y_.In<T>(run);
    T* outs = out_.Out<T>(run);
    const auto& step = shape_.step;
    Walk(run, shape_, 16 << 10, [&](const size_t(&from)[3], size_t to, size_t count) {
      const uint8_t* condition = conditions + from[0];
      const T* x = xs + from[1];
      const T* y = ys + from[2];
      T* out = outs + to;
      for (size_t i = 0; i < count; ++i) out[i] = condition[i * step[0]] ? x[i * step[1]] : y[i * step[2]];
    });
  }

 private:
  Operand condition_, x_, y_, out_;
  Broadcast<3> shape_;
};

}  // namespace

Status LoadSelect(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 3, 1));
  const Tensor& out = args.output(0);
  if (args.input(0).dtype != Dtype::kBool || args.input(1).dtype != out.dtype ||
      args.input(2).dtype != out.dtype)
    return args.Fail(Code::kTypeMismatch, "takes a bool, and two operands of the output's type");
  Broadcast<3> shape;
  if (!MakeBroadcast<3>({&args.input(0), &args.input(1), &args.input(2)}, out, &shape))
    return args.Fail(Code::kShapeMismatch, "shapes do not broadcast to the output's");
  const auto make = [&](auto sample) {
    *step = std::make_unique<Select<decltype(sample)>>(args.Bind(args.input(0)), args.Bind(args.input(1)),
                                                       args.Bind(args.input(2)), args.Bind(out), shape);
    return Status();
  };
  switch (ElementBytes(out.dtype)) {
    case 1:
      return make(uint8_t{});
    case 2:
      return make(uint16_t{});
    case 4:
      return make(uint32_t{});
    case 8:
      return make(uint64_t{});
    default:
      return args.Fail(Code::kUnsupported, "elements that share bytes");
  }
}

}  // namespace lowbit::program::steps
