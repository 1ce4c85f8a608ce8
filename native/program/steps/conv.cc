// conv: convolution of any family, NHWC x OHWI, groups allowed; with `transposed`, a transposed convolution.
#include "program/steps/conv.h"

#include "dispatch/rows_f32.h"
#include "program/steps/conv_rows.h"
#include "program/steps/matmul_layer.h"
#include "program/steps/quantize_rows.h"
#include "program/steps/vector_layer.h"
#include "program/steps/winograd.h"

namespace lowbit::program::steps {

namespace {

// Float input: each image is quantised first, then convolved with its own scale.
template <typename Family, typename Rows>
class HybridConv final : public Step {
 public:
  HybridConv(const Rows& rows, const Window& window, bool is_asymmetric)
      : rows_(rows),
        batch_(window.batch),
        image_size_(window.in_h * window.in_w * window.channels),
        is_asymmetric_(is_asymmetric) {}

  void Run(const RunContext& run) const noexcept override {
    const MatmulShape& shape = matmul.shape();
    const size_t outputs = shape.rows * shape.groups * shape.channels;
    const float* input = input_.In<float>(run);
    float* output = output_.Out<float>(run);
    int8_t* codes = reinterpret_cast<int8_t*>(run.scratch);
    for (size_t b = 0; b < batch_; ++b) {
      float scale = 1;
      int32_t zero_point = 0;
      QuantizeRows(run, *quantize_, is_asymmetric_, input + b * image_size_, 1, image_size_, codes, &scale,
                   &zero_point);
      const auto padding = static_cast<typename Family::Lhs>(zero_point);
      matmul.Run(run, run.scratch + codes_bytes(), rows_, padding, LhsFlip(Family()), codes,
                 output + b * outputs, {&scale, &zero_point, 0});
    }
  }
  uint64_t scratch_bytes(int threads) const override { return codes_bytes() + matmul.scratch_bytes(threads); }

  void Finish(StepArgs& args) {
    quantize_ = &dispatch::rows_f32::Choose(args.isa());
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = matmul.row().name;
    packed_bytes_ = matmul.packed_bytes();
  }
  const Rows& rows() const { return rows_; }

  Matmul<Family> matmul;

 private:
  uint64_t codes_bytes() const { return Aligned(image_size_) + 64; }

  Rows rows_;
  size_t batch_, image_size_;
  bool is_asymmetric_;
  const kernels::rows_f32::Row* quantize_ = nullptr;
  Operand input_, output_;
};

Status LoadHybridConv(StepArgs& args, const Window& window, MatmulShape shape, WeightStrides strides,
                      std::unique_ptr<Step>* step) {
  int asymmetric;
  LOWBIT_RETURN_IF_ERROR(args.Int("asymmetric", 0, 1, &asymmetric));
  Window image = window;
  image.batch = 1;
  shape.rows = image.pixels();
  return WithHybridRows(
      args, shape,
      [&](const auto& copy) { return ConvRows<std::decay_t<decltype(copy)>>(image, shape.groups, copy); },
      [&](auto family, const auto& rows, const auto& row) {
        using Rows = std::decay_t<decltype(rows)>;
        auto conv = std::make_unique<HybridConv<decltype(family), Rows>>(rows, window, asymmetric != 0);
        LOWBIT_RETURN_IF_ERROR(
            LoadHybrid(args, shape, conv->rows(), strides, asymmetric != 0, row, &conv->matmul));
        conv->Finish(args);
        *step = std::move(conv);
        return Status();
      });
}

}  // namespace

Status LoadConvOf(StepArgs& args, Window window, MatmulShape shape, WeightStrides strides,
                  std::unique_ptr<Step>* step) {
  LayerKind kind;
  LOWBIT_RETURN_IF_ERROR(KindOfLayer(args, &kind));
  // Without weights the filter may be of any size.
  if (shape.channels == 0) window.filter_h = window.filter_w = 1;
  if (kind == LayerKind::kHybrid) return LoadHybridConv(args, window, shape, strides, step);
  if (kind == LayerKind::kCodes) {
    QuantizedLayer layer;
    LOWBIT_RETURN_IF_ERROR(ReadQuantizedLayer(args, shape.groups * shape.channels, &layer));
    layer.weights.channel_stride = strides.channel;
    layer.weights.depth_stride = strides.depth;
    LOWBIT_RETURN_IF_ERROR(window.IsWhole() && shape.groups == 1
                               ? LoadVectorLayer(args, shape, layer, step)
                               : LoadWinograd(args, window, shape, layer, step));
    if (*step) return Status();
  }
  const auto rows_by = [&](const auto& copy) {
    return ConvRows<std::decay_t<decltype(copy)>>(window, shape.groups, copy);
  };
  return LoadMatmulLayer(args, kind, shape, strides, rows_by, step);
}

static Status ReadConv(const StepArgs& args, Window* the_window, MatmulShape* shape) {
  if (args.input_count() < 2 || args.output_count() != 1 || !args.has_input(0) || !args.has_input(1)) {
    return args.Fail(Code::kInvalid, "expected input, weights and perhaps a bias -> output");
  }
  const Tensor &input = args.input(0), &weights = args.input(1), &output = args.output(0);
  if (weights.rank != 4) return args.Fail(Code::kShapeMismatch, "weights must have rank 4: OHWI");
  Window& window = *the_window;
  LOWBIT_RETURN_IF_ERROR(ReadWindow(args, input, output, weights.dims[1], weights.dims[2], &window));
  if (args.has("transposed")) {
    int is_transposed;
    LOWBIT_RETURN_IF_ERROR(args.Int("transposed", 0, 1, &is_transposed));
    window.is_transposed = is_transposed != 0;
  }
  const size_t channels = static_cast<size_t>(weights.dims[0]), group = static_cast<size_t>(weights.dims[3]);
  if (static_cast<size_t>(output.dims[3]) != channels || group == 0 || window.channels % group != 0 ||
      window.channels == 0 || channels % (window.channels / group) != 0) {
    return args.Fail(Code::kShapeMismatch, "channels of input, weights and output do not fit together");
  }
  const size_t groups = window.channels / group;
  const size_t depth = static_cast<size_t>(weights.dims[1]) * static_cast<size_t>(weights.dims[2]) * group;
  *shape = {window.pixels(), groups, channels / groups, depth};
  return Status();
}

Status LoadConv(StepArgs& args, std::unique_ptr<Step>* step) {
  Window window;
  MatmulShape shape;
  LOWBIT_RETURN_IF_ERROR(ReadConv(args, &window, &shape));
  return LoadConvOf(args, window, shape, {shape.depth, 1}, step);
}

Wish WishOfConv(const StepArgs& args) {
  Window window;
  MatmulShape shape;
  LayerKind kind;
  const bool is_sound = ReadConv(args, &window, &shape).ok() && KindOfLayer(args, &kind).ok();
  return is_sound && kind == LayerKind::kCodes ? WishOfWinograd(args, window, shape) : Wish();
}

}  // namespace lowbit::program::steps
