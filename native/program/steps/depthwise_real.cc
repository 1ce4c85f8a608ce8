// Depthwise convolution of float32 layers.
#include <vector>

#include "dispatch/depthwise_f32.h"
#include "dispatch/depthwise_rows_f32.h"
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
    if (by_rows_) {
      EachGroup(run, input, zeros_.as<float>(), [&](const float* const* rows, size_t row, size_t count) {
        by_rows_->run({rows, weights, bias_.data(), output + row * window_.out_w * channels_, count,
                       window_.in_w, window_.out_w, channels_, window_.pad_left, low_, high_});
      });
      return;
    }
    EachRow(run, input, zeros_.as<float>(), [&](size_t row, const float* const* taps) {
      float* out = output + row * window_.out_w * channels_;
      by_taps_->run({taps, weights, bias_.data(), out, window_.out_w, tap_count_, channels_, low_, high_});
    });
  }

  Status Load(StepArgs& args, const Window& window, size_t multiplier) {
    LOWBIT_RETURN_IF_ERROR(SetWindow(args, window, multiplier));
    LOWBIT_RETURN_IF_ERROR(ReadRealBias(args, channels_, &bias_));
    LOWBIT_RETURN_IF_ERROR(ReadRealClamp(args, &low_, &high_));
    if (IsSquare()) {
      by_rows_ = dispatch::depthwise_rows_f32::Choose(window.filter_w, window.stride_w, args.isa());
    }
    if (!by_rows_) by_taps_ = &dispatch::depthwise_f32::Choose(args.isa());
    kernel_ = by_rows_ ? by_rows_->name : by_taps_->name;
    LOWBIT_RETURN_IF_ERROR(PlanScratch(args, by_taps_ != nullptr));
    const uint64_t zeros = Times(by_rows_ ? RowPadding() : channels_, sizeof(float));
    LOWBIT_RETURN_IF_ERROR(args.Fits(Plus(zeros, scratch_bytes(args.threads()))));
    if (!zeros_.Allocate(static_cast<size_t>(zeros))) return args.Fail(Code::kLimit, "no memory for padding");
    packed_bytes_ = channels_ * sizeof(float) + zeros_.size();
    input_ = args.Bind(args.input(0));
    weights_ = args.Bind(args.input(1));
    output_ = args.Bind(args.output(0));
    return Status();
  }

 private:
  // One of them is set.
  const kernels::depthwise_f32::Row* by_taps_ = nullptr;
  const kernels::depthwise_rows_f32::Row* by_rows_ = nullptr;
  std::vector<float> bias_;
  AlignedBuffer zeros_;
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
