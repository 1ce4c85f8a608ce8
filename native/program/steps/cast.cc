// `cast`: numbers of one type as numbers of another. Inputs: x. Integers wrap to narrower ones; reals are cut
// off towards zero and clamped to the integer's range, NaN is its highest; everything but 0 is true; of
// complex numbers the real part counts. float16 and bfloat16 are rounded from float32, to nearest, halves to
// even. int4 and int2 (several an element byte, the first in the lowest bits) only to and from float32.
// `unpack4`: int4 as int8.
//
// Source: LiteRT kernels/cast.cc.
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "program/steps/common.h"
#include "program/steps/dtypes.h"

namespace lowbit::program::steps {
namespace {

uint32_t BitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
float FloatOf(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// Subnormals are fraction * 2^-24.
float Real(Half x) {
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000) << 16;
  const uint32_t exponent = (x.bits >> 10) & 31, fraction = x.bits & 1023;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return FloatOf(sign | (exponent == 31 ? 255u << 23 : (exponent + 112) << 23) | fraction << 13);
}
float Real(Bfloat x) { return FloatOf(uint32_t{x.bits} << 16); }
float Real(Complex x) { return x.real; }

// The upper bits of `bits`, without the lowest `drop`: to nearest, halves to even.
uint32_t RoundedOff(uint32_t bits, int drop) {
  return (bits + (1u << (drop - 1)) - 1 + ((bits >> drop) & 1)) >> drop;
}

Half HalfOf(float x) {
  const uint32_t sign = (BitsOf(x) >> 16) & 0x8000, magnitude = BitsOf(x) & 0x7fffffff;
  uint32_t bits;
  if (magnitude > 255u << 23) {
    bits = 0x7e00;  // NaN
  } else if (magnitude >= 143u << 23) {
    bits = 0x7c00;  // 2^16 and more
  } else if (magnitude >= 113u << 23) {
    bits = RoundedOff(magnitude - (112u << 23), 13);  // may carry to infinity
  } else {
    // Below 2^-14: in a float near 1/2 the last bit is worth 2^-24.
    bits = BitsOf(FloatOf(magnitude) + 0.5f) - BitsOf(0.5f);
  }
  return Half{static_cast<uint16_t>(sign | bits)};
}

Bfloat BfloatOf(float x) {
  if (std::isnan(x)) return Bfloat{static_cast<uint16_t>(std::signbit(x) ? 0xffc0 : 0x7fc0)};
  return Bfloat{static_cast<uint16_t>(RoundedOff(BitsOf(x), 16))};
}

template <typename T>
constexpr bool kHasReal = std::is_same_v<T, Half> || std::is_same_v<T, Bfloat> || std::is_same_v<T, Complex>;

template <typename To, typename From>
To Convert(From x) {
  if constexpr (std::is_same_v<From, To> && !std::is_same_v<From, Bool>) {
    return x;
  } else if constexpr (kHasReal<From>) {
    return Convert<To>(Real(x));
  } else if constexpr (std::is_same_v<From, Bool>) {
    return Convert<To>(static_cast<int32_t>(x.value != 0));
  } else if constexpr (std::is_same_v<To, Bool>) {
    return Bool{static_cast<uint8_t>(x != 0)};
  } else if constexpr (std::is_same_v<To, Half>) {
    return HalfOf(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, Bfloat>) {
    return BfloatOf(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, Complex>) {
    return Complex{static_cast<float>(x), 0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    if (std::isnan(x)) return Limits::max();
    // 2^digits is the first number above the range, and exact.
    if (x >= static_cast<From>(uint64_t{1} << Limits::digits)) return Limits::max();
    if (x <= static_cast<From>(Limits::min())) return Limits::min();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

// The elements of `in` and `out` from `begin` to `end`.
using Kernel = void (*)(const void*, void*, size_t begin, size_t end);

template <typename From, typename To>
void CastAll(const void* in, void* out, size_t begin, size_t end) {
  const From* x = static_cast<const From*>(in);
  To* y = static_cast<To*>(out);
  for (size_t i = begin; i < end; ++i) y[i] = Convert<To>(x[i]);
}

// `begin` at the start of a byte of `packed`, as `end` is or the end of all.
template <int kBits, typename To>
void Unpack(const void* packed, void* out, size_t begin, size_t end) {
  const uint8_t* x = static_cast<const uint8_t*>(packed);
  To* y = static_cast<To*>(out);
  constexpr int kSign = 1 << (kBits - 1);
  for (size_t i = begin; i < end; ++i) {
    const int code = (x[i * kBits / 8] >> (i * kBits % 8)) & (2 * kSign - 1);
    y[i] = static_cast<To>((code ^ kSign) - kSign);
  }
}

template <int kBits>
void Pack(const void* in, void* packed, size_t begin, size_t end) {
  const float* x = static_cast<const float*>(in);
  uint8_t* y = static_cast<uint8_t*>(packed);
  constexpr int kHighest = (1 << (kBits - 1)) - 1;
  for (size_t i = begin; i < end; ++i) {
    const int code = std::max(-kHighest - 1, std::min(kHighest, Convert<int32_t>(x[i])));
    const size_t at = i * kBits % 8;
    uint8_t& byte = y[i * kBits / 8];
    byte = static_cast<uint8_t>((at ? byte : 0) | (code & (2 * kHighest + 1)) << at);
  }
}

template <typename Visit>
bool VisitNumber(Dtype dtype, const Visit& visit) {
  return VisitDtype<Bool, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, Half, Bfloat, float,
                    double, Complex>(dtype, visit);
}

// Null for types that are not cast.
Kernel Choose(Dtype from, Dtype to) {
  if (to == Dtype::kFloat32) {
    if (from == Dtype::kInt4) return Unpack<4, float>;
    if (from == Dtype::kInt2) return Unpack<2, float>;
  }
  if (from == Dtype::kFloat32) {
    if (to == Dtype::kInt4) return Pack<4>;
    if (to == Dtype::kInt2) return Pack<2>;
  }
  Kernel kernel = nullptr;
  VisitNumber(from,
              [&](auto x) { VisitNumber(to, [&](auto y) { kernel = CastAll<decltype(x), decltype(y)>; }); });
  return kernel;
}

class Cast final : public Step {
 public:
  Cast(Kernel kernel, const char* name, Operand in, Operand out, size_t count)
      : run_(kernel), in_(in), out_(out), count_(count) {
    kernel_ = name;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = in_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    // Whole bytes to each, where elements share them.
    Split(run, (count_ + 7) / 8, 4 << 10,
          [&](size_t begin, size_t end) { run_(in, out, begin * 8, std::min(count_, end * 8)); });
  }

 private:
  Kernel run_;
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
  *step = std::make_unique<Cast>(kernel, "cast.scalar", args.Bind(in), args.Bind(out), in.count());
  return Status();
}

Status LoadUnpack4(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != Dtype::kInt4 || out.dtype != Dtype::kInt8)
    return args.Fail(Code::kTypeMismatch, "int4 to int8");
  if (in.count() != out.count()) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  *step =
      std::make_unique<Cast>(Unpack<4, int8_t>, "unpack4.scalar", args.Bind(in), args.Bind(out), in.count());
  return Status();
}

}  // namespace lowbit::program::steps
