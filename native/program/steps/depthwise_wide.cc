// Depthwise convolution of int16 activations with int8 weights.
#include <vector>

#include "dispatch/depthwise_s16.h"
#include "program/steps/depthwise_base.h"
#include "program/steps/depthwise_kinds.h"
#include "program/steps/gemm_families.h"

namespace lowbit::program::steps {

namespace {

class Wide final : public DepthwiseBase<int16_t> {
 public:
  void Run(const RunContext& run) const noexcept override {
    const int16_t* input = Spread(run, input_.In<int16_t>(run));
    int16_t* output = output_.Out<int16_t>(run);
    EachRow(run, input, zeros_.data(), [&](size_t row, const int16_t* const* taps) {
      int16_t* out = output + row * window_.out_w * channels_;
      row_->run({taps, packed_.data(), out, window_.out_w, tap_count_, channels_, low_, high_});
    });
  }

  Status Load(StepArgs& args, const Window& window, size_t multiplier) {
    LOWBIT_RETURN_IF_ERROR(SetWindow(args, window, multiplier));
    LOWBIT_RETURN_IF_ERROR(PlanScratch(args, true));
    LOWBIT_RETURN_IF_ERROR(args.Int("low", -32768, 32767, &low_));
    LOWBIT_RETURN_IF_ERROR(args.Int("high", low_, 32767, &high_));
    Factors factors;
    std::vector<int64_t> bias;
    LOWBIT_RETURN_IF_ERROR(ReadFactors(args, channels_, kMostWideShift, &factors));
    if (factors.once) return args.Fail(Code::kUnsupported, "its sums are rounded twice");
    LOWBIT_RETURN_IF_ERROR(ReadWideBias(args, channels_, &bias));
    const int8_t* weights = reinterpret_cast<const int8_t*>(args.input(1).constant);
    const kernels::depthwise_s16::Layer layer = {
        weights, tap_count_, channels_, bias.data(), factors.multiplier.data(), factors.shift.data()};
    row_ = &dispatch::depthwise_s16::Choose(layer, args.isa());
    kernel_ = row_->name;
    const size_t bytes = row_->packed_bytes(tap_count_, channels_);
    LOWBIT_RETURN_IF_ERROR(args.Fits(Plus(bytes, scratch_bytes(args.threads()))));
    if (!packed_.Allocate(bytes)) return args.Fail(Code::kLimit, "no memory for packed weights");
    row_->pack(layer, packed_.data());
    zeros_.assign(channels_, 0);
    packed_bytes_ = bytes + channels_ * sizeof(int16_t);
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    return Status();
  }

 private:
  const kernels::depthwise_s16::Row* row_ = nullptr;
  AlignedBuffer packed_;
  std::vector<int16_t> zeros_;
  int low_ = 0, high_ = 0;
  Operand input_, output_;
};

}  // namespace

Status LoadWideDepthwise(StepArgs& args, const Window& window, size_t multiplier,
                         std::unique_ptr<Step>* step) {
  auto layer = std::make_unique<Wide>();
  LOWBIT_RETURN_IF_ERROR(layer->Load(args, window, multiplier));
  *step = std::move(layer);
  return Status();
}

}  // namespace lowbit::program::steps
