// Float32 convolutions whose weights are computed, as training has them; they are packed by each run.
//
//   conv_computed        x [n, h, w, c], weights [kh, kw, c, o], perhaps a bias [o] -> y [n, oh, ow, o]
//   conv_input_gradient  dy [n, oh, ow, o], weights -> dx [n, h, w, c]: what dy says of x
//
// Attributes: those of the window of x -> y; with a bias also lowReal and highReal.
//
// The gradient is a convolution of dy with stride 1 for each residue of the positions of x by the stride: the positions
// of one residue see the same taps, at equal distances.
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "dispatch/gemm_f32.h"
#include "program/steps/common.h"
#include "program/steps/conv_rows.h"
#include "program/steps/gemm_families.h"

namespace lowbit::program::steps {
namespace {

using Rows = ConvRows<CopyPlain<float>>;

constexpr size_t kMostTaps = size_t{1} << 20;
constexpr int kMostStride = 64;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The taps that positions r, r + stride, … of one axis of x see, in the order of dy.
struct Axis {
  int first = 0;          // position: the residue
  size_t count = 0;       // of positions
  std::vector<int> taps;  // of the filter
  int pad = 0, dilation = 1;
};

Axis AxisOf(int residue, size_t extent, int filter, int stride, int dilation, int pad) {
  Axis axis;
  axis.first = residue;
  const size_t first = static_cast<size_t>(residue), step = static_cast<size_t>(stride);
  axis.count = extent > first ? (extent - first + step - 1) / step : 0;
  int64_t last = 0;
  for (int tap = filter; tap-- > 0;) {
    const int64_t reach = int64_t{residue} + pad - int64_t{tap} * dilation;
    if (reach % stride != 0) continue;
    const int64_t from = reach / stride;
    if (axis.taps.empty()) axis.pad = static_cast<int>(-from);
    if (axis.taps.size() == 1) axis.dilation = static_cast<int>(from - last);
    axis.taps.push_back(tap);
    last = from;
  }
  return axis;
}

// Positions of the output that lie a stride apart, and their convolution.
struct Part {
  Part(const Window& the_window, std::vector<size_t> the_taps)
      : window(the_window), taps(std::move(the_taps)), rows(the_window, 1, CopyPlain<float>()) {}
  Window window;
  std::vector<size_t> taps;  // of the filter, in the order of the window's
  Rows rows;
  Matmul<RealFamily> matmul;
  size_t first_h = 0, first_w = 0;
};

class ConvComputed final : public Step {
 public:
  size_t step_h = 1, step_w = 1;  // between positions of a part
  size_t out_h = 0, out_w = 0;    // of the whole
  size_t depth = 0;               // of a tap
  size_t tap_elements = 0;        // of the weights
  WeightStrides strides{0, 0};    // within a tap
  std::vector<std::unique_ptr<Part>> parts;
  Operand in, weights, bias, out;
  bool has_bias = false;
  float low = -kInfinity, high = kInfinity;

  void Run(const RunContext& run) const noexcept override {
    float* const to = out.Out<float>(run);
    const size_t channels = parts.empty() ? 0 : parts[0]->matmul.shape().channels;
    if (has_gaps_) std::fill_n(to, out_elements_, 0.0f);
    uint8_t* const apart = run.scratch + packed_scratch_;
    RealFamily::Runtime runtime;
    if (has_bias) {
      float* const padded = reinterpret_cast<float*>(apart + apart_scratch_);
      const size_t entries = parts[0]->matmul.padded_channels();
      std::fill(std::copy_n(bias.In<float>(run), channels, padded), padded + entries, 0.0f);
      runtime.bias = padded;
    }
    uint8_t* const rows = apart + apart_scratch_ + bias_scratch_;
    for (const std::unique_ptr<Part>& part : parts) {
      Pack(run, *part);
      float* const target = is_strided() ? reinterpret_cast<float*>(apart) : to;
      part->matmul.Run(run, rows, part->rows, 0.0f, 0, in.In<void>(run), target, runtime, run.scratch);
      if (is_strided()) Spread(run, *part, target, channels, to);
    }
  }
  uint64_t scratch_bytes(int threads) const override {
    uint64_t most = 0;
    for (const std::unique_ptr<Part>& part : parts)
      most = std::max(most, part->matmul.scratch_bytes(threads));
    return Plus(Plus(packed_scratch_, apart_scratch_), Plus(bias_scratch_, most));
  }

  Status Finish(StepArgs& args, const Tensor& output) {
    out_elements_ = output.count();
    for (const std::unique_ptr<Part>& part : parts) {
      packed_scratch_ = std::max(packed_scratch_, Aligned(part->matmul.unpacked_bytes()));
      const uint64_t pixels = part->window.pixels();
      if (is_strided())
        apart_scratch_ =
            std::max(apart_scratch_, Aligned(Times(pixels * sizeof(float), part->matmul.shape().channels)));
    }
    if (has_bias) bias_scratch_ = Aligned(parts[0]->matmul.padded_channels() * sizeof(float));
    LOWBIT_RETURN_IF_ERROR(args.Fits(scratch_bytes(args.threads())));
    in = args.Bind(args.input(0));
    weights = args.Bind(args.input(1));
    if (has_bias) bias = args.Bind(args.input(2));
    out = args.Bind(output);
    kernel_ =
        dispatch::gemm_f32::Choose(parts.empty() ? 1 : parts[0]->matmul.shape().channels, args.isa()).name;
    return Status();
  }
  void set_gaps() { has_gaps_ = true; }

 private:
  bool is_strided() const { return step_h > 1 || step_w > 1; }

  // The weights of a part's taps as panels [depth][nr].
  void Pack(const RunContext& run, const Part& part) const {
    const Matmul<RealFamily>& matmul = part.matmul;
    const size_t nr = static_cast<size_t>(matmul.row().nr), channels = matmul.shape().channels;
    const float* from = weights.In<float>(run);
    const size_t panels = DivideUp(channels, nr);
    Split(run, panels * part.taps.size(), (16 << 10) / (depth * nr + 1), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const size_t panel = i / part.taps.size(), tap = i % part.taps.size();
        float* to = reinterpret_cast<float*>(run.scratch + panel * matmul.panel_bytes()) + tap * depth * nr;
        matmul.row().pack(from + part.taps[tap] * tap_elements + panel * nr * strides.channel,
                          strides.channel, strides.depth, std::min(nr, channels - panel * nr), depth, to);
      }
    });
  }

  // Lays the positions of a part, side by side so far, where they belong.
  void Spread(const RunContext& run, const Part& part, const float* from, size_t channels, float* to) const {
    const Window& w = part.window;
    Split(run, w.batch * w.out_h, (16 << 10) / (w.out_w * channels + 1), [&](size_t begin, size_t end) {
      for (size_t line = begin; line < end; ++line) {
        const size_t y = part.first_h + line % w.out_h * step_h;
        const float* source = from + line * w.out_w * channels;
        float* target = to + ((line / w.out_h * out_h + y) * out_w + part.first_w) * channels;
        for (size_t x = 0; x < w.out_w; ++x, source += channels, target += step_w * channels)
          std::memcpy(target, source, channels * sizeof(float));
      }
    });
  }

  uint64_t packed_scratch_ = 0, apart_scratch_ = 0, bias_scratch_ = 0;
  size_t out_elements_ = 0;
  bool has_gaps_ = false;
};

// x, y and the weights of either step, and the window from x to y.
struct Layer {
  const Tensor *x, *y, *weights;
  Window window;
  size_t inputs, outputs;
};

Status ReadLayer(const StepArgs& args, bool is_gradient, Layer* layer) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, !is_gradient && args.input_count() == 3 ? 3 : 2, 1));
  layer->x = is_gradient ? &args.output(0) : &args.input(0);
  layer->y = is_gradient ? &args.input(0) : &args.output(0);
  layer->weights = &args.input(1);
  LOWBIT_RETURN_IF_ERROR(ExpectRealImages(args, {layer->x, layer->y, layer->weights}));
  const int32_t* dims = layer->weights->dims;
  LOWBIT_RETURN_IF_ERROR(ReadWindow(args, *layer->x, *layer->y, dims[0], dims[1], &layer->window));
  if (dims[2] != layer->x->dims[3] || dims[3] != layer->y->dims[3])
    return args.Fail(Code::kShapeMismatch, "channels of input, weights and output do not fit together");
  layer->inputs = static_cast<size_t>(dims[2]);
  layer->outputs = static_cast<size_t>(dims[3]);
  if (static_cast<uint64_t>(dims[0]) * static_cast<uint64_t>(dims[1]) > kMostTaps)
    return args.Fail(Code::kUnsupported, "a filter of more than 2^20 taps");
  return Status();
}

Status AddPart(StepArgs& args, std::unique_ptr<Part> part, size_t channels, ConvComputed* step) {
  const kernels::gemm_f32::Row& row = dispatch::gemm_f32::Choose(channels, args.isa());
  const MatmulShape shape = {part->window.pixels(), 1, channels, part->taps.size() * step->depth};
  LOWBIT_RETURN_IF_ERROR(part->matmul.Plan(args, shape, part->rows, row, sizeof(float), sizeof(float)));
  AlignedBuffer& bias = part->matmul.constants.memory;
  if (!bias.Allocate(part->matmul.padded_channels() * sizeof(float)))
    return args.Fail(Code::kLimit, "not enough memory");
  part->matmul.constants.channels = {bias.as<float>(), step->low, step->high};
  step->parts.push_back(std::move(part));
  return Status();
}

// The window of dy by which the positions of x with these residues are found. False: they see nothing.
bool WindowOf(const Layer& layer, const Axis& h, const Axis& w, Window* window) {
  if (h.taps.empty() || w.taps.empty()) return false;
  const Window& from = layer.window;
  *window = from;
  window->in_h = from.out_h;
  window->in_w = from.out_w;
  window->channels = layer.outputs;
  window->out_h = h.count;
  window->out_w = w.count;
  window->filter_h = static_cast<int>(h.taps.size());
  window->filter_w = static_cast<int>(w.taps.size());
  window->stride_h = window->stride_w = 1;
  window->dilation_h = h.dilation;
  window->dilation_w = w.dilation;
  window->pad_top = h.pad;
  window->pad_left = w.pad;
  return true;
}

Status AddResidue(StepArgs& args, const Layer& layer, const Axis& h, const Axis& w, ConvComputed* step) {
  const Window& from = layer.window;
  if (h.count == 0 || w.count == 0) return Status();
  Window window;
  if (!WindowOf(layer, h, w, &window)) {
    step->set_gaps();
    return Status();
  }
  if (window.pad_top < 0 || window.pad_left < 0)
    return args.Fail(Code::kUnsupported, "the padding is wider than the filter");
  std::vector<size_t> taps;
  for (const int y : h.taps)
    for (const int x : w.taps)
      taps.push_back(static_cast<size_t>(y) * static_cast<size_t>(from.filter_w) + static_cast<size_t>(x));
  auto part = std::make_unique<Part>(window, std::move(taps));
  part->first_h = static_cast<size_t>(h.first);
  part->first_w = static_cast<size_t>(w.first);
  return AddPart(args, std::move(part), layer.inputs, step);
}

Status ReadBias(const StepArgs& args, const Layer& layer, ConvComputed* step) {
  if (args.input_count() < 3) return Status();
  const Tensor& bias = args.input(2);
  if (bias.dtype != Dtype::kFloat32 || bias.count() != layer.outputs)
    return args.Fail(Code::kShapeMismatch, "the bias must be float32, one entry an output channel");
  step->has_bias = true;
  return ReadRealClamp(args, &step->low, &step->high);
}

}  // namespace

Status LoadConvComputed(StepArgs& args, std::unique_ptr<Step>* step) {
  Layer layer;
  LOWBIT_RETURN_IF_ERROR(ReadLayer(args, false, &layer));
  auto made = std::make_unique<ConvComputed>();
  made->depth = layer.inputs;
  made->tap_elements = layer.inputs * layer.outputs;
  made->strides = {1, layer.outputs};
  LOWBIT_RETURN_IF_ERROR(ReadBias(args, layer, made.get()));
  std::vector<size_t> taps(static_cast<size_t>(layer.window.filter_h) *
                           static_cast<size_t>(layer.window.filter_w));
  for (size_t i = 0; i < taps.size(); ++i) taps[i] = i;
  LOWBIT_RETURN_IF_ERROR(
      AddPart(args, std::make_unique<Part>(layer.window, std::move(taps)), layer.outputs, made.get()));
  LOWBIT_RETURN_IF_ERROR(made->Finish(args, *layer.y));
  *step = std::move(made);
  return Status();
}

Status LoadConvInputGradient(StepArgs& args, std::unique_ptr<Step>* step) {
  Layer layer;
  LOWBIT_RETURN_IF_ERROR(ReadLayer(args, true, &layer));
  const Window& window = layer.window;
  if (std::max(window.stride_h, window.stride_w) > kMostStride)
    return args.Fail(Code::kUnsupported, "a stride above 64");
  auto made = std::make_unique<ConvComputed>();
  made->depth = layer.outputs;
  made->tap_elements = layer.inputs * layer.outputs;
  made->strides = {layer.outputs, 1};
  made->step_h = static_cast<size_t>(window.stride_h);
  made->step_w = static_cast<size_t>(window.stride_w);
  made->out_h = window.in_h;
  made->out_w = window.in_w;
  std::vector<Axis> across;
  for (int x = 0; x < window.stride_w; ++x)
    across.push_back(
        AxisOf(x, window.in_w, window.filter_w, window.stride_w, window.dilation_w, window.pad_left));
  for (int y = 0; y < window.stride_h; ++y) {
    const Axis down =
        AxisOf(y, window.in_h, window.filter_h, window.stride_h, window.dilation_h, window.pad_top);
    for (const Axis& axis : across) LOWBIT_RETURN_IF_ERROR(AddResidue(args, layer, down, axis, made.get()));
  }
  LOWBIT_RETURN_IF_ERROR(made->Finish(args, *layer.x));
  *step = std::move(made);
  return Status();
}

}  // namespace lowbit::program::steps
