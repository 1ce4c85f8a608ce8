// `quantized_binary`: two operands of codes, element by element, with broadcasting. Inputs: a, b (int8,
// uint8, int16). Attributes: op (0 add, 1 subtract, 2 multiply, 6 squared difference of int8), zero_points,
// multipliers and shifts (a, b, out), low, high. For multiplication only the last multiplier and shift are
// used.
#include <cmath>
#include <vector>

#include "dispatch/elementwise.h"
#include "dispatch/plane.h"
#include "kernels/plane/find.h"
#include "program/steps/broadcast.h"

namespace lowbit::program::steps {
namespace {

using kernels::elementwise::Kind;
using kernels::elementwise::Params;

enum Op { kAdd = 0, kSub = 1, kMul = 2, kSquaredDifference = 6 };

class QuantizedBinary final : public Step {
 public:
  QuantizedBinary(const kernels::elementwise::Row& row, Operand a, Operand b, Operand out,
                  const Broadcast<2>& shape, const Params& params, size_t element_bytes)
      : run_(row.run),
        a_(a),
        b_(b),
        out_(out),
        shape_(shape),
        repeats_(shape),
        params_(params),
        element_bytes_(element_bytes) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* a = a_.In<uint8_t>(run);
    const uint8_t* b = b_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    if (repeats_.any()) {
      if (element_bytes_ == 1) return RunRepeats(run, a, b, out);
      return RunRepeats(run, a_.In<int16_t>(run), b_.In<int16_t>(run), out_.Out<int16_t>(run));
    }
    Walk(run, shape_, 16 << 10, [&](const size_t(&from)[2], size_t to, size_t count) {
      run_(params_, a + from[0] * element_bytes_, shape_.step[0], b + from[1] * element_bytes_,
           shape_.step[1], out + to * element_bytes_, count);
    });
  }
  uint64_t scratch_bytes(int /*threads*/) const override { return repeats_.scratch_bytes(element_bytes_); }

 private:
  template <typename T>
  void RunRepeats(const RunContext& run, const T* a, const T* b, T* out) const noexcept {
    repeats_.Run(run, a, b, out, reinterpret_cast<T*>(run.scratch), 16 << 10,
                 [&](const T* x, const T* y, T* to, size_t count) { run_(params_, x, 1, y, 1, to, count); });
  }

  kernels::elementwise::Kernel run_;
  Operand a_, b_, out_;
  Broadcast<2> shape_;
  Repeats repeats_;
  Params params_;
  size_t element_bytes_;
};

// Sums of bytes of one shape, where a plane gives the code of every pair.
class PlaneSum final : public Step {
 public:
  PlaneSum(const kernels::plane::Row& row, const kernels::plane::Plane& plane, Operand a, Operand b,
           Operand out, size_t count)
      : run_(row.run), plane_(plane), a_(a), b_(b), out_(out), count_(count) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* a = a_.In<uint8_t>(run);
    const uint8_t* b = b_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Split(run, count_, 16 << 10,
          [&](size_t begin, size_t end) { run_(plane_, a + begin, b + begin, out + begin, end - begin); });
  }

 private:
  kernels::plane::Kernel run_;
  kernels::plane::Plane plane_;
  Operand a_, b_, out_;
  size_t count_;
};

// Tries the exact kernel on all pairs of bytes; false where no plane equals it.
bool FindPlane(const kernels::elementwise::Row& exact, const Params& params, uint8_t flip,
               kernels::plane::Plane* plane) {
  using kernels::plane::kPairs;
  std::vector<uint8_t> a(kPairs), b(kPairs), out(kPairs);
  for (size_t i = 0; i < kPairs; ++i) {
    a[i] = static_cast<uint8_t>(i / 256 + 128) ^ flip;
    b[i] = static_cast<uint8_t>(i % 256 + 128) ^ flip;
  }
  exact.run(params, a.data(), 1, b.data(), 1, out.data(), kPairs);
  std::vector<int8_t> codes(kPairs);
  for (size_t i = 0; i < kPairs; ++i) codes[i] = static_cast<int8_t>(out[i] ^ flip);
  const auto slope = [&](const kernels::elementwise::Factor& f) {
    return std::ldexp(static_cast<double>(f.multiplier) * params.output.multiplier,
                      params.left_shift + f.shift + params.output.shift - 62);
  };
  const int offset = flip ? 128 : 0;
  plane->flip = flip;
  return kernels::plane::Find(slope(params.a), params.b_sign * slope(params.b), codes, params.low - offset,
                              params.high - offset, plane);
}

// Below so many elements the search takes longer than it will ever save.
constexpr size_t kWorthAPlane = 4096;

}  // namespace

Status LoadQuantizedBinary(StepArgs& args, std::unique_ptr<Step>* step) {
  Broadcast<2> shape;
  const Dtype dtype = args.output_count() ? args.output(0).dtype : Dtype::kInt8;
  LOWBIT_RETURN_IF_ERROR(CheckBinary(args, dtype, &shape));
  LOWBIT_STEP_INT(op, 0, kSquaredDifference);
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
    const bool is_wide_sum = kind == Kind::kAddS16 && i < 2;
    if (!zero_fits || multipliers[i] < 0 || shifts[i] < -31 || shifts[i] > (i == 2 ? 30 : 0) ||
        (is_wide_sum && shifts[i] == 0 && multipliers[i] > 1 << 30)) {
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
  const kernels::elementwise::Row& row = dispatch::elementwise::Choose(kind, shifts[2] > 0, args.isa());
  const size_t count = args.output(0).count();
  kernels::plane::Plane plane;
  if ((kind == Kind::kAddS8 || kind == Kind::kAddU8) && args.isa() != cpu::kScalar && count >= kWorthAPlane &&
      SameShape(args.input(0), args.input(1)) &&
      FindPlane(row, params, kind == Kind::kAddU8 ? 0x80 : 0, &plane)) {
    *step = std::make_unique<PlaneSum>(dispatch::plane::Choose(args.isa()), plane, args.Bind(args.input(0)),
                                       args.Bind(args.input(1)), args.Bind(args.output(0)), count);
    return Status();
  }
  *step = std::make_unique<QuantizedBinary>(row, args.Bind(args.input(0)), args.Bind(args.input(1)),
                                            args.Bind(args.output(0)), shape, params, ElementBytes(dtype));
  return Status();
}

}  // namespace lowbit::program::steps
