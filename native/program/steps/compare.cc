// `compare`: two operands, element by element, with broadcasting; the output is bool. Inputs: a, b of one
// type. Attributes: op (Op below; the logical ones take bool). For codes that stand for numbers also
// zero_points, multipliers and shifts (a, b): both are brought to one fixed-point scale first.
//
// Source: TFLite kernels/comparisons.cc, kernels/internal/reference/comparisons.h (ComparisonWithScaling).
#include "kernels/requantize/signed_shift.h"
#include "program/steps/broadcast.h"

namespace lowbit::program::steps {
namespace {

enum Op { kEqual, kNotEqual, kGreater, kGreaterEqual, kLess, kLessEqual, kAnd, kOr, kOps };

template <int op, typename T>
bool Holds(T a, T b) {
  switch (op) {
    case kEqual:
      return a == b;
    case kNotEqual:
      return a != b;
    case kGreater:
      return a > b;
    case kGreaterEqual:
      return a >= b;
    case kLess:
      return a < b;
    case kLessEqual:
      return a <= b;
    case kAnd:
      return a && b;
    default:
      return a || b;
  }
}

struct Scale {
  int32_t zero_point, multiplier;
  int shift;
};

// 8 bits behind the point. Codes of 16 bits, moved by 8, stay within 2^24.
inline int32_t Number(int32_t code, const Scale& scale) {
  constexpr int kLeft = 8;
  return kernels::requantize::MultiplyByQuantizedMultiplier((code - scale.zero_point) * (1 << kLeft),
                                                            scale.multiplier, scale.shift);
}

using Kernel = void (*)(const void* a, int a_step, const void* b, int b_step, uint8_t* out, size_t count,
                        const Scale* scales);

template <typename T, int op>
void Plain(const void* a, int a_step, const void* b, int b_step, uint8_t* out, size_t count, const Scale*) {
  const T* x = static_cast<const T*>(a);
  const T* y = static_cast<const T*>(b);
  for (size_t i = 0; i < count; ++i) out[i] = Holds<op>(x[i * a_step], y[i * b_step]);
}

template <typename T, int op>
void Scaled(const void* a, int a_step, const void* b, int b_step, uint8_t* out, size_t count,
            const Scale* scales) {
  const T* x = static_cast<const T*>(a);
  const T* y = static_cast<const T*>(b);
  for (size_t i = 0; i < count; ++i)
    out[i] = Holds<op>(Number(x[i * a_step], scales[0]), Number(y[i * b_step], scales[1]));
}

template <template <typename, int> class Family, typename T>
Kernel Choose(int op) {
  static constexpr Kernel kKernels[] = {Family<T, kEqual>::kRun,   Family<T, kNotEqual>::kRun,
                                        Family<T, kGreater>::kRun, Family<T, kGreaterEqual>::kRun,
                                        Family<T, kLess>::kRun,    Family<T, kLessEqual>::kRun};
  return op <= kLessEqual ? kKernels[op] : nullptr;
}

template <typename T, int op>
struct PlainFamily {
  static constexpr Kernel kRun = Plain<T, op>;
};
template <typename T, int op>
struct ScaledFamily {
  static constexpr Kernel kRun = Scaled<T, op>;
};

// Null where the comparison does not take the type.
Kernel ChooseKernel(Dtype dtype, int op, bool scaled) {
  switch (dtype) {
    case Dtype::kBool:
      if (scaled) return nullptr;
      if (op == kAnd) return Plain<uint8_t, kAnd>;
      if (op == kOr) return Plain<uint8_t, kOr>;
      return op <= kNotEqual ? Choose<PlainFamily, uint8_t>(op) : nullptr;
    case Dtype::kInt8:
      return scaled ? Choose<ScaledFamily, int8_t>(op) : Choose<PlainFamily, int8_t>(op);
    case Dtype::kUint8:
      return scaled ? Choose<ScaledFamily, uint8_t>(op) : Choose<PlainFamily, uint8_t>(op);
    case Dtype::kInt16:
      return scaled ? Choose<ScaledFamily, int16_t>(op) : Choose<PlainFamily, int16_t>(op);
    case Dtype::kInt32:
      return scaled ? nullptr : Choose<PlainFamily, int32_t>(op);
    case Dtype::kInt64:
      return scaled ? nullptr : Choose<PlainFamily, int64_t>(op);
    case Dtype::kFloat32:
      return scaled ? nullptr : Choose<PlainFamily, float>(op);
    default:
      return nullptr;
  }
}

class Compare final : public Step {
 public:
  Compare(Kernel kernel, Operand a, Operand b, Operand out, const Broadcast<2>& shape, size_t element,
          const Scale (&scales)[2])
      : run_(kernel),
        a_(a),
        b_(b),
        out_(out),
        shape_(shape),
        element_(element),
        scales_{scales[0], scales[1]} {
    kernel_ = "compare.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* a = a_.In<uint8_t>(run);
    const uint8_t* b = b_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Walk(run, shape_, 16 << 10, [&](const size_t(&from)[2], size_t to, size_t count) {
      run_(a + from[0] * element_, shape_.step[0], b + from[1] * element_, shape_.step[1], out + to, count,
           scales_);
    });
  }

 private:
  Kernel run_;
  Operand a_, b_, out_;
  Broadcast<2> shape_;
  size_t element_;
  Scale scales_[2];
};

}  // namespace

Status LoadCompare(StepArgs& args, std::unique_ptr<Step>* step) {
  Broadcast<2> shape;
  const Dtype dtype = args.has_input(0) ? args.input(0).dtype : Dtype::kInt8;
  LOWBIT_RETURN_IF_ERROR(CheckBinary(args, dtype, &shape));
  if (args.output(0).dtype != Dtype::kBool) return args.Fail(Code::kTypeMismatch, "the output must be bool");
  LOWBIT_STEP_INT(op, 0, kOps - 1);
  const bool scaled = args.has("multipliers");
  const Kernel kernel = ChooseKernel(dtype, op, scaled);
  if (!kernel) return args.Fail(Code::kUnsupported, "this comparison does not take this type");
  Scale scales[2] = {};
  if (scaled) {
    Span<const int32_t> zero_points, multipliers, shifts;
    LOWBIT_RETURN_IF_ERROR(args.Ints("zero_points", 2, &zero_points));
    LOWBIT_RETURN_IF_ERROR(args.Ints("multipliers", 2, &multipliers));
    LOWBIT_RETURN_IF_ERROR(args.Ints("shifts", 2, &shifts));
    for (int i = 0; i < 2; ++i) {
      if (zero_points[i] < -32768 || zero_points[i] > 32767 || multipliers[i] < 0 || shifts[i] < -31 ||
          shifts[i] > 30)
        return args.Fail(Code::kInvalid, "zero point, multiplier or shift out of range");
      scales[i] = {zero_points[i], multipliers[i], shifts[i]};
    }
  }
  *step = std::make_unique<Compare>(kernel, args.Bind(args.input(0)), args.Bind(args.input(1)),
                                    args.Bind(args.output(0)), shape, ElementBytes(dtype), scales);
  return Status();
}

}  // namespace lowbit::program::steps
