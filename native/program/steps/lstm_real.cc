// LSTM on float32, with float32 weights or with int8 weights and inputs that are quantised row by row.
// Attributes: activation (schema number: of the cell gate and of the cells), cellClip, projectionClip (0 for
// none); for int8 weights asymmetric, and weightScale (9: input weights of the four gates, recurrent weights
// of the four, projection).
//
// Source: LiteRT kernels/lstm_eval.cc (LstmStepFloat, LstmStepHybrid).
#include <cmath>
#include <cstring>

#include "program/steps/lstm.h"
#include "program/steps/quantize_rows.h"

namespace lowbit::program::steps {
namespace {

float Logistic(float x) { return 1.0f / (1.0f + std::exp(-x)); }

float Activate(int activation, float x) {
  switch (activation) {
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

// A vector as the two kinds of weights take it.
struct Vector {
  float* reals;    // the caller's
  int16_t* codes;  // of int8 weights
  float scale;
  int32_t zero_point;
};

struct Matrix {
  AlignedBuffer weights, sums;  // float32; or codes as int16, and the sums of their rows
  float scale = 0;              // of codes
  size_t rows = 0, cols = 0;

  bool Pack(const Tensor& from, bool has_codes, float weight_scale) {
    rows = static_cast<size_t>(from.dims[0]);
    cols = static_cast<size_t>(from.dims[1]);
    scale = weight_scale;
    if (!has_codes) {
      if (!weights.Allocate(rows * cols * sizeof(float))) return false;
      if (from.bytes) std::memcpy(weights.data(), from.constant, from.bytes);
      return true;
    }
    if (!weights.Allocate(rows * cols * sizeof(int16_t)) || !sums.Allocate(rows * sizeof(int32_t)))
      return false;
    const int8_t* codes = reinterpret_cast<const int8_t*>(from.constant);
    for (size_t i = 0; i < rows * cols; ++i) {
      weights.as<int16_t>()[i] = codes[i];
      sums.as<int32_t>()[i / cols] += codes[i];
    }
    return true;
  }

  // The product of row r with a vector.
  float Row(size_t row, const Vector& v) const {
    if (v.codes) {
      const int16_t* const w = weights.as<int16_t>() + row * cols;
      int32_t sum = 0;
      for (size_t i = 0; i < cols; ++i) sum += int32_t{w[i]} * v.codes[i];
      return static_cast<float>(sum - v.zero_point * sums.as<int32_t>()[row]) * (v.scale * scale);
    }
    const float* const w = weights.as<float>() + row * cols;
    constexpr size_t kLanes = 8;
    float lanes[kLanes] = {}, rest = 0;
    size_t i = 0;
    for (; i + kLanes <= cols; i += kLanes)
      for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += w[i + lane] * v.reals[i + lane];
    for (; i < cols; ++i) rest += w[i] * v.reals[i];
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7])) +
           rest;
  }
};

class RealLstm final : public Step {
 public:
  RealLstm(const LstmShape& shape, bool has_codes) : s_(shape), has_codes_(has_codes) {
    kernel_ = has_codes ? "lstm.f32s8.scalar" : "lstm.f32f32.scalar";
  }

  void Run(const RunContext& run) const noexcept override {
    // Scratch: gates, hidden, then codes.
    float* const gates = reinterpret_cast<float*>(run.scratch);
    float* const hidden = gates + kGates * s_.cells;
    const float* const input = input_.In<float>(run);
    float* const output = output_.Out<float>(run);
    for (size_t batch = 0; batch < s_.batches; ++batch) {
      float* const state = outputs_.Out<float>(run) + batch * s_.outputs;
      float* const cells = cells_.Out<float>(run) + batch * s_.cells;
      for (size_t time = 0; time < s_.times; ++time) {
        const size_t row = batch * s_.batch_stride + time * s_.time_stride;
        int8_t* free_bytes = reinterpret_cast<int8_t*>(hidden + s_.cells);
        // Read only, whatever the type of its pointer.
        const Vector in = Quantized(const_cast<float*>(input) + row * s_.inputs, s_.inputs, &free_bytes);
        const Vector last = Quantized(state, s_.outputs, &free_bytes);
        for (int gate = s_.has_input_gate ? kInputGate : kForgetGate; gate < kOutputGate; ++gate)
          RunGate(run, gate, in, last, cells, gates);
        UpdateCells(gates, cells);
        RunGate(run, kOutputGate, in, last, cells, gates);
        float* const emitted = s_.has_projection ? hidden : state;
        for (size_t i = 0; i < s_.cells; ++i)
          emitted[i] = gates[kOutputGate * s_.cells + i] * Activate(activation_, cells[i]);
        if (s_.has_projection) Project(run, Quantized(hidden, s_.cells, &free_bytes), state);
        std::copy_n(state, s_.outputs, output + row * s_.outputs);
      }
    }
  }
  size_t scratch_bytes(int) const override {
    // Codes take three bytes each: as int8 first, then as int16.
    const size_t codes = has_codes_ ? 4 * (s_.inputs + s_.outputs + s_.cells) + 16 : 0;
    return (kGates + 1) * s_.cells * sizeof(float) + codes;
  }

  Status Load(StepArgs& args) {
    LOWBIT_STEP_INT(activation, 0, 4);
    activation_ = activation;
    LOWBIT_RETURN_IF_ERROR(args.Float("cellClip", &cell_clip_));
    LOWBIT_RETURN_IF_ERROR(args.Float("projectionClip", &projection_clip_));
    Span<const float> scales{nullptr, 0};
    if (has_codes_) {
      LOWBIT_STEP_INT(asymmetric, 0, 1);
      is_asymmetric_ = asymmetric != 0;
      LOWBIT_RETURN_IF_ERROR(args.Floats("weightScale", 9, &scales));
    }
    const auto scale = [&](int i) { return has_codes_ ? scales.data[i] : 1.0f; };
    bool packed = true;
    constexpr int kPeephole[kGates] = {9, 10, 0, 11};
    for (int gate = s_.has_input_gate ? kInputGate : kForgetGate; gate < kGates; ++gate) {
      packed = packed && from_input_[gate].Pack(args.input(1 + gate), has_codes_, scale(gate)) &&
               from_last_[gate].Pack(args.input(5 + gate), has_codes_, scale(4 + gate));
      packed_bytes_ += from_input_[gate].weights.size() + from_last_[gate].weights.size();
      bias_[gate] = args.Bind(args.input(12 + gate));
      if (s_.has_peephole && kPeephole[gate]) peephole_[gate] = args.Bind(args.input(kPeephole[gate]));
    }
    if (s_.has_projection) {
      packed = packed && projection_.Pack(args.input(16), has_codes_, scale(8));
      packed_bytes_ += projection_.weights.size();
      has_projection_bias_ = args.has_input(17);
      if (has_projection_bias_) projection_bias_ = args.Bind(args.input(17));
    }
    if (!packed) return args.Fail(Code::kLimit, "not enough memory for its weights");
    input_ = args.Bind(args.input(0));
    outputs_ = args.Bind(args.input(18));
    cells_ = args.Bind(args.input(19));
    output_ = args.Bind(args.output(0));
    return Status();
  }

 private:
  // The vector, and its codes in the free bytes where there are int8 weights.
  Vector Quantized(float* values, size_t count, int8_t** free_bytes) const {
    Vector v{values, nullptr, 1, 0};
    if (!has_codes_) return v;
    v.codes = reinterpret_cast<int16_t*>(*free_bytes);
    int8_t* const narrow = *free_bytes + 2 * count;
    *free_bytes += 4 * count;
    if (is_asymmetric_)
      QuantizeRowAsymmetric(values, count, narrow, &v.scale, &v.zero_point);
    else
      QuantizeRowSymmetric(values, count, narrow, &v.scale);
    std::copy_n(narrow, count, v.codes);
    return v;
  }

  void RunGate(const RunContext& run, int gate, const Vector& in, const Vector& last, const float* cells,
               float* gates) const {
    const float* const bias = bias_[gate].In<float>(run);
    const float* const peephole =
        s_.has_peephole && gate != kCellGate ? peephole_[gate].In<float>(run) : nullptr;
    for (size_t i = 0; i < s_.cells; ++i) {
      float sum = bias[i] + from_input_[gate].Row(i, in) + from_last_[gate].Row(i, last);
      if (peephole) sum += peephole[i] * cells[i];
      gates[static_cast<size_t>(gate) * s_.cells + i] =
          gate == kCellGate ? Activate(activation_, sum) : Logistic(sum);
    }
  }

  void UpdateCells(const float* gates, float* cells) const {
    for (size_t i = 0; i < s_.cells; ++i) {
      const float forget = gates[kForgetGate * s_.cells + i];
      const float add = s_.has_input_gate ? gates[i] : 1.0f - forget;
      const float sum = forget * cells[i] + gates[kCellGate * s_.cells + i] * add;
      cells[i] = cell_clip_ > 0 ? std::min(cell_clip_, std::max(-cell_clip_, sum)) : sum;
    }
  }

  void Project(const RunContext& run, const Vector& hidden, float* state) const {
    const float* const bias = has_projection_bias_ ? projection_bias_.In<float>(run) : nullptr;
    for (size_t i = 0; i < s_.outputs; ++i) {
      const float sum = (bias ? bias[i] : 0.0f) + projection_.Row(i, hidden);
      state[i] = projection_clip_ > 0 ? std::min(projection_clip_, std::max(-projection_clip_, sum)) : sum;
    }
  }

  const LstmShape s_;
  const bool has_codes_;
  bool is_asymmetric_ = false, has_projection_bias_ = false;
  int activation_ = 4;
  float cell_clip_ = 0, projection_clip_ = 0;
  Operand input_, outputs_, cells_, output_, projection_bias_;
  Matrix from_input_[kGates], from_last_[kGates], projection_;
  Operand bias_[kGates], peephole_[kGates];
};

}  // namespace

Status LoadRealLstm(StepArgs& args, const LstmShape& shape, std::unique_ptr<Step>* step) {
  auto loaded = std::make_unique<RealLstm>(shape, args.input(2).dtype == Dtype::kInt8);
  LOWBIT_RETURN_IF_ERROR(loaded->Load(args));
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
