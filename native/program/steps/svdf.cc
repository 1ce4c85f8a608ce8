// `svdf`: a filter over time of rank r, [batch, inputs] -> [batch, units]. The state keeps the last `memory`
// results of each filter. Inputs: x, feature weights [units * r, inputs], time weights [units * r, memory],
// bias [units] or absent, state [batch, units * r * memory]. Attributes: rank; for int8 multiplier and shift
// (2 each: to the state, to the output), inputZeroPoint, outputZeroPoint; for float32 activation (schema
// number), and with int8 feature weights asymmetric, featureScale, timeScale.
//
// Source: LiteRT kernels/svdf.cc, kernels/internal/reference/svdf.h.
#include <cmath>
#include <cstring>

#include "kernels/requantize/signed_shift.h"
#include "program/steps/common.h"
#include "program/steps/quantize_rows.h"

namespace lowbit::program::steps {
namespace {

using kernels::requantize::MultiplyByQuantizedMultiplier;
using kernels::requantize::WrappingAdd;

struct Sizes {
  size_t batches, inputs, units, rank, memory;
  size_t filters() const { return units * rank; }
};

struct Operands {
  Operand input, feature, time, bias, state, output;
  bool has_bias;
};

// The state moves by one entry, over the borders of filters and batches: the last of each filter is new
// anyhow.
template <typename T>
void Shift(T* state, size_t count) {
  if (count > 1) std::memmove(state, state + 1, (count - 1) * sizeof(T));
}

class IntegerSvdf final : public Step {
 public:
  IntegerSvdf(const Sizes& sizes, const Operands& operands) : s_(sizes), o_(operands) {
    kernel_ = "svdf.s8s8.scalar";
  }

  void Run(const RunContext& run) const noexcept override {
    const int8_t *const input = o_.input.In<int8_t>(run), *const feature = o_.feature.In<int8_t>(run);
    const int16_t* const time = o_.time.In<int16_t>(run);
    const int32_t* const bias = o_.has_bias ? o_.bias.In<int32_t>(run) : nullptr;
    int16_t* const state = o_.state.Out<int16_t>(run);
    int8_t* const output = o_.output.Out<int8_t>(run);
    Shift(state, s_.batches * s_.filters() * s_.memory);
    for (size_t batch = 0; batch < s_.batches; ++batch) {
      for (size_t unit = 0; unit < s_.units; ++unit) {
        uint32_t total = 0;  // wraps as the reference's sums do
        for (size_t filter = unit * s_.rank; filter < (unit + 1) * s_.rank; ++filter) {
          int32_t sum = 0;  // below 2^31: 65535 * 2^7 * 255
          for (size_t i = 0; i < s_.inputs; ++i)
            sum += feature[filter * s_.inputs + i] * (input[batch * s_.inputs + i] - input_zero_point_);
          int16_t* const line = state + (batch * s_.filters() + filter) * s_.memory;
          const int32_t scaled = MultiplyByQuantizedMultiplier(sum, multiplier_[0], shift_[0]);
          line[s_.memory - 1] = static_cast<int16_t>(std::min(32767, std::max(-32768, scaled)));
          for (size_t t = 0; t < s_.memory; ++t)
            total += static_cast<uint32_t>(int32_t{time[filter * s_.memory + t]} * line[t]);
        }
        const int32_t sum = WrappingAdd(static_cast<int32_t>(total), bias ? bias[unit] : 0);
        const int64_t code =
            int64_t{MultiplyByQuantizedMultiplier(sum, multiplier_[1], shift_[1])} + output_zero_point_;
        output[batch * s_.units + unit] =
            static_cast<int8_t>(std::min<int64_t>(127, std::max<int64_t>(-128, code)));
      }
    }
  }

  Status Load(StepArgs& args) {
    LOWBIT_RETURN_IF_ERROR(args.Int("inputZeroPoint", -128, 127, &input_zero_point_));
    LOWBIT_RETURN_IF_ERROR(args.Int("outputZeroPoint", -128, 127, &output_zero_point_));
    Span<const int32_t> multipliers, shifts;
    LOWBIT_RETURN_IF_ERROR(args.Ints("multiplier", 2, &multipliers));
    LOWBIT_RETURN_IF_ERROR(args.Ints("shift", 2, &shifts));
    for (size_t i = 0; i < 2; ++i) {
      multiplier_[i] = multipliers.data[i];
      shift_[i] = shifts.data[i];
      if (multiplier_[i] < 0 || shift_[i] < -31 || shift_[i] > 30)
        return args.Fail(Code::kInvalid, "a factor lies outside of its range");
    }
    return Status();
  }

 private:
  const Sizes s_;
  const Operands o_;
  int input_zero_point_ = 0, output_zero_point_ = 0;
  int32_t multiplier_[2] = {}, shift_[2] = {};
};

class RealSvdf final : public Step {
 public:
  RealSvdf(const Sizes& sizes, const Operands& operands, bool has_codes)
      : s_(sizes), o_(operands), has_codes_(has_codes) {
    kernel_ = has_codes ? "svdf.f32s8.scalar" : "svdf.f32f32.scalar";
  }

  void Run(const RunContext& run) const noexcept override {
    const float* const bias = o_.has_bias ? o_.bias.In<float>(run) : nullptr;
    float* const state = o_.state.Out<float>(run);
    float* const output = o_.output.Out<float>(run);
    int8_t* const codes = reinterpret_cast<int8_t*>(run.scratch);
    Shift(state, s_.batches * s_.filters() * s_.memory);
    for (size_t batch = 0; batch < s_.batches; ++batch) {
      const float* const input = o_.input.In<float>(run) + batch * s_.inputs;
      float scale = 1;
      int32_t zero_point = 0;
      if (has_codes_ && is_asymmetric_)
        QuantizeRowAsymmetric(input, s_.inputs, codes, &scale, &zero_point);
      else if (has_codes_)
        QuantizeRowSymmetric(input, s_.inputs, codes, &scale);
      for (size_t unit = 0; unit < s_.units; ++unit) {
        float total = 0;
        for (size_t filter = unit * s_.rank; filter < (unit + 1) * s_.rank; ++filter) {
          float* const line = state + (batch * s_.filters() + filter) * s_.memory;
          line[s_.memory - 1] = has_codes_
                                    ? CodesDot(run, filter, codes, zero_point) * (scale * feature_scale_)
                                    : Dot(o_.feature.In<float>(run) + filter * s_.inputs, input, s_.inputs);
          total += TimeDot(run, filter, line);
        }
        const float sum = total + (bias ? bias[unit] : 0.0f);
        output[batch * s_.units + unit] = Activate(sum);
      }
    }
  }
  uint64_t scratch_bytes(int) const override { return has_codes_ ? s_.inputs : 0; }

  Status Load(StepArgs& args) {
    LOWBIT_RETURN_IF_ERROR(args.Int("activation", 0, 4, &activation_));
    if (!has_codes_) return Status();
    LOWBIT_STEP_INT(asymmetric, 0, 1);
    is_asymmetric_ = asymmetric != 0;
    LOWBIT_RETURN_IF_ERROR(args.Float("featureScale", &feature_scale_));
    return args.Float("timeScale", &time_scale_);
  }

 private:
  static float Dot(const float* a, const float* b, size_t count) {
    float sum = 0;
    for (size_t i = 0; i < count; ++i) sum += a[i] * b[i];
    return sum;
  }

  float CodesDot(const RunContext& run, size_t filter, const int8_t* codes, int32_t zero_point) const {
    const int8_t* const weights = o_.feature.In<int8_t>(run) + filter * s_.inputs;
    int32_t sum = 0;  // below 2^31: 65535 * 2^7 * 255
    for (size_t i = 0; i < s_.inputs; ++i) sum += weights[i] * (codes[i] - zero_point);
    return static_cast<float>(sum);
  }

  float TimeDot(const RunContext& run, size_t filter, const float* line) const {
    if (!has_codes_) return Dot(o_.time.In<float>(run) + filter * s_.memory, line, s_.memory);
    const int8_t* const weights = o_.time.In<int8_t>(run) + filter * s_.memory;
    float sum = 0;
    for (size_t t = 0; t < s_.memory; ++t) sum += static_cast<float>(weights[t]) * time_scale_ * line[t];
    return sum;
  }

  float Activate(float x) const {
    switch (activation_) {
      case 1:
        return std::max(0.0f, x);
      case 2:
        return std::min(1.0f, std::max(-1.0f, x));
      case 3:
        return std::min(6.0f, std::max(0.0f, x));
      case 4:
        return std::tanh(x);
      default:
        return x;
    }
  }

  const Sizes s_;
  const Operands o_;
  const bool has_codes_;
  bool is_asymmetric_ = false;
  int activation_ = 0;
  float feature_scale_ = 1, time_scale_ = 1;
};

}  // namespace

Status LoadSvdf(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() != 5 || args.output_count() != 1 || !args.has_input(0) || !args.has_input(1) ||
      !args.has_input(2) || !args.has_input(4))
    return args.Fail(Code::kInvalid, "takes 5 inputs, of which the bias may be absent, and gives one output");
  const Tensor &input = args.input(0), &feature = args.input(1), &time = args.input(2),
               &state = args.input(4);
  const Tensor& output = args.output(0);
  if (input.rank != 2 || feature.rank != 2 || time.rank != 2 || output.rank != 2)
    return args.Fail(Code::kShapeMismatch, "takes tensors of rank 2");
  LOWBIT_STEP_INT(rank, 1, 1 << 20);
  const size_t filters = static_cast<size_t>(feature.dims[0]);
  const Sizes sizes{static_cast<size_t>(input.dims[0]), static_cast<size_t>(input.dims[1]),
                    filters / static_cast<size_t>(rank), static_cast<size_t>(rank),
                    static_cast<size_t>(time.dims[1])};
  if (sizes.filters() != filters || feature.dims[1] != input.dims[1] || time.dims[0] != feature.dims[0] ||
      output.dims[0] != input.dims[0] || static_cast<size_t>(output.dims[1]) != sizes.units)
    return args.Fail(Code::kShapeMismatch, "the shapes do not fit together");
  if (sizes.memory == 0 || sizes.inputs > 65535)
    return args.Fail(Code::kUnsupported, "needs a memory, and at most 65535 inputs");
  if (!state.is_state()) return args.Fail(Code::kInvalid, "operand 4 must be state");
  if (state.count() != sizes.batches * filters * sizes.memory)
    return args.Fail(Code::kShapeMismatch, "the state has another size than expected");
  const bool is_integer = input.dtype == Dtype::kInt8;
  const bool has_codes = feature.dtype == Dtype::kInt8;
  const bool has_bias = args.has_input(3);
  const Dtype real = Dtype::kFloat32;
  if (output.dtype != input.dtype || state.dtype != (is_integer ? Dtype::kInt16 : real) ||
      (has_bias && args.input(3).dtype != (is_integer ? Dtype::kInt32 : real)) ||
      !(is_integer
            ? has_codes && time.dtype == Dtype::kInt16
            : input.dtype == real && time.dtype == feature.dtype && (has_codes || feature.dtype == real)))
    return args.Fail(Code::kTypeMismatch, "runs on float32 x float32, float32 x int8 and int8 x int8");
  if (has_bias && args.input(3).count() != sizes.units)
    return args.Fail(Code::kShapeMismatch, "the bias must have one entry a unit");

  Operands operands{args.Bind(input), args.Bind(feature), args.Bind(time), Operand(),
                    args.Bind(state), args.Bind(output),  has_bias};
  if (has_bias) operands.bias = args.Bind(args.input(3));
  if (is_integer) {
    auto loaded = std::make_unique<IntegerSvdf>(sizes, operands);
    LOWBIT_RETURN_IF_ERROR(loaded->Load(args));
    *step = std::move(loaded);
  } else {
    auto loaded = std::make_unique<RealSvdf>(sizes, operands, has_codes);
    LOWBIT_RETURN_IF_ERROR(loaded->Load(args));
    *step = std::move(loaded);
  }
  return Status();
}

}  // namespace lowbit::program::steps
