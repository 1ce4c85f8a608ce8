// depthwise: int8 or uint8 depthwise convolution, NHWC x 1HW(C*multiplier), with bias, requantisation and
// clamp.
//
// With one input channel the layer is an ordinary convolution and runs as one. With several channels and a
// depth multiplier above 1 the input is first spread in scratch memory, each channel `multiplier` times.
#include "dispatch/depthwise.h"

#include <cstring>
#include <memory>

#include "kernels/depthwise/pack.h"
#include "program/steps/conv.h"
#include "program/steps/depthwise_plain.h"

namespace lowbit::program::steps {

namespace {

constexpr size_t kParallelDepthwiseMacs = 400 * 1000;  // about 20 microseconds
constexpr size_t kMostTaps = size_t{1} << 20;

class Depthwise final : public Step {
 public:
  void Run(const RunContext& run) const noexcept override {
    const int8_t* input = input_.In<int8_t>(run);
    if (multiplier_ > 1) {
      int8_t* spread = reinterpret_cast<int8_t*>(run.scratch);
      Spread(input, spread);
      input = spread;
    }
    int8_t* output = output_.Out<int8_t>(run);
    uint8_t* taps = run.scratch + spread_bytes_;
    const auto rows = [&](size_t chunk, int slot) {
      const int8_t** mine = reinterpret_cast<const int8_t**>(taps + static_cast<size_t>(slot) * taps_bytes_);
      const size_t all = window_.batch * window_.out_h;
      for (size_t row = all * chunk / chunks_; row < all * (chunk + 1) / chunks_; ++row) {
        OutputRow(input, row, mine, output);
      }
    };
    if (chunks_ == 1) {
      rows(0, 0);
    } else {
      run.pool->For(chunks_, run.threads, rows);
    }
  }

  uint64_t scratch_bytes(int threads) const override {
    return spread_bytes_ + uint64_t{taps_bytes_} * static_cast<uint64_t>(threads);
  }

  Status Load(StepArgs& args, const Window& window, size_t multiplier, QuantizedLayer& layer) {
    window_ = window;
    multiplier_ = multiplier;
    channels_ = window.channels * multiplier;
    flip_ = layer.flip;
    requantize_ = layer.output;
    tap_count_ = static_cast<size_t>(window.filter_h) * static_cast<size_t>(window.filter_w);
    if (tap_count_ > kMostTaps) return args.Fail(Code::kUnsupported, "more than 2^20 taps an output pixel");
    LOWBIT_RETURN_IF_ERROR(PlanScratch(args));
    // As many as the tensor of weights has bytes.
    std::vector<int16_t> weights(tap_count_ * channels_);
    for (size_t t = 0; t < tap_count_; ++t) {
      for (size_t c = 0; c < channels_; ++c) {
        weights[t * channels_ + c] = static_cast<int16_t>(layer.weights.At(c, t));
      }
    }
    row_ = &dispatch::depthwise::Choose(weights.data(), weights.size(), args.isa());
    kernel_ = row_->name;
    const kernels::depthwise::Layout& layout = *row_->layout;
    layer.input_zero_point += layout.lhs_offset;
    const auto channel_of = [&](size_t entry) { return layout.channel_of(entry, channels_); };
    const Key key = Key()
                        .With(reinterpret_cast<uintptr_t>(row_))
                        .With(tap_count_)
                        .With(channels_)
                        .With(layer.weights.is_unsigned)
                        .With(layer.weights.zero_point);
    const uint64_t constants = Times(layout.entries(channels_), ChannelBytes(layer)) + channels_;
    LOWBIT_RETURN_IF_ERROR(args.Fits(
        Plus(constants, Plus(layout.packed_bytes(tap_count_, channels_), scratch_bytes(args.threads())))));
    packed_ = args.Packed(args.input(1), key, layout.packed_bytes(tap_count_, channels_),
                          [&](uint8_t* bytes) { layout.pack(weights.data(), tap_count_, channels_, bytes); });
    if (!packed_ || !padding_.Allocate(channels_) ||
        !PackChannels(layer, layout.entries(channels_), tap_count_, channel_of, &constants_)) {
      return args.Fail(Code::kLimit, "no memory for packed weights");
    }
    packed_bytes_ = packed_->size() + constants_.bytes() + padding_.size();
    if (channels_) {
      std::memset(padding_.data(), ((layer.input_zero_point - layout.lhs_offset) & 0xff) ^ layer.flip,
                  channels_);
    }
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));

    const size_t rows = window.batch * window.out_h;
    const uint64_t macs = Times(Times(rows, window.out_w), Times(channels_, tap_count_));
    const size_t threads = static_cast<size_t>(args.threads());
    chunks_ = threads > 1 && macs >= kParallelDepthwiseMacs ? std::min(rows, 4 * threads) : 1;
    return Status();
  }

 private:
  // Neither part is bounded by the tensors: the input is multiplied, and taps are pointers.
  Status PlanScratch(const StepArgs& args) {
    const auto align = [](uint64_t bytes) { return (bytes + 63) / 64 * 64; };
    const uint64_t pixels = Times(window_.batch, Times(window_.in_h, window_.in_w));
    const uint64_t spread = multiplier_ > 1 ? align(Times(pixels, channels_)) : 0;
    const uint64_t taps = align(Times(window_.out_w, tap_count_ * sizeof(int8_t*)));
    LOWBIT_RETURN_IF_ERROR(args.Fits(Plus(spread, Times(taps, static_cast<uint64_t>(args.threads())))));
    spread_bytes_ = static_cast<size_t>(spread);
    taps_bytes_ = static_cast<size_t>(taps);
    return Status();
  }

  void Spread(const int8_t* input, int8_t* spread) const noexcept {
    const size_t count = window_.batch * window_.in_h * window_.in_w * window_.channels;
    for (size_t i = 0; i < count; ++i, spread += multiplier_) std::memset(spread, input[i], multiplier_);
  }

  // Output row `row` of all images: the taps of its pixels, then the kernel.
  void OutputRow(const int8_t* input, size_t row, const int8_t** taps, int8_t* output) const noexcept {
    const Window& w = window_;
    const size_t b = row / w.out_h, oy = row % w.out_h;
    const int8_t* padding = padding_.as<int8_t>();
    size_t t = 0;
    for (int ky = 0; ky < w.filter_h; ++ky) {
      const ptrdiff_t iy = w.InputRow(oy, ky);
      const int8_t* line =
          w.HasRow(iy) ? input + (b * w.in_h + static_cast<size_t>(iy)) * w.in_w * channels_ : nullptr;
      for (int kx = 0; kx < w.filter_w; ++kx, ++t) {
        ptrdiff_t ix = w.InputColumn(0, kx);
        for (size_t ox = 0; ox < w.out_w; ++ox, ix += w.stride_w) {
          taps[ox * tap_count_ + t] =
              line && w.HasColumn(ix) ? line + static_cast<size_t>(ix) * channels_ : padding;
        }
      }
    }
    const kernels::depthwise::Call call = {taps,
                                           packed_->data(),
                                           output + row * w.out_w * channels_,
                                           static_cast<ptrdiff_t>(channels_),
                                           w.out_w,
                                           tap_count_,
                                           channels_,
                                           flip_};
    row_->run(call, constants_.channels(), requantize_);
  }

  const kernels::depthwise::Row* row_ = nullptr;
  Window window_{};
  size_t multiplier_ = 1, channels_ = 0, tap_count_ = 0, chunks_ = 1;
  size_t spread_bytes_ = 0, taps_bytes_ = 0;
  uint8_t flip_ = 0;
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
  LayerKind kind;
  LOWBIT_RETURN_IF_ERROR(KindOfLayer(args, &kind));
  if (kind != LayerKind::kCodes)
    return LoadPlainDepthwise(args, window, static_cast<size_t>(multiplier), step);
  QuantizedLayer layer;
  LOWBIT_RETURN_IF_ERROR(ReadQuantizedLayer(args, channels, &layer));
  layer.weights.channel_stride = 1;
  layer.weights.depth_stride = channels;
  auto loaded = std::make_unique<Depthwise>();
  LOWBIT_RETURN_IF_ERROR(loaded->Load(args, window, static_cast<size_t>(multiplier), layer));
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
