#include "program/steps/factors.h"

#include <cmath>
#include <string>

namespace lowbit::program::steps {
namespace {

struct Scales {
  double input, output;
  Span<const float> weights;
  bool narrow;
  double Factor(size_t channel) const {
    const double product = input * static_cast<double>(weights[weights.size == 1 ? 0 : channel]);
    return (narrow ? static_cast<double>(static_cast<float>(product)) : product) / output;
  }
};

// The nearest multiplier * 2^(shift - 31). TFLite, kernels/internal/quantization_util: QuantizeMultiplier.
void Quantize(double factor, int32_t* multiplier, int32_t* shift) {
  *multiplier = *shift = 0;
  if (std::isnan(factor)) return;  // 0 / 0: scales that are no numbers
  int exponent = 0;
  const double fraction = std::isinf(factor) ? 1.0 : std::frexp(factor, &exponent);
  double mantissa = std::floor(std::ldexp(fraction, 31) + 0.5);
  if (mantissa == 2147483648.0) {
    mantissa /= 2;
    ++exponent;
  }
  if (exponent < -31) return;
  // The reference clamps factors of 2^30 and more, also the quotient of tiny scales, to the largest that it shifts.
  const bool too_large = exponent > 30 || std::isinf(factor);
  *multiplier = too_large ? INT32_MAX : static_cast<int32_t>(mantissa);
  *shift = too_large ? 30 : exponent;
}

Status ReadScales(const StepArgs& args, size_t channels, Scales* scales, bool* once) {
  LOWBIT_RETURN_IF_ERROR(args.Double("inputScale", &scales->input));
  LOWBIT_RETURN_IF_ERROR(args.Double("outputScale", &scales->output));
  if (Status status = args.Floats("weightScale", channels, &scales->weights); !status.ok()) {
    LOWBIT_RETURN_IF_ERROR(args.Floats("weightScale", 1, &scales->weights));
  }
  int flag;
  LOWBIT_RETURN_IF_ERROR(args.Int("narrow", 0, 1, &flag));
  scales->narrow = flag != 0;
  LOWBIT_RETURN_IF_ERROR(args.Int("once", 0, 1, &flag));
  *once = flag != 0;
  return Status();
}

Status ReadFixedPoint(const StepArgs& args, size_t channels, Factors* factors) {
  Span<const int32_t> multiplier, shift;
  LOWBIT_RETURN_IF_ERROR(args.Ints("multiplier", channels, &multiplier));
  LOWBIT_RETURN_IF_ERROR(args.Ints("shift", channels, &shift));
  factors->multiplier.assign(multiplier.begin(), multiplier.end());
  factors->shift.assign(shift.begin(), shift.end());
  return Status();
}

}  // namespace

Status ReadFactors(const StepArgs& args, size_t channels, int most_shift, Factors* factors) {
  if (args.has("multiplier")) {
    LOWBIT_RETURN_IF_ERROR(ReadFixedPoint(args, channels, factors));
  } else {
    Scales scales{};
    LOWBIT_RETURN_IF_ERROR(ReadScales(args, channels, &scales, &factors->once));
    factors->multiplier.resize(factors->once ? 0 : channels);
    factors->shift.resize(factors->once ? 0 : channels);
    factors->scale.resize(factors->once ? channels : 0);
    for (size_t n = 0; n < channels; ++n) {
      const double factor = scales.Factor(n);
      if (factor < 0 || (factors->once && !(factor < 1e300)))
        return args.Fail(Code::kInvalid, "the factor of channel " + std::to_string(n) + " is out of range");
      if (factors->once)
        factors->scale[n] = factor;
      else
        Quantize(factor, &factors->multiplier[n], &factors->shift[n]);
    }
  }
  for (size_t n = 0; n < factors->multiplier.size(); ++n) {
    if (factors->multiplier[n] < 0 || factors->shift[n] < -31 || factors->shift[n] > most_shift)
      return args.Fail(most_shift < 30 ? Code::kUnsupported : Code::kInvalid,
                       "the factor of channel " + std::to_string(n) + " is out of range");
  }
  return Status();
}

}  // namespace lowbit::program::steps
