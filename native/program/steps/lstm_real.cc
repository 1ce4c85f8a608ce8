// LSTM on float32, with float32 weights or with int8 weights and inputs that are quantised row by row.
// Attributes: activation (schema number: of the cell gate and of the cells), cellClip, projectionClip (0 for
// none); for int8 weights asymmetric, and weightScale (9: input weights of the four gates, recurrent weights
// of the four, projection).
//
// Source: LiteRT kernels/lstm_eval.cc (LstmStepFloat, LstmStepHybrid).
#include "program/steps/lstm.h"
#include "program/steps/recurrent_real.h"

namespace lowbit::program::steps {
namespace {

using recurrent::Activate;
using recurrent::Matrix;
using recurrent::Vector;

class RealLstm final : public Step {
 public:
  RealLstm(const LstmShape& shape, bool has_codes) : s_(shape), preparation_{has_codes, false} {
    kernel_ = has_codes ? "lstm.f32s8.scalar" : "lstm.f32f32.scalar";
  }

  void Run(const RunContext& run) const noexcept override {
    // Scratch: gates, hidden, then codes.
    float* const gates = reinterpret_cast<float*>(run.scratch);
    float* const hidden = gates + kGates * s_.cells;
    const float* const input = input_.In<float>(run);
    float* const output = output_.Out<float>(run);
    for (size_t batch = 0; batch < s_.sequence.batches; ++batch) {
      float* const state = outputs_.Out<float>(run) + batch * s_.outputs;
      float* const cells = cells_.Out<float>(run) + batch * s_.cells;
      for (size_t time = 0; time < s_.sequence.times; ++time) {
        const size_t row = s_.sequence.Row(batch, time);
        int8_t* free_bytes = reinterpret_cast<int8_t*>(hidden + s_.cells);
        const Vector in = preparation_.Of(input + row * s_.inputs, s_.inputs, &free_bytes);
        const Vector last = preparation_.Of(state, s_.outputs, &free_bytes);
        for (int gate = s_.has_input_gate ? kInputGate : kForgetGate; gate < kOutputGate; ++gate)
          RunGate(run, gate, in, last, cells, gates);
        UpdateCells(gates, cells);
        RunGate(run, kOutputGate, in, last, cells, gates);
        float* const emitted = s_.has_projection ? hidden : state;
        for (size_t i = 0; i < s_.cells; ++i)
          emitted[i] = gates[kOutputGate * s_.cells + i] * Activate(activation_, cells[i]);
        if (s_.has_projection) Project(run, preparation_.Of(hidden, s_.cells, &free_bytes), state);
        std::copy_n(state, s_.outputs, output + row * s_.outputs);
      }
    }
  }
  uint64_t scratch_bytes(int) const override {
    const size_t code = preparation_.has_codes ? recurrent::Preparation::kCodeBytes : 0;
    return (kGates + 1) * s_.cells * sizeof(float) + code * (s_.inputs + s_.outputs + s_.cells);
  }

  Status Load(StepArgs& args) {
    LOWBIT_STEP_INT(activation, 0, 4);
    activation_ = activation;
    LOWBIT_RETURN_IF_ERROR(args.Float("cellClip", &cell_clip_));
    LOWBIT_RETURN_IF_ERROR(args.Float("projectionClip", &projection_clip_));
    Span<const float> scales{nullptr, 0};
    if (preparation_.has_codes) {
      LOWBIT_STEP_INT(asymmetric, 0, 1);
      preparation_.is_asymmetric = asymmetric != 0;
      LOWBIT_RETURN_IF_ERROR(args.Floats("weightScale", 9, &scales));
    }
    const auto scale = [&](int i) { return preparation_.has_codes ? scales.data[i] : 1.0f; };
    bool packed = true;
    constexpr int kPeephole[kGates] = {9, 10, 0, 11};
    for (int gate = s_.has_input_gate ? kInputGate : kForgetGate; gate < kGates; ++gate) {
      packed = packed && from_input_[gate].Pack(args.input(1 + gate), preparation_.has_codes, scale(gate)) &&
               from_last_[gate].Pack(args.input(5 + gate), preparation_.has_codes, scale(4 + gate));
      packed_bytes_ += from_input_[gate].weights.size() + from_last_[gate].weights.size();
      bias_[gate] = args.Bind(args.input(12 + gate));
      if (s_.has_norm) norm_[gate] = args.Bind(args.input(20 + gate));
      if (s_.has_peephole && kPeephole[gate]) peephole_[gate] = args.Bind(args.input(kPeephole[gate]));
    }
    if (s_.has_projection) {
      packed = packed && projection_.Pack(args.input(16), preparation_.has_codes, scale(8));
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
  void RunGate(const RunContext& run, int gate, const Vector& in, const Vector& last, const float* cells,
               float* gates) const {
    const float* const bias = bias_[gate].In<float>(run);
    const float* const peephole =
        s_.has_peephole && gate != kCellGate ? peephole_[gate].In<float>(run) : nullptr;
    float* const sums = gates + static_cast<size_t>(gate) * s_.cells;
    for (size_t i = 0; i < s_.cells; ++i) {
      float sum = (s_.has_norm ? 0 : bias[i]) + from_input_[gate].Row(i, in) + from_last_[gate].Row(i, last);
      if (peephole) sum += peephole[i] * cells[i];
      sums[i] = sum;
    }
    if (s_.has_norm) Normalize(norm_[gate].In<float>(run), bias, sums);
    for (size_t i = 0; i < s_.cells; ++i)
      sums[i] = gate == kCellGate ? Activate(activation_, sums[i]) : recurrent::Logistic(sums[i]);
  }

  // To mean 0 and deviation 1, then times the factors, plus the bias.
  void Normalize(const float* factors, const float* bias, float* sums) const {
    const float count = static_cast<float>(s_.cells);
    float sum = 0, squares = 0;
    for (size_t i = 0; i < s_.cells; ++i) sum += sums[i];
    const float mean = sum / count;
    for (size_t i = 0; i < s_.cells; ++i) squares += (sums[i] - mean) * (sums[i] - mean);
    const float inverse = 1.0f / std::sqrt(squares / count + 1e-8f);
    for (size_t i = 0; i < s_.cells; ++i) sums[i] = (sums[i] - mean) * inverse * factors[i] + bias[i];
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
  recurrent::Preparation preparation_;
  bool has_projection_bias_ = false;
  int activation_ = 4;
  float cell_clip_ = 0, projection_clip_ = 0;
  Operand input_, outputs_, cells_, output_, projection_bias_;
  Matrix from_input_[kGates], from_last_[kGates], projection_;
  Operand bias_[kGates], peephole_[kGates], norm_[kGates];
};

}  // namespace

Status LoadRealLstm(StepArgs& args, const LstmShape& shape, std::unique_ptr<Step>* step) {
  auto loaded = std::make_unique<RealLstm>(shape, args.input(2).dtype == Dtype::kInt8);
  LOWBIT_RETURN_IF_ERROR(loaded->Load(args));
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
