// `unary`: functions of numbers, element by element. Inputs: x (float32; abs and negate also int32, int64, sign int32).
// Attributes: op (Function of kernels/map_f32), parameter (one float: the slope of leaky_relu).
#include <type_traits>

#include "dispatch/map_f32.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

// Those from kLogistic on cost much more than memory does.
using kernels::map_f32::Function;

// Integers wrap.
template <typename T, Function function>
void MapIntegers(const void* in, void* out, size_t count) {
  using U = std::make_unsigned_t<T>;
  const T* x = static_cast<const T*>(in);
  for (size_t i = 0; i < count; ++i) {
    if constexpr (function == Function::kSign) {
      static_cast<T*>(out)[i] = x[i] < 0 ? T{-1} : x[i] > 0 ? T{1} : T{0};
      continue;
    }
    const bool turns = function == Function::kNegate || x[i] < 0;
    static_cast<T*>(out)[i] = turns ? static_cast<T>(U{0} - static_cast<U>(x[i])) : x[i];
  }
}

using IntegerKernel = void (*)(const void*, void*, size_t);
struct IntegerRow {
  const char* name;
  Dtype dtype;
  Function function;
  IntegerKernel run;
};
constexpr IntegerRow kIntegers[] = {
    {"abs.s32.scalar", Dtype::kInt32, Function::kAbs, MapIntegers<int32_t, Function::kAbs>},
    {"abs.s64.scalar", Dtype::kInt64, Function::kAbs, MapIntegers<int64_t, Function::kAbs>},
    {"negate.s32.scalar", Dtype::kInt32, Function::kNegate, MapIntegers<int32_t, Function::kNegate>},
    {"negate.s64.scalar", Dtype::kInt64, Function::kNegate, MapIntegers<int64_t, Function::kNegate>},
    {"sign.s32.scalar", Dtype::kInt32, Function::kSign, MapIntegers<int32_t, Function::kSign>},
};

constexpr size_t kCheapGrain = 8 << 10, kCostlyGrain = 2 << 10;

class UnaryIntegers final : public Step {
 public:
  UnaryIntegers(const IntegerRow& row, Operand in, Operand out, size_t count, size_t element)
      : run_(row.run), in_(in), out_(out), count_(count), element_(element) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = in_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Split(run, count_, kCheapGrain, [&](size_t begin, size_t end) {
      run_(in + begin * element_, out + begin * element_, end - begin);
    });
  }

 private:
  IntegerKernel run_;
  Operand in_, out_;
  size_t count_, element_;
};

class Unary final : public Step {
 public:
  Unary(const kernels::map_f32::Row& row, Operand in, Operand out, size_t count, float parameter)
      : row_(row), in_(in), out_(out), count_(count), parameter_(parameter) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* in = in_.In<float>(run);
    float* out = out_.Out<float>(run);
    const size_t grain = kernels::map_f32::IsCostly(row_.function) ? kCostlyGrain : kCheapGrain;
    Split(run, count_, grain,
          [&](size_t begin, size_t end) { row_.run(in + begin, out + begin, end - begin, parameter_); });
  }

 private:
  const kernels::map_f32::Row& row_;
  Operand in_, out_;
  size_t count_;
  float parameter_;
};

}  // namespace

Status LoadUnary(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "input and output differ in type");
  if (in.count() != out.count()) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  LOWBIT_STEP_INT(op, 0, static_cast<int>(Function::kFunctions) - 1);
  const Function function = static_cast<Function>(op);
  const Operand from = args.Bind(in), to = args.Bind(out);
  if (in.dtype == Dtype::kFloat32) {
    float parameter = 0;
    if (args.has("parameter")) LOWBIT_RETURN_IF_ERROR(args.Float("parameter", &parameter));
    *step = std::make_unique<Unary>(dispatch::map_f32::Choose(function, args.isa()), from, to, in.count(),
                                    parameter);
    return Status();
  }
  for (const IntegerRow& row : kIntegers) {
    if (row.dtype != in.dtype || row.function != function) continue;
    *step = std::make_unique<UnaryIntegers>(row, from, to, in.count(), ElementBytes(in.dtype));
    return Status();
  }
  return args.Fail(Code::kTypeMismatch, "this function does not take this type");
}

}  // namespace lowbit::program::steps
