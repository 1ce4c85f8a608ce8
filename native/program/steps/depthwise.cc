// depthwise: int8 or uint8 depthwise convolution, NHWC x 1HW(C*multiplier), with bias, requantisation and
// clamp. Small square filters have kernels that walk along rows (kernels/depthwise_rows); all others take one
// pointer a tap and output pixel (kernels/depthwise).
//
// With one input channel the layer is an ordinary convolution and runs as one. With several channels and a
// depth multiplier above 1 the input is first spread in scratch memory, each channel `multiplier` times.
#include "dispatch/depthwise.h"

#include <cstring>
#include <memory>

#include "dispatch/depthwise_rows.h"
#include "kernels/depthwise/pack.h"
#include "program/steps/conv.h"
#include "program/steps/depthwise_base.h"
#include "program/steps/depthwise_kinds.h"

namespace lowbit::program::steps {

namespace {

class Depthwise final : public DepthwiseBase<int8_t> {
 public:
  void Run(const RunContext& run) const noexcept override {
    const int8_t* input = Spread(run, input_.In<int8_t>(run));
    int8_t* output = output_.Out<int8_t>(run);
    if (by_rows_) {
      EachGroup(run, input, padding_.as<int8_t>(), [&](const int8_t* const* rows, size_t row, size_t count) {
        by_rows_->run({rows, packed_->data(), output + row * window_.out_w * channels_, count, window_.in_w,
                       window_.out_w, channels_, window_.pad_left, flip_, padding_byte_},
                      constants_.channels(), requantize_);
      });
      return;
    }
    EachRow(run, input, padding_.as<int8_t>(), [&](size_t row, const int8_t* const* taps) {
      int8_t* out = output + row * window_.out_w * channels_;
      by_taps_->run({taps, packed_->data(), out, static_cast<ptrdiff_t>(channels_), window_.out_w, tap_count_,
                     channels_, flip_},
                    constants_.channels(), requantize_);
    });
  }

  Status Load(StepArgs& args, const Window& window, size_t multiplier, QuantizedLayer& layer) {
    LOWBIT_RETURN_IF_ERROR(SetWindow(args, window, multiplier));
    flip_ = layer.flip;
    requantize_ = layer.output;
    // As many as the tensor of weights has bytes.
    std::vector<int16_t> weights(tap_count_ * channels_);
    for (size_t t = 0; t < tap_count_; ++t) {
      for (size_t c = 0; c < channels_; ++c) {
        weights[t * channels_ + c] = static_cast<int16_t>(layer.weights.At(c, t));
      }
    }
    const kernels::depthwise::Layout& layout = Choose(args, weights);
    LOWBIT_RETURN_IF_ERROR(PlanScratch(args, by_taps_ != nullptr));
    layer.input_zero_point += layout.lhs_offset;
    LOWBIT_RETURN_IF_ERROR(Pack(args, layer, layout, weights));
    padding_byte_ = static_cast<uint8_t>(((layer.input_zero_point - layout.lhs_offset) & 0xff) ^ layer.flip);
    if (padding_.size()) std::memset(padding_.data(), padding_byte_, padding_.size());
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    return Status();
  }

 private:
  const kernels::depthwise::Layout& Choose(const StepArgs& args, const std::vector<int16_t>& weights) {
    const Window& w = window_;
    if (IsSquare()) {
      by_rows_ = dispatch::depthwise_rows::Choose(w.filter_w, w.stride_w, channels_, weights.data(),
                                                  weights.size(), args.isa());
    }
    if (by_rows_) {
      kernel_ = by_rows_->name;
      return *by_rows_->layout;
    }
    by_taps_ = &dispatch::depthwise::Choose(weights.data(), weights.size(), args.isa());
    kernel_ = by_taps_->name;
    return *by_taps_->layout;
  }

  Status Pack(StepArgs& args, const QuantizedLayer& layer, const kernels::depthwise::Layout& layout,
              const std::vector<int16_t>& weights) {
    const auto channel_of = [&](size_t entry) { return layout.channel_of(entry, channels_); };
    const Key key = Key()
                        .With(reinterpret_cast<uintptr_t>(&layout))
                        .With(tap_count_)
                        .With(channels_)
                        .With(layer.weights.is_unsigned)
                        .With(layer.weights.zero_point);
    const uint64_t padding = by_rows_ ? RowPadding() : channels_;
    const uint64_t constants = Plus(Times(layout.entries(channels_), ChannelBytes(layer)), padding);
    LOWBIT_RETURN_IF_ERROR(args.Fits(
        Plus(constants, Plus(layout.packed_bytes(tap_count_, channels_), scratch_bytes(args.threads())))));
    packed_ = args.Packed(args.input(1), key, layout.packed_bytes(tap_count_, channels_),
                          [&](uint8_t* bytes) { layout.pack(weights.data(), tap_count_, channels_, bytes); });
    if (!packed_ || !padding_.Allocate(static_cast<size_t>(padding)) ||
        !PackChannels(layer, layout.entries(channels_), tap_count_, channel_of, &constants_)) {
      return args.Fail(Code::kLimit, "no memory for packed weights");
    }
    packed_bytes_ = packed_->size() + constants_.bytes() + padding_.size();
    return Status();
  }

  // One of them is set.
  const kernels::depthwise::Row* by_taps_ = nullptr;
  const kernels::depthwise_rows::Row* by_rows_ = nullptr;
  uint8_t flip_ = 0, padding_byte_ = 0;
  kernels::Output requantize_{};
  SharedBuffer packed_;
  AlignedBuffer padding_;
  kernels::PackedChannels constants_;
  Operand input_, output_;
};

}  // namespace

Status LoadDepthwise(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() < 2 || args.output_count() != 1 || !args.has_input(0) || !args.has_input(1)) {
    return args.Fail(Code::kInvalid, "expected input, weights and perhaps a bias -> output");
  }
  const Tensor &input = args.input(0), &weights = args.input(1), &output = args.output(0);
  if (weights.rank != 4 || weights.dims[0] != 1) {
    return args.Fail(Code::kShapeMismatch, "weights must have shape [1, h, w, channels]");
  }
  Window window;
  LOWBIT_RETURN_IF_ERROR(ReadWindow(args, input, output, weights.dims[1], weights.dims[2], &window));
  const size_t channels = static_cast<size_t>(weights.dims[3]);
  int multiplier;
  LOWBIT_RETURN_IF_ERROR(args.Int("depthMultiplier", 1, 1 << 20, &multiplier));
  if (window.channels * static_cast<size_t>(multiplier) != channels ||
      static_cast<size_t>(output.dims[3]) != channels) {
    return args.Fail(Code::kShapeMismatch, "channels of input, weights and output do not fit together");
  }
  if (window.channels == 1 && multiplier > 1) {
    const size_t depth = static_cast<size_t>(window.filter_h) * static_cast<size_t>(window.filter_w);
    return LoadConvOf(args, window, {window.pixels(), 1, channels, depth}, {1, channels}, step);
  }
  const size_t times = static_cast<size_t>(multiplier);
  const auto is_real = [](const Tensor& tensor) { return tensor.dtype == Dtype::kFloat32; };
  if (is_real(input) && is_real(weights) && is_real(output))
    return LoadRealDepthwise(args, window, times, step);
  LayerKind kind;
  LOWBIT_RETURN_IF_ERROR(KindOfLayer(args, &kind));
  if (kind == LayerKind::kWide) return LoadWideDepthwise(args, window, times, step);
  if (kind == LayerKind::kHybrid) return LoadHybridDepthwise(args, window, times, step);
  QuantizedLayer layer;
  LOWBIT_RETURN_IF_ERROR(ReadQuantizedLayer(args, channels, &layer));
  layer.weights.channel_stride = 1;
  layer.weights.depth_stride = channels;
  auto loaded = std::make_unique<Depthwise>();
  LOWBIT_RETURN_IF_ERROR(loaded->Load(args, window, times, layer));
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
