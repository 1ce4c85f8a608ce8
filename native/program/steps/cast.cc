// `cast`: numbers as another type, element by element. Inputs: x.
//
// Source: TFLite kernels/cast.cc. Integers wrap; floats are cut off towards zero and held to what the integer
// type has, NaN becomes its largest; every number but 0 is true.
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/half.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

// Types of their own, since both are bytes or words of other ones.
struct Bool {
  uint8_t bits;
};
struct Half {
  uint16_t bits;
};

template <typename T>
auto NumberOf(T x) {
  if constexpr (std::is_same_v<T, Bool>) {
    return static_cast<uint8_t>(x.bits != 0);
  } else if constexpr (std::is_same_v<T, Half>) {
    return FloatOfHalf(x.bits);
  } else {
    return x;
  }
}

template <typename To, typename From>
To Convert(From x) {
  if constexpr (std::is_same_v<To, Bool>) {
    return Bool{static_cast<uint8_t>(x != 0)};
  } else if constexpr (std::is_same_v<To, Half>) {
    return Half{HalfOfFloat(static_cast<float>(x))};
  } else if constexpr (std::is_same_v<From, float> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    // The power of two behind the largest number is exact in float, the largest itself may not be.
    constexpr float kBeyond = 2.0f * static_cast<float>(uint64_t{1} << (Limits::digits - 1));
    if (!(x < kBeyond)) return Limits::max();
    return x <= static_cast<float>(Limits::min()) ? Limits::min() : static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

using Kernel = void (*)(const void* in, void* out, size_t count);

template <typename From, typename To>
void Map(const void* in, void* out, size_t count) {
  const From* x = static_cast<const From*>(in);
  for (size_t i = 0; i < count; ++i) static_cast<To*>(out)[i] = Convert<To>(NumberOf(x[i]));
}

// Calls found(a value of the type) for types that this step takes; null for others.
template <typename Found>
Kernel Typed(Dtype dtype, const Found& found) {
  switch (dtype) {
    case Dtype::kBool:
      return found(Bool{});
    case Dtype::kInt8:
      return found(int8_t{});
    case Dtype::kUint8:
      return found(uint8_t{});
    case Dtype::kInt16:
      return found(int16_t{});
    case Dtype::kInt32:
      return found(int32_t{});
    case Dtype::kInt64:
      return found(int64_t{});
    case Dtype::kFloat16:
      return found(Half{});
    case Dtype::kFloat32:
      return found(float{});
    default:
      return nullptr;
  }
}

class Cast final : public Step {
 public:
  Cast(Kernel kernel, Operand in, Operand out, size_t count, size_t from_bytes, size_t to_bytes)
      : run_(kernel), in_(in), out_(out), count_(count), from_bytes_(from_bytes), to_bytes_(to_bytes) {
    kernel_ = "cast.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = in_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Split(run, count_, 32 << 10, [&](size_t begin, size_t end) {
      run_(in + begin * from_bytes_, out + begin * to_bytes_, end - begin);
    });
  }

 private:
  Kernel run_;
  Operand in_, out_;
  size_t count_, from_bytes_, to_bytes_;
};

}  // namespace

Status LoadCast(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.count() != out.count()) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  const Kernel kernel = Typed(in.dtype, [&](auto from) {
    return Typed(out.dtype, [](auto to) -> Kernel { return Map<decltype(from), decltype(to)>; });
  });
  if (!kernel) return args.Fail(Code::kUnsupported, "does not cast these types");
  *step = std::make_unique<Cast>(kernel, args.Bind(in), args.Bind(out), in.count(), ElementBytes(in.dtype),
                                 ElementBytes(out.dtype));
  return Status();
}

}  // namespace lowbit::program::steps
