// `binary`: two operands, element by element, with broadcasting. Inputs: a, b. Attribute op: 0 add, 1
// subtract, 2 multiply, 3 maximum, 4 minimum, 5 divide (float32), 6 squared difference (float32, int32).
// `quantized_binary`: codes of int8, uint8, int16. op 0 to 2, and 6 for int8; zero_points (a, b, out),
// multipliers and shifts (a, b, out), low, high. For multiplication only the last multiplier and shift are
// used.
#include <cstring>

#include "dispatch/elementwise.h"
#include "program/steps/broadcast.h"

namespace lowbit::program::steps {
namespace {

using kernels::elementwise::Kind;
using kernels::elementwise::Params;

// Calls work(a offset, b offset, out offset, count) for pieces of rows; offsets in elements.
template <typename Work>
void Walk(const RunContext& run, const Broadcast& shape, size_t grain, const Work& work) {
  if (shape.rows == 1) {
    Split(run, shape.cols, grain, [&](size_t begin, size_t end) {
      work(begin * shape.a_step, begin * shape.b_step, begin, end - begin);
    });
    return;
  }
  Split(run, shape.rows, grain / (shape.cols + 1), [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      size_t a, b;
      shape.Locate(row, &a, &b);
      work(a, b, row * shape.cols, shape.cols);
    }
  });
}

class QuantizedBinary final : public Step {
 public:
  QuantizedBinary(const kernels::elementwise::Row& row, Operand a, Operand b, Operand out,
                  const Broadcast& shape, const Params& params, size_t element_bytes)
      : run_(row.run),
        a_(a),
        b_(b),
        out_(out),
        shape_(shape),
        params_(params),
        element_bytes_(element_bytes) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* a = a_.In<uint8_t>(run);
    const uint8_t* b = b_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Walk(run, shape_, 16 << 10, [&](size_t at_a, size_t at_b, size_t at, size_t count) {
      run_(params_, a + at_a * element_bytes_, shape_.a_step, b + at_b * element_bytes_, shape_.b_step,
           out + at * element_bytes_, count);
    });
  }

 private:
  kernels::elementwise::Kernel run_;
  Operand a_, b_, out_;
  Broadcast shape_;
  Params params_;
  size_t element_bytes_;
};

enum Op { kAdd, kSub, kMul, kMax, kMin, kDiv, kSquaredDifference };

// Integers wrap as the reference's do.
template <typename T, int op>
inline T Apply(T a, T b) {
  if constexpr (op == kMax) return a > b ? a : b;
  if constexpr (op == kMin) return a < b ? a : b;
  if constexpr (std::is_floating_point_v<T>) {
    if constexpr (op == kAdd) return a + b;
    if constexpr (op == kSub) return a - b;
    if constexpr (op == kMul) return a * b;
    if constexpr (op == kDiv) return a / b;
    if constexpr (op == kSquaredDifference) return (a - b) * (a - b);
  } else {
    using U = std::make_unsigned_t<T>;
    const U x = static_cast<U>(a), y = static_cast<U>(b);
    if constexpr (op == kAdd) return static_cast<T>(x + y);
    if constexpr (op == kSub) return static_cast<T>(x - y);
    if constexpr (op == kMul) return static_cast<T>(x * y);
    if constexpr (op == kSquaredDifference) return static_cast<T>((x - y) * (x - y));
  }
  return a;
}

template <typename T>
struct Clamp {
  T low, high;
};

template <typename T, int op>
void Plain(const void* a, int a_step, const void* b, int b_step, void* out, size_t count, const void* clamp) {
  const T* x = static_cast<const T*>(a);
  const T* y = static_cast<const T*>(b);
  T* to = static_cast<T*>(out);
  const auto [low, high] = *static_cast<const Clamp<T>*>(clamp);
  const auto limit = [low = low, high = high](T v) { return v < low ? low : v > high ? high : v; };
  if (a_step && b_step) {
    for (size_t i = 0; i < count; ++i) to[i] = limit(Apply<T, op>(x[i], y[i]));
  } else if (a_step) {
    const T fixed = *y;
    for (size_t i = 0; i < count; ++i) to[i] = limit(Apply<T, op>(x[i], fixed));
  } else if (b_step) {
    const T fixed = *x;
    for (size_t i = 0; i < count; ++i) to[i] = limit(Apply<T, op>(fixed, y[i]));
  } else {
    const T value = limit(Apply<T, op>(*x, *y));
    for (size_t i = 0; i < count; ++i) to[i] = value;
  }
}

using PlainKernel = void (*)(const void*, int, const void*, int, void*, size_t, const void*);

template <typename T>
PlainKernel ChoosePlain(int op) {
  switch (op) {
    case kAdd:
      return Plain<T, kAdd>;
    case kSub:
      return Plain<T, kSub>;
    case kMul:
      return Plain<T, kMul>;
    case kMax:
      return Plain<T, kMax>;
    case kMin:
      return Plain<T, kMin>;
    case kDiv:
      if constexpr (std::is_floating_point_v<T>) return Plain<T, kDiv>;
      return nullptr;
    default:
      return Plain<T, kSquaredDifference>;
  }
}

class Binary final : public Step {
 public:
  Binary(PlainKernel kernel, const char* name, Operand a, Operand b, Operand out, const Broadcast& shape,
         size_t element_bytes, const void* clamp)
      : run_(kernel), a_(a), b_(b), out_(out), shape_(shape), element_bytes_(element_bytes) {
    std::memcpy(clamp_, clamp, 2 * element_bytes);
    kernel_ = name;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* a = a_.In<uint8_t>(run);
    const uint8_t* b = b_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Walk(run, shape_, 16 << 10, [&](size_t at_a, size_t at_b, size_t at, size_t count) {
      run_(a + at_a * element_bytes_, shape_.a_step, b + at_b * element_bytes_, shape_.b_step,
           out + at * element_bytes_, count, clamp_);
    });
  }

 private:
  PlainKernel run_;
  Operand a_, b_, out_;
  Broadcast shape_;
  size_t element_bytes_;
  alignas(16) uint8_t clamp_[16];
};

Status CheckOperands(StepArgs& args, Broadcast* shape) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Dtype dtype = args.output(0).dtype;
  if (args.input(0).dtype != dtype || args.input(1).dtype != dtype) {
    return args.Fail(Code::kTypeMismatch, "operands differ in type");
  }
  if (!MakeBroadcast(args.input(0), args.input(1), args.output(0), shape)) {
    return args.Fail(Code::kShapeMismatch, "shapes do not broadcast to the output's");
  }
  return Status();
}

}  // namespace

Status LoadQuantizedBinary(StepArgs& args, std::unique_ptr<Step>* step) {
  Broadcast shape;
  LOWBIT_RETURN_IF_ERROR(CheckOperands(args, &shape));
  LOWBIT_STEP_INT(op, kAdd, kSquaredDifference);
  const Dtype dtype = args.output(0).dtype;
  const bool square = op == kSquaredDifference;
  if (op > kMul && !(square && dtype == Dtype::kInt8)) {
    return args.Fail(Code::kUnsupported, "this operation does not take this type");
  }
  Kind kind;
  int lowest = -128, highest = 127;
  switch (dtype) {
    case Dtype::kInt8:
      kind = op == kMul ? Kind::kMulS8 : square ? Kind::kSquaredDifferenceS8 : Kind::kAddS8;
      break;
    case Dtype::kUint8:
      kind = op == kMul ? Kind::kMulU8 : Kind::kAddU8;
      lowest = 0;
      highest = 255;
      break;
    case Dtype::kInt16:
      kind = op == kMul ? Kind::kMulS16 : Kind::kAddS16;
      lowest = -32768;
      highest = 32767;
      break;
    default:
      return args.Fail(Code::kUnsupported, "takes int8, uint8 and int16");
  }
  Span<const int32_t> zero_points, multipliers, shifts;
  LOWBIT_RETURN_IF_ERROR(args.Ints("zero_points", 3, &zero_points));
  LOWBIT_RETURN_IF_ERROR(args.Ints("multipliers", 3, &multipliers));
  LOWBIT_RETURN_IF_ERROR(args.Ints("shifts", 3, &shifts));
  for (int i = 0; i < 3; ++i) {
    const bool zero_fits =
        dtype == Dtype::kInt16 ? zero_points[i] == 0 : zero_points[i] >= lowest && zero_points[i] <= highest;
    if (!zero_fits || multipliers[i] < 0 || shifts[i] < -31 || shifts[i] > (i == 2 ? 30 : 0)) {
      return args.Fail(Code::kInvalid, "zero point, multiplier or shift out of range");
    }
  }
  LOWBIT_STEP_INT(low, lowest, highest);
  LOWBIT_STEP_INT(high, low, highest);
  Params params{};
  params.left_shift = square ? 7 : dtype == Dtype::kInt16 ? 15 : 20;
  params.a_zero = zero_points[0];
  params.b_zero = zero_points[1];
  params.zero_point = zero_points[2];
  params.a = {multipliers[0], shifts[0]};
  params.b = {multipliers[1], shifts[1]};
  params.output = {multipliers[2], shifts[2]};
  params.b_sign = op == kSub ? -1 : 1;
  params.low = low;
  params.high = high;
  *step = std::make_unique<QuantizedBinary>(dispatch::elementwise::Choose(kind, shifts[2] > 0, args.isa()),
                                            args.Bind(args.input(0)), args.Bind(args.input(1)),
                                            args.Bind(args.output(0)), shape, params, ElementBytes(dtype));
  return Status();
}

Status LoadBinary(StepArgs& args, std::unique_ptr<Step>* step) {
  Broadcast shape;
  LOWBIT_RETURN_IF_ERROR(CheckOperands(args, &shape));
  LOWBIT_STEP_INT(op, kAdd, kSquaredDifference);
  alignas(16) uint8_t clamp[16];
  const auto keep = [&](const auto& range) { std::memcpy(clamp, &range, sizeof range); };
  PlainKernel kernel = nullptr;
  const char* name = "";
  const Dtype dtype = args.output(0).dtype;
  switch (dtype) {
    case Dtype::kFloat32: {
      Span<const float> range;
      LOWBIT_RETURN_IF_ERROR(args.Floats("clamp", 2, &range));
      keep(Clamp<float>{range[0], range[1]});
      kernel = ChoosePlain<float>(op);
      name = "binary.f32.scalar";
      break;
    }
    case Dtype::kInt32: {
      Span<const int32_t> range;
      LOWBIT_RETURN_IF_ERROR(args.Ints("clamp", 2, &range));
      keep(Clamp<int32_t>{range[0], range[1]});
      kernel = ChoosePlain<int32_t>(op);
      name = "binary.s32.scalar";
      break;
    }
    case Dtype::kInt64:
      keep(Clamp<int64_t>{INT64_MIN, INT64_MAX});
      kernel = ChoosePlain<int64_t>(op);
      name = "binary.s64.scalar";
      break;
    case Dtype::kInt8:
      keep(Clamp<int8_t>{-128, 127});
      kernel = op == kMax ? Plain<int8_t, kMax> : op == kMin ? Plain<int8_t, kMin> : nullptr;
      name = "binary.s8.scalar";
      break;
    case Dtype::kUint8:
      keep(Clamp<uint8_t>{0, 255});
      kernel = op == kMax ? Plain<uint8_t, kMax> : op == kMin ? Plain<uint8_t, kMin> : nullptr;
      name = "binary.u8.scalar";
      break;
    case Dtype::kInt16:
      keep(Clamp<int16_t>{-32768, 32767});
      kernel = op == kMax ? Plain<int16_t, kMax> : op == kMin ? Plain<int16_t, kMin> : nullptr;
      name = "binary.s16.scalar";
      break;
    default:
      break;
  }
  if (!kernel) return args.Fail(Code::kUnsupported, "this operation does not take this type");
  *step = std::make_unique<Binary>(kernel, name, args.Bind(args.input(0)), args.Bind(args.input(1)),
                                   args.Bind(args.output(0)), shape, ElementBytes(dtype), clamp);
  return Status();
}

}  // namespace lowbit::program::steps
