// LSTM on int8 codes with int16 cells. Attributes: multiplier and shift (17 each: input weights of the four
// gates, recurrent weights of the four, peephole weights of input, forget and output gate, projection,
// hidden, layer normalisation of the four), varianceGuard (4), cellShift (log2 of the cells' scale), cellClip and projectionClip (codes; 0 for none),
// inputZeroPoint, stateZeroPoint, hiddenZeroPoint.
//
// Source: LiteRT kernels/lstm_eval.cc (LstmStepInteger8x8_16) with
// kernels/internal/reference/portable_tensor_utils.cc, which its reference kernels use on every processor.
// Gates are Q3.12 before their function, Q0.15 after it.
#include <cstring>
#include <vector>

#include "program/steps/fixed16.h"
#include "program/steps/fixed_functions.h"
#include "program/steps/lstm.h"

namespace lowbit::program::steps {
namespace {

using kernels::requantize::MultiplyByQuantizedMultiplier;
using kernels::requantize::RoundingDivideByPot;
using kernels::requantize::WrappingAdd;

struct Factor {
  int32_t multiplier, shift;
};

// Rows of weights as int16, and what is added to each sum: the bias, less the zero point of the codes times
// the row.
struct Matrix {
  AlignedBuffer weights, offsets;
  Factor factor{};

  bool Pack(const Tensor& from, int32_t zero_point, const Tensor* bias, Factor f) {
    const size_t rows = static_cast<size_t>(from.dims[0]), cols = static_cast<size_t>(from.dims[1]);
    if (!weights.Allocate(rows * cols * sizeof(int16_t)) || !offsets.Allocate(rows * sizeof(int32_t)))
      return false;
    const int8_t* codes = reinterpret_cast<const int8_t*>(from.constant);
    for (size_t row = 0; row < rows; ++row) {
      int32_t sum = 0;
      for (size_t col = 0; col < cols; ++col) {
        weights.as<int16_t>()[row * cols + col] = codes[row * cols + col];
        sum += codes[row * cols + col];
      }
      int32_t start = 0;
      if (bias) std::memcpy(&start, bias->constant + row * sizeof start, sizeof start);
      offsets.as<int32_t>()[row] =
          WrappingAdd(start, -zero_point * sum);  // |sum| < 2^23, |zero point| <= 2^7
    }
    factor = f;
    return true;
  }

  // The scaled sum of row r; `codes` has `cols` elements.
  int32_t Row(size_t row, const int16_t* codes, size_t cols) const {
    const int16_t* const w = weights.as<int16_t>() + row * cols;
    int32_t sum = 0;
    for (size_t col = 0; col < cols; ++col) sum += int32_t{w[col]} * codes[col];
    return MultiplyByQuantizedMultiplier(WrappingAdd(sum, offsets.as<int32_t>()[row]), factor.multiplier,
                                         factor.shift);
  }
};

int16_t Clamp16(int64_t x) {
  return static_cast<int16_t>(std::min<int64_t>(32767, std::max<int64_t>(-32768, x)));
}
int8_t Clamp8(int64_t x) { return static_cast<int8_t>(std::min<int64_t>(127, std::max<int64_t>(-128, x))); }

int32_t WrappingMultiply(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}

struct Norm {
  Operand factors, bias;
  Factor factor{};
  int32_t guard = 1;  // instead of a variance below 1
};

constexpr size_t kFactors = 17;

class IntegerLstm final : public Step {
 public:
  explicit IntegerLstm(const LstmShape& shape) : s_(shape) { kernel_ = "lstm.s8s8.scalar"; }

  void Run(const RunContext& run) const noexcept override {
    int16_t* const gates = reinterpret_cast<int16_t*>(run.scratch);
    int16_t* const codes = gates + kGates * s_.cells;
    int16_t* const last = codes + s_.inputs;
    int16_t* const hidden = last + s_.outputs;
    const int8_t* const input = input_.In<int8_t>(run);
    int8_t* const output = output_.Out<int8_t>(run);
    for (size_t batch = 0; batch < s_.sequence.batches; ++batch) {
      int8_t* const state = outputs_.Out<int8_t>(run) + batch * s_.outputs;
      int16_t* const cells = cells_.Out<int16_t>(run) + batch * s_.cells;
      for (size_t time = 0; time < s_.sequence.times; ++time) {
        const size_t row = s_.sequence.Row(batch, time);
        std::copy_n(input + row * s_.inputs, s_.inputs, codes);
        std::copy_n(state, s_.outputs, last);
        for (int gate = s_.has_input_gate ? kInputGate : kForgetGate; gate < kOutputGate; ++gate)
          RunGate(run, gate, codes, last, cells, gates);
        UpdateCells(gates, cells);
        RunGate(run, kOutputGate, codes, last, cells, gates);
        Emit(gates + kOutputGate * s_.cells, cells, hidden, state);
        std::copy_n(state, s_.outputs, output + row * s_.outputs);
      }
    }
  }
  uint64_t scratch_bytes(int) const override {
    return (kGates * s_.cells + s_.inputs + s_.outputs + s_.cells) * sizeof(int16_t);
  }

  Status Load(StepArgs& args) {
    LOWBIT_STEP_INT(cellShift, -15, -9);
    LOWBIT_STEP_INT(cellClip, 0, 32767);
    LOWBIT_STEP_INT(projectionClip, 0, 127);
    LOWBIT_STEP_INT(inputZeroPoint, -128, 127);
    LOWBIT_STEP_INT(stateZeroPoint, -128, 127);
    LOWBIT_STEP_INT(hiddenZeroPoint, -128, 127);
    cell_shift_ = cellShift;
    cell_clip_ = cellClip;
    projection_clip_ = projectionClip;
    state_zero_point_ = stateZeroPoint;
    hidden_zero_point_ = hiddenZeroPoint;
    Span<const int32_t> multipliers, shifts;
    LOWBIT_RETURN_IF_ERROR(args.Ints("multiplier", kFactors, &multipliers));
    LOWBIT_RETURN_IF_ERROR(args.Ints("shift", kFactors, &shifts));
    Factor factors[kFactors];
    for (size_t i = 0; i < kFactors; ++i) {
      factors[i] = {multipliers.data[i], shifts.data[i]};
      if (factors[i].multiplier < 0 || factors[i].shift < -31 || factors[i].shift > 30)
        return args.Fail(Code::kInvalid, "a factor lies outside of its range");
    }
    Span<const int32_t> guards;
    LOWBIT_RETURN_IF_ERROR(args.Ints("varianceGuard", kGates, &guards));
    bool packed = true;
    for (int gate = s_.has_input_gate ? kInputGate : kForgetGate; gate < kGates; ++gate) {
      const Tensor* const bias = s_.has_norm ? nullptr : &args.input(12 + gate);
      if (s_.has_norm) {
        norm_[gate] = {args.Bind(args.input(20 + gate)), args.Bind(args.input(12 + gate)), factors[13 + gate],
                       guards.data[gate]};
        // 12 is added to the shift.
        if (factors[13 + gate].shift > 18 || guards.data[gate] < 1)
          return args.Fail(Code::kInvalid, "a factor lies outside of its range");
      }
      packed = packed && from_input_[gate].Pack(args.input(1 + gate), inputZeroPoint, bias, factors[gate]) &&
               from_last_[gate].Pack(args.input(5 + gate), stateZeroPoint, nullptr, factors[4 + gate]);
      packed_bytes_ += from_input_[gate].weights.size() + from_last_[gate].weights.size();
    }
    constexpr int kPeephole[kGates] = {9, 10, 0, 11};
    if (s_.has_peephole) {
      if (s_.has_projection)
        return args.Fail(Code::kUnsupported,
                         "peephole weights beside a projection are not supported for int8");
      for (int gate = s_.has_input_gate ? kInputGate : kForgetGate; gate < kGates; ++gate) {
        if (!kPeephole[gate]) continue;
        peephole_[gate] = args.Bind(args.input(kPeephole[gate]));
        peephole_factor_[gate] = factors[kPeephole[gate] - 1];
      }
    }
    if (s_.has_projection) {
      // The reference adds the hidden codes' zero point where it means to take it off, here and in Emit.
      packed = packed && projection_.Pack(args.input(16), -hiddenZeroPoint,
                                          args.has_input(17) ? &args.input(17) : nullptr, factors[11]);
      packed_bytes_ += projection_.weights.size();
    }
    hidden_ = factors[12];
    if (!packed) return args.Fail(Code::kLimit, "not enough memory for its weights");
    input_ = args.Bind(args.input(0));
    outputs_ = args.Bind(args.input(18));
    cells_ = args.Bind(args.input(19));
    output_ = args.Bind(args.output(0));
    return Status();
  }

 private:
  void RunGate(const RunContext& run, int gate, const int16_t* codes, const int16_t* last,
               const int16_t* cells, int16_t* gates) const {
    const bool peeps = s_.has_peephole && gate != kCellGate;
    int16_t* const sums = gates + static_cast<size_t>(gate) * s_.cells;
    const int16_t* const peephole = peeps ? peephole_[gate].In<int16_t>(run) : nullptr;
    for (size_t i = 0; i < s_.cells; ++i) {
      int16_t sum = Clamp16(from_input_[gate].Row(i, codes, s_.inputs));
      sum = Clamp16(int64_t{from_last_[gate].Row(i, last, s_.outputs)} + sum);
      if (peeps) {
        const int32_t product = int32_t{peephole[i]} * cells[i];
        const Factor f = peephole_factor_[gate];
        sum = Clamp16(int64_t{MultiplyByQuantizedMultiplier(product, f.multiplier, f.shift)} + sum);
      }
      sums[i] = sum;
    }
    if (s_.has_norm) Normalize(run, norm_[gate], sums);
    for (size_t i = 0; i < s_.cells; ++i)
      sums[i] = gate == kCellGate ? fixed16::Tanh(sums[i], 3) : fixed16::Logistic(sums[i]);
  }

  // To mean 0 and deviation 1 in Q10, then times the factors, plus the bias.
  // Source: PortableApplyLayerNorm. Its sums of int32 wrap here.
  void Normalize(const RunContext& run, const Norm& norm, int16_t* values) const {
    const int16_t* const factors = norm.factors.In<int16_t>(run);
    const int32_t* const bias = norm.bias.In<int32_t>(run);
    const int64_t count = static_cast<int64_t>(s_.cells);
    int64_t sum = 0, squares = 0;
    for (size_t i = 0; i < s_.cells; ++i) {
      sum += values[i];
      squares += int32_t{values[i]} * values[i];
    }
    const int64_t mean = sum * 1024 / count;
    const int64_t variance = (squares * ((1 << 20) / count) - mean * mean) / (1 << 20);
    const InverseSqrt inverse = InverseSqrtOf(variance < 1 ? norm.guard : static_cast<int32_t>(variance));
    for (size_t i = 0; i < s_.cells; ++i) {
      const int32_t shifted = 1024 * values[i] - static_cast<int32_t>(mean);
      const int32_t scaled = MultiplyByQuantizedMultiplier(shifted, inverse.multiplier, inverse.shift);
      const int64_t weighted = WrappingAdd(WrappingMultiply(scaled, factors[i]), bias[i]);
      const int32_t rounded = static_cast<int32_t>((weighted > 0 ? weighted + 512 : weighted - 512) / 1024);
      values[i] =
          Clamp16(MultiplyByQuantizedMultiplier(rounded, norm.factor.multiplier, norm.factor.shift + 12));
    }
  }

  void UpdateCells(const int16_t* gates, int16_t* cells) const {
    const int16_t* const forget = gates + kForgetGate * s_.cells;
    for (size_t i = 0; i < s_.cells; ++i) {
      const int16_t add = s_.has_input_gate ? gates[i] : static_cast<int16_t>(32767 - forget[i]);
      const int16_t kept = static_cast<int16_t>(RoundingDivideByPot(int32_t{forget[i]} * cells[i], 15));
      const int32_t product = int32_t{add} * gates[kCellGate * s_.cells + i];
      const int32_t sum = kept + static_cast<int16_t>(RoundingDivideByPot(product, 30 + cell_shift_));
      cells[i] = Clamp16(cell_clip_ > 0 ? std::min(cell_clip_, std::max(-cell_clip_, sum)) : sum);
    }
  }

  void Emit(const int16_t* gate, const int16_t* cells, int16_t* hidden, int8_t* state) const {
    for (size_t i = 0; i < s_.cells; ++i) {
      const int32_t product = int32_t{gate[i]} * fixed16::Tanh(cells[i], 15 + cell_shift_);
      const int64_t scaled = MultiplyByQuantizedMultiplier(product, hidden_.multiplier, hidden_.shift);
      if (s_.has_projection)
        hidden[i] = Clamp8(scaled - hidden_zero_point_);
      else
        state[i] = Clamp8(scaled + hidden_zero_point_);
    }
    if (!s_.has_projection) return;
    for (size_t i = 0; i < s_.outputs; ++i) {
      const int8_t code = Clamp8(int64_t{projection_.Row(i, hidden, s_.cells)} + state_zero_point_);
      const int clip = projection_clip_;
      state[i] = clip > 0 ? static_cast<int8_t>(std::min(clip, std::max(-clip, int{code}))) : code;
    }
  }

  const LstmShape s_;
  Operand input_, outputs_, cells_, output_;
  Matrix from_input_[kGates], from_last_[kGates], projection_;
  Operand peephole_[kGates];
  Norm norm_[kGates];
  Factor peephole_factor_[kGates] = {}, hidden_{};
  int cell_shift_ = -15, cell_clip_ = 0, projection_clip_ = 0, state_zero_point_ = 0, hidden_zero_point_ = 0;
};

}  // namespace

Status LoadIntegerLstm(StepArgs& args, const LstmShape& shape, std::unique_ptr<Step>* step) {
  auto loaded = std::make_unique<IntegerLstm>(shape);
  LOWBIT_RETURN_IF_ERROR(loaded->Load(args));
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
