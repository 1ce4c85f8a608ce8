// `depthwise_input_gradient`: what dy says of the input x of a float32 depthwise convolution. Inputs: dy [n, oh, ow, c * m],
// weights [kh, kw, c, m]; output dx [n, h, w, c]. Attributes: those of the window of x -> y.
//
// It is a depthwise convolution of dy: with stride 1 an ordinary one by the weights in reverse order, else a transposed
// one. With a multiplier m above 1 the m channels that an input has become are added up last.
#include <algorithm>
#include <limits>
#include <vector>

#include "dispatch/depthwise_f32.h"
#include "dispatch/depthwise_rows_f32.h"
#include "program/steps/common.h"
#include "program/steps/depthwise_base.h"

namespace lowbit::program::steps {
namespace {

class DepthwiseInputGradient final : public DepthwiseBase<float> {
 public:
  void Run(const RunContext& run) const noexcept override {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float* dy = dy_.In<float>(run);
    const float* weights = Weights(run);
    uint8_t* const apart = run.scratch + DepthwiseBase::scratch_bytes(run.threads) + turned_bytes_;
    float* const out = times_ > 1 ? reinterpret_cast<float*>(apart) : dx_.Out<float>(run);
    if (by_rows_) {
      EachGroup(run, dy, zeros_.as<float>(), [&](const float* const* rows, size_t row, size_t count) {
        by_rows_->run({rows, weights, zeros_.as<float>(), out + row * window_.out_w * channels_, count,
                       window_.in_w, window_.out_w, channels_, window_.pad_left, -kInfinity, kInfinity});
      });
    } else {
      EachRow(run, dy, zeros_.as<float>(), [&](size_t row, const float* const* taps) {
        float* to = out + row * window_.out_w * channels_;
        by_taps_->run({taps, weights, zeros_.as<float>(), to, window_.out_w, tap_count_, channels_,
                       -kInfinity, kInfinity});
      });
    }
    if (times_ > 1) AddUp(run, out, dx_.Out<float>(run));
  }
  uint64_t scratch_bytes(int threads) const override {
    return Plus(DepthwiseBase::scratch_bytes(threads), Plus(turned_bytes_, apart_bytes_));
  }

  // `window` is that of x -> y.
  Status Load(StepArgs& args, const Window& window, size_t times) {
    times_ = times;
    LOWBIT_RETURN_IF_ERROR(SetWindow(args, Turned(window, window.channels * times), 1));
    const size_t pixels = window.batch * window.in_h * window.in_w;
    turned_bytes_ = is_turned_ ? Aligned(Times(tap_count_, channels_ * sizeof(float))) : 0;
    apart_bytes_ = times > 1 ? Aligned(Times(pixels, channels_ * sizeof(float))) : 0;
    if (IsSquare()) by_rows_ = dispatch::depthwise_rows_f32::Choose(window_.filter_w, 1, args.isa());
    if (!by_rows_) by_taps_ = &dispatch::depthwise_f32::Choose(args.isa());
    kernel_ = by_rows_ ? by_rows_->name : by_taps_->name;
    LOWBIT_RETURN_IF_ERROR(PlanScratch(args, by_taps_ != nullptr));
    // Zeros stand for the bias and for what lies outside.
    const uint64_t zeros =
        Times(by_rows_ ? std::max<uint64_t>(RowPadding(), channels_) : channels_, sizeof(float));
    LOWBIT_RETURN_IF_ERROR(args.Fits(Plus(zeros, scratch_bytes(args.threads()))));
    if (!zeros_.Allocate(static_cast<size_t>(zeros))) return args.Fail(Code::kLimit, "no memory for padding");
    packed_bytes_ = zeros_.size();
    dy_ = args.Bind(args.input(0));
    weights_ = args.Bind(args.input(1));
    dx_ = args.Bind(args.output(0));
    return Status();
  }

 private:
  // The window from dy to dx.
  Window Turned(const Window& window, size_t channels) {
    Window turned = window;
    std::swap(turned.in_h, turned.out_h);
    std::swap(turned.in_w, turned.out_w);
    turned.channels = channels;
    const int64_t top = int64_t{window.filter_h - 1} * window.dilation_h - window.pad_top;
    const int64_t left = int64_t{window.filter_w - 1} * window.dilation_w - window.pad_left;
    constexpr int64_t kMost = 1 << 24;
    is_turned_ = window.stride_h == 1 && window.stride_w == 1 && top >= 0 && left >= 0 && top <= kMost &&
                 left <= kMost;
    turned.is_transposed = !is_turned_;
    if (is_turned_) {
      turned.pad_top = static_cast<int>(top);
      turned.pad_left = static_cast<int>(left);
    }
    return turned;
  }

  const float* Weights(const RunContext& run) const {
    const float* weights = weights_.In<float>(run);
    if (!is_turned_) return weights;
    float* const turned = reinterpret_cast<float*>(run.scratch + DepthwiseBase::scratch_bytes(run.threads));
    for (size_t t = 0; t < tap_count_; ++t)
      std::copy_n(weights + (tap_count_ - 1 - t) * channels_, channels_, turned + t * channels_);
    return turned;
  }

  void AddUp(const RunContext& run, const float* from, float* to) const {
    Split(run, window_.pixels() * (channels_ / times_), (32 << 10) / times_, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        float sum = 0;
        for (size_t m = 0; m < times_; ++m) sum += from[i * times_ + m];
        to[i] = sum;
      }
    });
  }

  // One of them is set.
  const kernels::depthwise_f32::Row* by_taps_ = nullptr;
  const kernels::depthwise_rows_f32::Row* by_rows_ = nullptr;
  size_t times_ = 1;
  bool is_turned_ = false;
  uint64_t turned_bytes_ = 0, apart_bytes_ = 0;
  AlignedBuffer zeros_;
  Operand dy_, weights_, dx_;
};

}  // namespace

Status LoadDepthwiseInputGradient(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor &dy = args.input(0), &weights = args.input(1), &dx = args.output(0);
  LOWBIT_RETURN_IF_ERROR(ExpectRealImages(args, {&dy, &weights, &dx}));
  Window window;
  LOWBIT_RETURN_IF_ERROR(ReadWindow(args, dx, dy, weights.dims[0], weights.dims[1], &window));
  if (window.out_h == 0 || window.out_w == 0)
    return args.Fail(Code::kUnsupported, "a gradient without places");
  const uint64_t times = static_cast<uint64_t>(weights.dims[3]);
  if (weights.dims[2] != dx.dims[3] || static_cast<uint64_t>(dy.dims[3]) != times * window.channels ||
      times == 0)
    return args.Fail(Code::kShapeMismatch, "channels of input, gradient and weights do not fit together");
  auto made = std::make_unique<DepthwiseInputGradient>();
  LOWBIT_RETURN_IF_ERROR(made->Load(args, window, static_cast<size_t>(times)));
  *step = std::move(made);
  return Status();
}

}  // namespace lowbit::program::steps
