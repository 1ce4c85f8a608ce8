// Depthwise convolution of float32 layers.
#include <vector>

#include "dispatch/depthwise_f32.h"
#include "program/steps/depthwise_base.h"
#include "program/steps/depthwise_kinds.h"
#include "program/steps/gemm_families.h"

namespace lowbit::program::steps {

namespace {

class Real final : public DepthwiseBase<float> {
 public:
  void Run(const RunContext& run) const noexcept override {
    const float* input = Spread(run, input_.In<float>(run));
    const float* weights = weights_.In<float>(run);
    float* output = output_.Out<float>(run);
    EachRow(run, input, zeros_.data(), [&](size_t row, const float* const* taps) {
      float* out = output + row * window_.out_w * channels_;
      row_->run({taps, weights, bias_.data(), out, window_.out_w, tap_count_, channels_, low_, high_});
    });
  }

  Status Load(StepArgs& args, const Window& window, size_t multiplier) {
    LOWBIT_RETURN_IF_ERROR(SetWindow(args, window, multiplier));
    LOWBIT_RETURN_IF_ERROR(PlanScratch(args, true));
    LOWBIT_RETURN_IF_ERROR(ReadRealBias(args, channels_, &bias_));
    LOWBIT_RETURN_IF_ERROR(ReadRealClamp(args, &low_, &high_));
    row_ = &dispatch::depthwise_f32::Choose(args.isa());
    kernel_ = row_->name;
    zeros_.assign(channels_, 0.0f);
    packed_bytes_ = 2 * channels_ * sizeof(float);
    input_ = args.Bind(args.input(0));
    weights_ = args.Bind(args.input(1));
    output_ = args.Bind(args.output(0));
    return Status();
  }

 private:
  const kernels::depthwise_f32::Row* row_ = nullptr;
  std::vector<float> bias_, zeros_;
  float low_ = 0, high_ = 0;
  Operand input_, weights_, output_;
};

}  // namespace

Status LoadRealDepthwise(StepArgs& args, const Window& window, size_t multiplier,
                         std::unique_ptr<Step>* step) {
  auto layer = std::make_unique<Real>();
  LOWBIT_RETURN_IF_ERROR(layer->Load(args, window, multiplier));
  *step = std::move(layer);
  return Status();
}

}  // namespace lowbit::program::steps
