// `rnn`: a plain recurrent layer on float32, h = activation(W x + R h + bias), over sequences or one moment.
// Inputs: x, weights, recurrent weights, bias, h (state). Attributes: those of a sequence (recurrent.h),
// activation (schema number); for int8 weights asymmetric, and weightScale (2).
//
// Source: LiteRT kernels/internal/kernel_utils.cc (RnnBatchStep).
#include "program/steps/recurrent.h"
#include "program/steps/recurrent_real.h"

namespace lowbit::program::steps {
namespace {

class Rnn final : public Step {
 public:
  void Run(const RunContext& run) const noexcept override {
    float* const sums = reinterpret_cast<float*>(run.scratch);
    const float* const input = input_.In<float>(run);
    const float* const bias = bias_.In<float>(run);
    float* const output = output_.Out<float>(run);
    const size_t inputs = weights_.cols, units = weights_.rows;
    for (size_t batch = 0; batch < sequence_.batches; ++batch) {
      float* const state = state_.Out<float>(run) + batch * units;
      for (size_t time = 0; time < sequence_.times; ++time) {
        const size_t row = sequence_.Row(batch, time);
        int8_t* free_bytes = reinterpret_cast<int8_t*>(sums + units);
        const recurrent::Vector x = preparation_.Of(input + row * inputs, inputs, &free_bytes);
        const recurrent::Vector h = preparation_.Of(state, units, &free_bytes);
        for (size_t i = 0; i < units; ++i) {
          const float sum = bias[i] + weights_.Row(i, x) + recurrent_.Row(i, h);
          sums[i] = recurrent::Activate(activation_, sum);
        }
        std::copy_n(sums, units, state);
        std::copy_n(sums, units, output + row * units);
      }
    }
  }
  uint64_t scratch_bytes(int) const override {
    const size_t codes = preparation_.has_codes ? recurrent::Preparation::kCodeBytes : 0;
    return weights_.rows * sizeof(float) + codes * (weights_.cols + weights_.rows);
  }

  Status Load(StepArgs& args) {
    LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 5, 1));
    const Tensor &input = args.input(0), &weights = args.input(1);
    preparation_.has_codes = weights.dtype == Dtype::kInt8;
    if (input.dtype != Dtype::kFloat32 || (!preparation_.has_codes && weights.dtype != Dtype::kFloat32))
      return args.Fail(Code::kTypeMismatch, "runs on float32 x float32 and float32 x int8");
    if (weights.rank != 2) return args.Fail(Code::kShapeMismatch, "weights must be a matrix");
    const size_t units = static_cast<size_t>(weights.dims[0]);
    LOWBIT_RETURN_IF_ERROR(LoadSequence(args, units, &sequence_));
    const size_t inputs = static_cast<size_t>(input.dims[input.rank - 1]);
    // Sums of 65535 products of codes stay below 2^30.
    if (inputs > 65535 || units > 65535)
      return args.Fail(Code::kUnsupported, "more than 65535 inputs or units");
    LOWBIT_RETURN_IF_ERROR(ExpectMatrix(args, 1, units, inputs, weights.dtype));
    LOWBIT_RETURN_IF_ERROR(ExpectMatrix(args, 2, units, units, weights.dtype));
    LOWBIT_RETURN_IF_ERROR(ExpectVector(args, 3, units, Dtype::kFloat32));
    LOWBIT_RETURN_IF_ERROR(ExpectState(args, 4, sequence_.batches * units, Dtype::kFloat32));
    LOWBIT_STEP_INT(activation, 0, 4);
    activation_ = activation;
    float scales[2] = {1, 1};
    if (preparation_.has_codes) {
      LOWBIT_STEP_INT(asymmetric, 0, 1);
      preparation_.is_asymmetric = asymmetric != 0;
      Span<const float> given;
      LOWBIT_RETURN_IF_ERROR(args.Floats("weightScale", 2, &given));
      std::copy_n(given.data, 2, scales);
    }
    LOWBIT_RETURN_IF_ERROR(args.Fits(uint64_t{units} * (inputs + units) * sizeof(float)));
    if (!weights_.Pack(weights, preparation_.has_codes, scales[0]) ||
        !recurrent_.Pack(args.input(2), preparation_.has_codes, scales[1]))
      return args.Fail(Code::kLimit, "not enough memory for its weights");
    packed_bytes_ = weights_.weights.size() + recurrent_.weights.size();
    kernel_ = preparation_.has_codes ? "rnn.f32s8.scalar" : "rnn.f32f32.scalar";
    input_ = args.Bind(input);
    bias_ = args.Bind(args.input(3));
    state_ = args.Bind(args.input(4));
    output_ = args.Bind(args.output(0));
    return Status();
  }

 private:
  Sequence sequence_;
  recurrent::Preparation preparation_;
  recurrent::Matrix weights_, recurrent_;
  int activation_ = 0;
  Operand input_, bias_, state_, output_;
};

}  // namespace

Status LoadRnn(StepArgs& args, std::unique_ptr<Step>* step) {
  auto loaded = std::make_unique<Rnn>();
  LOWBIT_RETURN_IF_ERROR(loaded->Load(args));
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
