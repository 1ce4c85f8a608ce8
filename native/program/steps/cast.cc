// `cast`: numbers of one type as numbers of another. Inputs: x. Integers wrap to narrower ones; reals are cut
// off towards zero and clamped to the integer's range, NaN is its highest; everything but 0 is true. float16
// only as the source. `unpack4`: int4 (two an element byte, the first in the low half) as int8.
//
// Source: TFLite kernels/cast.cc.
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

struct Bool {
  uint8_t value;
};
struct Half {
  uint16_t bits;
};

// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. Subnormals are fraction * 2^-24.
float Real(Half x) {
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000) << 16;
  const uint32_t exponent = (x.bits >> 10) & 31, fraction = x.bits & 1023;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  const uint32_t bits = sign | (exponent == 31 ? 255u << 23 : (exponent + 112) << 23) | fraction << 13;
  float y;
  std::memcpy(&y, &bits, sizeof y);
  return y;
}

template <typename To, typename From>
To Convert(From x) {
  if constexpr (std::is_same_v<From, Half>) {
    return Convert<To>(Real(x));
  } else if constexpr (std::is_same_v<From, Bool>) {
    return Convert<To>(static_cast<int32_t>(x.value != 0));
  } else if constexpr (std::is_same_v<To, Bool>) {
    return Bool{static_cast<uint8_t>(x != 0)};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    if (std::isnan(x)) return Limits::max();
    // 2^digits is the first number above the range, and exact in float.
    if (x >= static_cast<From>(uint64_t{1} << Limits::digits)) return Limits::max();
    if (x <= static_cast<From>(Limits::min())) return Limits::min();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

template <typename From, typename To>
void CastAll(const void* in, void* out, size_t count) {
  const From* x = static_cast<const From*>(in);
  To* y = static_cast<To*>(out);
  for (size_t i = 0; i < count; ++i) y[i] = Convert<To>(x[i]);
}

using Kernel = void (*)(const void*, void*, size_t);

template <typename From>
Kernel ChooseTo(Dtype to) {
  switch (to) {
    case Dtype::kBool:
      return CastAll<From, Bool>;
    case Dtype::kInt8:
      return CastAll<From, int8_t>;
    case Dtype::kUint8:
      return CastAll<From, uint8_t>;
    case Dtype::kInt16:
      return CastAll<From, int16_t>;
    case Dtype::kInt32:
      return CastAll<From, int32_t>;
    case Dtype::kInt64:
      return CastAll<From, int64_t>;
    case Dtype::kFloat32:
      return CastAll<From, float>;
    default:
      return nullptr;
  }
}

Kernel Choose(Dtype from, Dtype to) {
  switch (from) {
    case Dtype::kBool:
      return ChooseTo<Bool>(to);
    case Dtype::kInt8:
      return ChooseTo<int8_t>(to);
    case Dtype::kUint8:
      return ChooseTo<uint8_t>(to);
    case Dtype::kInt16:
      return ChooseTo<int16_t>(to);
    case Dtype::kInt32:
      return ChooseTo<int32_t>(to);
    case Dtype::kInt64:
      return ChooseTo<int64_t>(to);
    case Dtype::kFloat16:
      return ChooseTo<Half>(to);
    case Dtype::kFloat32:
      return ChooseTo<float>(to);
    default:
      return nullptr;
  }
}

class Cast final : public Step {
 public:
  Cast(Kernel kernel, Operand in, Operand out, size_t count, size_t in_bytes, size_t out_bytes)
      : run_(kernel), in_(in), out_(out), count_(count), in_bytes_(in_bytes), out_bytes_(out_bytes) {
    kernel_ = "cast.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = in_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Split(run, count_, 32 << 10, [&](size_t begin, size_t end) {
      run_(in + begin * in_bytes_, out + begin * out_bytes_, end - begin);
    });
  }

 private:
  Kernel run_;
  Operand in_, out_;
  size_t count_, in_bytes_, out_bytes_;
};

class Unpack4 final : public Step {
 public:
  Unpack4(Operand in, Operand out, size_t count) : in_(in), out_(out), count_(count) {
    kernel_ = "unpack4.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = in_.In<uint8_t>(run);
    int8_t* out = out_.Out<int8_t>(run);
    for (size_t i = 0; i < count_; ++i) {
      const int nibble = i % 2 ? in[i / 2] >> 4 : in[i / 2] & 15;
      out[i] = static_cast<int8_t>((nibble ^ 8) - 8);
    }
  }

 private:
  Operand in_, out_;
  size_t count_;
};

}  // namespace

Status LoadCast(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.count() != out.count()) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  const Kernel kernel = Choose(in.dtype, out.dtype);
  if (!kernel) return args.Fail(Code::kUnsupported, "does not cast between these types");
  *step = std::make_unique<Cast>(kernel, args.Bind(in), args.Bind(out), in.count(), ElementBytes(in.dtype),
                                 ElementBytes(out.dtype));
  return Status();
}

Status LoadUnpack4(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != Dtype::kInt4 || out.dtype != Dtype::kInt8)
    return args.Fail(Code::kTypeMismatch, "int4 to int8");
  if (in.count() != out.count() || in.bytes != (in.count() + 1) / 2) {
    return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  }
  *step = std::make_unique<Unpack4>(args.Bind(in), args.Bind(out), in.count());
  return Status();
}

}  // namespace lowbit::program::steps
