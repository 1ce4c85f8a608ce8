// `softmax`: along the last dimension. Inputs: x. float32: beta (one float), log (1: logarithm of the
// result). int8 and uint8 to int8, uint8 or int16: multiplier and shift, which scale a difference of codes
// to Q5.26. int16 to int16: multiplier, shift, exp_table and inverse_table (513 int32 each, int16 values).
//
// int8 and uint8 with log = 1, to the same type: also reverse_multiplier and reverse_shift (of the scaling's
// inverse).
//
// Source: TFLite kernels/internal/reference/softmax.h, integer_ops/log_softmax.h.
#include <cmath>
#include <limits>

#include "dispatch/rows_f32.h"
#include "program/steps/common.h"
#include "program/steps/fixed_functions.h"

namespace lowbit::program::steps {
namespace {

struct Rows {
  Operand in, out;
  size_t rows, depth;
};

// The difference from the largest code of the row, in [0, 255].
inline int Below(int best, int code) { return static_cast<uint8_t>(best - code); }

// For each difference i from the largest code: minus the scaled difference in Q5.26, and exp of it in Q0.31.
// Beyond the furthest difference that Q5.26 holds exp counts as 0.
struct Differences {
  int furthest;
  int32_t scaled[256] = {}, exponentials[256] = {};

  Differences(int32_t multiplier, int shift) : furthest((31 << 26) >> shift) {
    for (int i = 0; i < 256 && i <= furthest; ++i) {
      scaled[i] = HighMul(-(i << shift), multiplier);
      exponentials[i] = ExpOfNegative(scaled[i]);
    }
  }
};

template <typename T, typename U>
class QuantizedSoftmax final : public Step {
 public:
  QuantizedSoftmax(const Rows& rows, const Differences& differences) : r_(rows) {
    kernel_ = "softmax.q.scalar";
    for (int i = 0; i < 256; ++i) {
      exponentials_[i] = differences.exponentials[i];
      addends_[i] = static_cast<uint32_t>(RoundingDivideByPot(exponentials_[i], 12));  // Q12.19
    }
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = r_.in.In<T>(run);
    U* out = r_.out.Out<U>(run);
    Split(run, r_.rows, 4096 / (r_.depth + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) One(in + row * r_.depth, out + row * r_.depth);
    });
  }

 private:
  void One(const T* in, U* out) const noexcept {
    int best = std::numeric_limits<T>::min();
    for (size_t c = 0; c < r_.depth; ++c) best = std::max<int>(best, in[c]);
    uint32_t sum = 0;
    for (size_t c = 0; c < r_.depth; ++c) sum += addends_[Below(best, in[c])];
    if (sum == 0) sum = 1;  // only after an overflow that the reference does not define
    const int zeros = LeadingZeros(sum);
    const int32_t scale = InverseOfOnePlus(static_cast<int32_t>((sum << zeros) - (1u << 31)));
    // Below 0 only where the sum overflowed.
    const int exponent = Clamp(12 - zeros + 31 - static_cast<int>(8 * sizeof(U)), 0, 31);
    constexpr int kLow = std::numeric_limits<U>::min(), kHigh = std::numeric_limits<U>::max();
    // A long row repeats its differences: one result for each of the 256 is then cheaper.
    if (r_.depth > 256) {
      U results[256];
      for (int i = 0; i < 256; ++i) results[i] = Result(i, scale, exponent, kLow, kHigh);
      for (size_t c = 0; c < r_.depth; ++c) out[c] = results[Below(best, in[c])];
    } else {
      for (size_t c = 0; c < r_.depth; ++c) out[c] = Result(Below(best, in[c]), scale, exponent, kLow, kHigh);
    }
  }
  U Result(int difference, int32_t scale, int exponent, int low, int high) const noexcept {
    const int32_t share = RoundingDivideByPot(HighMul(scale, exponentials_[difference]), exponent);
    return static_cast<U>(Clamp(share, 0, high - low) + low);
  }

  Rows r_;
  int32_t exponentials_[256];
  uint32_t addends_[256];
};

// Results are codes of scale 1/16 with the highest code as zero point.
template <typename T>
class QuantizedLogSoftmax final : public Step {
 public:
  QuantizedLogSoftmax(const Rows& rows, const Differences& differences, int32_t reverse_multiplier,
                      int reverse_shift)
      : r_(rows),
        differences_(differences),
        reverse_multiplier_(reverse_multiplier),
        reverse_shift_(reverse_shift) {
    kernel_ = "log_softmax.q.scalar";
    for (int i = 0; i < 256; ++i)
      addends_[i] = static_cast<uint32_t>(RoundingDivideByPot(differences.exponentials[i], 12));
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = r_.in.In<T>(run);
    T* out = r_.out.Out<T>(run);
    Split(run, r_.rows, 4096 / (r_.depth + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) One(in + row * r_.depth, out + row * r_.depth);
    });
  }

 private:
  void One(const T* in, T* out) const noexcept {
    constexpr int kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
    int best = kLow;
    for (size_t c = 0; c < r_.depth; ++c) best = std::max<int>(best, in[c]);
    uint32_t sum = 0;
    for (size_t c = 0; c < r_.depth; ++c) sum += addends_[Below(best, in[c])];
    if (sum == 0 || sum > INT32_MAX) sum = INT32_MAX;  // the reference does not define these
    const int32_t log_sum = LogOfQ12(static_cast<int32_t>(sum));
    const int32_t lowest = kernels::requantize::MultiplyByQuantizedMultiplier(
        WrappingAdd(log_sum, INT32_MIN), reverse_multiplier_, reverse_shift_);
    const int limit = std::max(-differences_.furthest - 1, lowest);
    for (size_t c = 0; c < r_.depth; ++c) {
      const int difference = Below(best, in[c]);
      const int32_t share =
          RoundingDivideByPot(WrappingAdd(differences_.scaled[difference], -log_sum), 31 - 5 - 4);
      out[c] = static_cast<T>(-difference > limit ? Clamp(WrappingAdd(share, kHigh), kLow, kHigh) : kLow);
    }
  }

  Rows r_;
  Differences differences_;
  int32_t reverse_multiplier_;
  int reverse_shift_;
  uint32_t addends_[256];
};

// Interpolates a table of 513 entries: 9 bits choose, 7 bits mix. TFLite kernels/internal/common.h:
// LUTLookup.
int Lookup(int value, const int16_t* table) {
  const int index = 256 + (value >> 7);
  const int offset = value & 0x7F;
  const int base = table[index];
  return base + (((table[index + 1] - base) * offset + 64) >> 7);
}

class Softmax16 final : public Step {
 public:
  Softmax16(const Rows& rows, int32_t multiplier, int shift, Span<const int32_t> exponentials,
            Span<const int32_t> inverses)
      : r_(rows), multiplier_(multiplier), shift_(shift) {
    kernel_ = "softmax.s16.scalar";
    for (int i = 0; i < 513; ++i) {
      exponentials_[i] = static_cast<int16_t>(exponentials[i]);
      inverses_[i] = static_cast<int16_t>(inverses[i]);
    }
  }
  void Run(const RunContext& run) const noexcept override {
    const int16_t* in = r_.in.In<int16_t>(run);
    int16_t* out = r_.out.Out<int16_t>(run);
    Split(run, r_.rows, 4096 / (r_.depth + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) One(in + row * r_.depth, out + row * r_.depth);
    });
  }

 private:
  int Exponential(int difference) const noexcept {
    const int32_t scaled =
        kernels::requantize::MultiplyByQuantizedMultiplier(difference, multiplier_, shift_);
    return Lookup(Clamp(kernels::requantize::WrappingAdd(scaled, 32767), -32768, 32767), exponentials_);
  }
  void One(const int16_t* in, int16_t* out) const noexcept {
    int best = -32768;
    for (size_t c = 0; c < r_.depth; ++c) best = std::max<int>(best, in[c]);
    uint32_t total = 0;  // Q16.15
    for (size_t c = 0; c < r_.depth; ++c) total += static_cast<uint32_t>(Exponential(in[c] - best));
    if (total == 0 || total > INT32_MAX) total = INT32_MAX;  // the reference does not define these
    const int headroom = LeadingZeros(total);
    const int64_t shifted = ((int64_t{total} << (headroom - 1)) + (1 << 13)) >> 14;
    const int64_t centred = shifted - ((1 << 15) + (1 << 16));
    const int inverse =
        Lookup(static_cast<int>(std::min<int64_t>(std::max<int64_t>(centred, -32768), 32767)), inverses_);
    const int right = 31 - headroom;
    for (size_t c = 0; c < r_.depth; ++c) {
      const int64_t product = int64_t{Exponential(in[c] - best)} * inverse;
      const int64_t rounded = right ? (product + (int64_t{1} << (right - 1))) >> right : product;
      out[c] = static_cast<int16_t>(std::min<int64_t>(std::max<int64_t>(rounded, 0), 32767));
    }
  }

  Rows r_;
  int32_t multiplier_;
  int shift_;
  int16_t exponentials_[513], inverses_[513];
};

class SoftmaxF32 final : public Step {
 public:
  SoftmaxF32(const Rows& rows, float beta, const kernels::rows_f32::Row& row)
      : r_(rows), beta_(beta), softmax_(row.softmax) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const float* in = r_.in.In<float>(run);
    float* out = r_.out.Out<float>(run);
    Split(run, r_.rows, 2048 / (r_.depth + 1), [&](size_t begin, size_t end) {
      softmax_(in + begin * r_.depth, end - begin, r_.depth, beta_, out + begin * r_.depth);
    });
  }

 private:
  Rows r_;
  float beta_;
  kernels::rows_f32::Softmax softmax_;
};

class LogSoftmaxF32 final : public Step {
 public:
  explicit LogSoftmaxF32(const Rows& rows) : r_(rows) { kernel_ = "log_softmax.f32.scalar"; }
  void Run(const RunContext& run) const noexcept override {
    const float* in = r_.in.In<float>(run);
    float* out = r_.out.Out<float>(run);
    Split(run, r_.rows, 2048 / (r_.depth + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) One(in + row * r_.depth, out + row * r_.depth);
    });
  }

 private:
  void One(const float* in, float* out) const noexcept {
    float best = std::numeric_limits<float>::lowest(), sum = 0;
    for (size_t c = 0; c < r_.depth; ++c) best = std::max(best, in[c]);
    for (size_t c = 0; c < r_.depth; ++c) sum += std::exp(in[c] - best);
    const float log_sum = std::log(sum);
    for (size_t c = 0; c < r_.depth; ++c) out[c] = in[c] - best - log_sum;
  }

  Rows r_;
};

template <typename T>
Status LoadBytes(StepArgs& args, const Rows& rows, std::unique_ptr<Step>* step) {
  LOWBIT_STEP_INT(multiplier, 0, INT32_MAX);
  LOWBIT_STEP_INT(shift, 0, 30);
  LOWBIT_STEP_INT(log, 0, 1);
  const Differences differences(multiplier, shift);
  if (log) {
    if (args.output(0).dtype != args.input(0).dtype)
      return args.Fail(Code::kTypeMismatch, "gives what it takes");
    LOWBIT_STEP_INT(reverse_multiplier, 0, INT32_MAX);
    LOWBIT_STEP_INT(reverse_shift, -31, 0);
    *step = std::make_unique<QuantizedLogSoftmax<T>>(rows, differences, reverse_multiplier, reverse_shift);
    return Status();
  }
  switch (args.output(0).dtype) {
    case Dtype::kInt8:
      *step = std::make_unique<QuantizedSoftmax<T, int8_t>>(rows, differences);
      return Status();
    case Dtype::kUint8:
      *step = std::make_unique<QuantizedSoftmax<T, uint8_t>>(rows, differences);
      return Status();
    case Dtype::kInt16:
      *step = std::make_unique<QuantizedSoftmax<T, int16_t>>(rows, differences);
      return Status();
    default:
      return args.Fail(Code::kUnsupported, "gives int8, uint8 and int16 from codes");
  }
}

}  // namespace

Status LoadSoftmax(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.rank < 1 || !SameShape(in, out))
    return args.Fail(Code::kShapeMismatch, "input and output differ in shape");
  const size_t depth = static_cast<size_t>(in.dims[in.rank - 1]);
  const Rows rows{args.Bind(in), args.Bind(out), depth ? in.count() / depth : 0, depth};
  switch (in.dtype) {
    case Dtype::kInt8:
      return LoadBytes<int8_t>(args, rows, step);
    case Dtype::kUint8:
      return LoadBytes<uint8_t>(args, rows, step);
    case Dtype::kInt16: {
      if (out.dtype != Dtype::kInt16) return args.Fail(Code::kTypeMismatch, "int16 gives int16");
      LOWBIT_STEP_INT(multiplier, 0, INT32_MAX);
      LOWBIT_STEP_INT(shift, -31, 30);
      Span<const int32_t> exponentials, inverses;
      LOWBIT_RETURN_IF_ERROR(args.Ints("exp_table", 513, &exponentials));
      LOWBIT_RETURN_IF_ERROR(args.Ints("inverse_table", 513, &inverses));
      *step = std::make_unique<Softmax16>(rows, multiplier, shift, exponentials, inverses);
      return Status();
    }
    case Dtype::kFloat32: {
      if (out.dtype != Dtype::kFloat32) return args.Fail(Code::kTypeMismatch, "float32 gives float32");
      float beta = 1;
      LOWBIT_RETURN_IF_ERROR(args.Float("beta", &beta));
      LOWBIT_STEP_INT(log, 0, 1);
      if (log) {
        *step = std::make_unique<LogSoftmaxF32>(rows);
      } else {
        *step = std::make_unique<SoftmaxF32>(rows, beta, dispatch::rows_f32::Choose(args.isa()));
      }
      return Status();
    }
    default:
      return args.Fail(Code::kUnsupported, "does not take this type");
  }
}

}  // namespace lowbit::program::steps
