// `binary`: two operands, element by element, with broadcasting. Inputs: a, b (float32, int32, int64; some
// also int8, uint8, int16, uint16, uint32). Attributes: op (Op below), clamp (two numbers of the type, for float32 and
// int32).
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "dispatch/pair_f32.h"
#include "program/steps/broadcast.h"

namespace lowbit::program::steps {
namespace {

enum Op {
  kAdd,
  kSub,
  kMul,
  kMax,
  kMin,
  kDiv,
  kSquaredDifference,
  kPow,
  kFloorDiv,
  kFloorMod,
  kPrelu,
  kAtan2,
  kXor,
  kRightShift,
  kMaxOrNan,
  kMinOrNan,
  kOps
};

// The operations on float32 that kernels/pair_f32 has; false for others.
bool RealOperation(int op, kernels::pair_f32::Operation* operation) {
  using kernels::pair_f32::Operation;
  switch (op) {
    case kAdd:
      *operation = Operation::kAdd;
      return true;
    case kSub:
      *operation = Operation::kSub;
      return true;
    case kMul:
      *operation = Operation::kMul;
      return true;
    case kMax:
      *operation = Operation::kMaximum;
      return true;
    case kMin:
      *operation = Operation::kMinimum;
      return true;
    case kDiv:
      *operation = Operation::kDiv;
      return true;
    case kSquaredDifference:
      *operation = Operation::kSquaredDifference;
      return true;
    case kMaxOrNan:
      *operation = Operation::kMaximumOrNan;
      return true;
    case kMinOrNan:
      *operation = Operation::kMinimumOrNan;
      return true;
    case kPrelu:
      *operation = Operation::kPrelu;
      return true;
    default:
      return false;
  }
}

// Run has looked that no divisor is 0 and no exponent negative. Integers look again: a wrong program may let
// the output overlap the divisors. Source: TFLite kernels/internal/reference/floor_div.h, floor_mod.h;
// overflows wrap.
template <typename T>
T FloorDiv(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(std::floor(static_cast<double>(a) / static_cast<double>(b)));
  } else {
    if (b == 0) return 0;
    const int64_t x = a, y = b;
    if (y == -1)
      return static_cast<T>(uint64_t{0} - static_cast<uint64_t>(x));  // wraps for the lowest number
    const int64_t quotient = x / y;
    return static_cast<T>(quotient - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0));
  }
}

template <typename T>
T FloorMod(T a, T b) {
  T rest;
  if constexpr (std::is_floating_point_v<T>) {
    rest = std::fmod(a, b);
  } else {
    if (b == 0) return 0;
    rest = b == -1 ? T{0} : static_cast<T>(a % b);  // the lowest number by -1 is no quotient
  }
  return rest != 0 && (b < 0) != (rest < 0) ? static_cast<T>(rest + b) : rest;
}

template <typename T>
T Power(T base, T exponent) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::pow(base, exponent);
  } else {
    uint32_t result = 1, factor = static_cast<uint32_t>(base);
    for (uint32_t rest = static_cast<uint32_t>(exponent); rest; rest >>= 1, factor *= factor) {
      if (rest & 1) result *= factor;
    }
    return static_cast<T>(result);
  }
}

// By at most all bits but the sign. Source: LiteRT kernels/right_shift.cc.
template <typename T>
T RightShift(T a, T b) {
  const T most = static_cast<T>(sizeof(T) * 8 - 1);
  return static_cast<T>(a >> (b < 0 ? T{0} : b > most ? most : b));
}

// Integers wrap as the reference's do.
template <typename T, int op>
inline T Apply(T a, T b) {
  if constexpr (op == kMax) return a > b ? a : b;
  if constexpr (op == kMin) return a < b ? a : b;
  if constexpr (op == kPow) return Power(a, b);
  if constexpr (op == kFloorDiv) return FloorDiv(a, b);
  if constexpr (op == kFloorMod) return FloorMod(a, b);
  if constexpr (op == kAtan2) return std::atan2(a, b);
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    const U x = static_cast<U>(a), y = static_cast<U>(b);
    if constexpr (op == kAdd) return static_cast<T>(x + y);
    if constexpr (op == kSub) return static_cast<T>(x - y);
    if constexpr (op == kMul) return static_cast<T>(x * y);
    if constexpr (op == kXor) return static_cast<T>(x ^ y);
    if constexpr (op == kRightShift) return RightShift(a, b);
    if constexpr (op == kSquaredDifference) return static_cast<T>((x - y) * (x - y));
    if constexpr (op == kDiv)
      return b == 0 ? T{0} : b == -1 ? static_cast<T>(U{0} - x) : static_cast<T>(a / b);
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

// Null where the operation does not take the type, or float32 has a kernel of its own (kernels/pair_f32). Small
// codes are compared and divided as they are.
template <typename T>
PlainKernel ChoosePlain(int op) {
  if (op == kFloorDiv) return Plain<T, kFloorDiv>;
  if (op == kFloorMod) return Plain<T, kFloorMod>;
  if constexpr (sizeof(T) == 4) {
    if (op == kPow) return Plain<T, kPow>;
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (op == kAtan2) return Plain<T, kAtan2>;
  } else {
    if (op == kXor) return Plain<T, kXor>;
    if (op == kRightShift) return Plain<T, kRightShift>;
    if (op == kMax) return Plain<T, kMax>;
    if (op == kMin) return Plain<T, kMin>;
    if constexpr (sizeof(T) >= 4) {
      if (op == kAdd) return Plain<T, kAdd>;
      if (op == kSub) return Plain<T, kSub>;
      if (op == kMul) return Plain<T, kMul>;
      if (op == kDiv) return Plain<T, kDiv>;
      if (op == kSquaredDifference) return Plain<T, kSquaredDifference>;
    }
  }
  return nullptr;
}

// Tells the run when an operand b has no result; looks at all of b.
using Check = bool (*)(const RunContext& run, const void* b, size_t count);

template <typename T>
bool NoZero(const RunContext& run, const void* b, size_t count) {
  const T* x = static_cast<const T*>(b);
  if (std::none_of(x, x + count, [](T v) { return v == 0; })) return true;
  run.Fail("a division by zero");
  return false;
}

template <typename T>
bool NoNegative(const RunContext& run, const void* b, size_t count) {
  const T* x = static_cast<const T*>(b);
  if (std::none_of(x, x + count, [](T v) { return v < 0; })) return true;
  run.Fail("a negative power of an integer");
  return false;
}

// As the reference: FLOOR_DIV refuses zeros of float32 too; DIV and FLOOR_MOD give infinities and NaN there.
template <typename T>
Check ChooseCheck(int op) {
  const bool divides = op == kFloorDiv || (!std::is_floating_point_v<T> && (op == kDiv || op == kFloorMod));
  if (divides) return NoZero<T>;
  if (op == kPow && !std::is_floating_point_v<T>) return NoNegative<T>;
  return nullptr;
}

class Binary final : public Step {
 public:
  Binary(PlainKernel kernel, Check check, const char* name, Operand a, Operand b, Operand out,
         const Broadcast<2>& shape, size_t b_count, size_t element_bytes, const void* clamp)
      : run_(kernel),
        check_(check),
        a_(a),
        b_(b),
        out_(out),
        shape_(shape),
        b_count_(b_count),
        element_bytes_(element_bytes) {
    std::memcpy(clamp_, clamp, 2 * element_bytes);
    kernel_ = name;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* a = a_.In<uint8_t>(run);
    const uint8_t* b = b_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    if (check_ && !check_(run, b, b_count_)) return;
    Walk(run, shape_, 8 << 10, [&](const size_t(&from)[2], size_t to, size_t count) {
      run_(a + from[0] * element_bytes_, shape_.step[0], b + from[1] * element_bytes_, shape_.step[1],
           out + to * element_bytes_, count, clamp_);
    });
  }

 private:
  PlainKernel run_;
  Check check_;
  Operand a_, b_, out_;
  Broadcast<2> shape_;
  size_t b_count_;
  size_t element_bytes_;
  alignas(16) uint8_t clamp_[16];
};

class RealBinary final : public Step {
 public:
  RealBinary(const kernels::pair_f32::Row& row, Operand a, Operand b, Operand out, const Broadcast<2>& shape,
             Span<const float> clamp)
      : run_(row.run),
        a_(a),
        b_(b),
        out_(out),
        shape_(shape),
        repeats_(shape),
        low_(clamp[0]),
        high_(clamp[1]) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* a = a_.In<float>(run);
    const float* b = b_.In<float>(run);
    float* out = out_.Out<float>(run);
    if (repeats_.any()) {
      return repeats_.Run(run, a, b, out, reinterpret_cast<float*>(run.scratch), 8 << 10,
                          [&](const float* x, const float* y, float* to, size_t count) {
                            run_(x, 1, y, 1, to, count, low_, high_);
                          });
    }
    Walk(run, shape_, 8 << 10, [&](const size_t(&from)[2], size_t to, size_t count) {
      run_(a + from[0], shape_.step[0], b + from[1], shape_.step[1], out + to, count, low_, high_);
    });
  }
  uint64_t scratch_bytes(int /*threads*/) const override { return repeats_.scratch_bytes(sizeof(float)); }

 private:
  kernels::pair_f32::Kernel run_;
  Operand a_, b_, out_;
  Broadcast<2> shape_;
  Repeats repeats_;
  float low_, high_;
};

}  // namespace

Status LoadBinary(StepArgs& args, std::unique_ptr<Step>* step) {
  Broadcast<2> shape;
  const Dtype dtype = args.output_count() ? args.output(0).dtype : Dtype::kInt8;
  LOWBIT_RETURN_IF_ERROR(CheckBinary(args, dtype, &shape));
  LOWBIT_STEP_INT(op, 0, kOps - 1);
  alignas(16) uint8_t clamp[16];
  PlainKernel kernel = nullptr;
  Check check = nullptr;
  const char* name = "";
  // Types without the attribute are clamped to all that they hold.
  const auto choose = [&](auto low, auto high, const char* kernel_name) {
    using T = decltype(low);
    const Clamp<T> range{low, high};
    std::memcpy(clamp, &range, sizeof range);
    kernel = ChoosePlain<T>(op);
    check = ChooseCheck<T>(op);
    name = kernel_name;
  };
  switch (dtype) {
    case Dtype::kFloat32: {
      Span<const float> range;
      LOWBIT_RETURN_IF_ERROR(args.Floats("clamp", 2, &range));
      kernels::pair_f32::Operation operation;
      if (RealOperation(op, &operation)) {
        *step = std::make_unique<RealBinary>(dispatch::pair_f32::Choose(operation, args.isa()),
                                             args.Bind(args.input(0)), args.Bind(args.input(1)),
                                             args.Bind(args.output(0)), shape, range);
        return Status();
      }
      choose(range[0], range[1], "binary.f32.scalar");
      break;
    }
    case Dtype::kInt32: {
      Span<const int32_t> range;
      LOWBIT_RETURN_IF_ERROR(args.Ints("clamp", 2, &range));
      choose(range[0], range[1], "binary.s32.scalar");
      break;
    }
    case Dtype::kInt64:
      choose(int64_t{INT64_MIN}, int64_t{INT64_MAX}, "binary.s64.scalar");
      break;
    case Dtype::kInt8:
      choose(int8_t{-128}, int8_t{127}, "binary.s8.scalar");
      break;
    case Dtype::kUint8:
      choose(uint8_t{0}, uint8_t{255}, "binary.u8.scalar");
      break;
    case Dtype::kInt16:
      choose(int16_t{-32768}, int16_t{32767}, "binary.s16.scalar");
      break;
    case Dtype::kUint16:
      choose(uint16_t{0}, uint16_t{65535}, "binary.u16.scalar");
      break;
    case Dtype::kUint32:
      choose(uint32_t{0}, uint32_t{UINT32_MAX}, "binary.u32.scalar");
      break;
    default:
      break;
  }
  if (!kernel) return args.Fail(Code::kUnsupported, "this operation does not take this type");
  *step = std::make_unique<Binary>(kernel, check, name, args.Bind(args.input(0)), args.Bind(args.input(1)),
                                   args.Bind(args.output(0)), shape, args.input(1).count(),
                                   ElementBytes(dtype), clamp);
  return Status();
}

}  // namespace lowbit::program::steps
