// conv: int8 or uint8 convolution, NHWC x OHWI, groups allowed, with bias, requantisation and clamp.
#include <memory>

#include "program/steps/conv_gather.h"
#include "program/steps/layers.h"
#include "program/steps/matmul.h"

namespace lowbit::program::steps {

namespace {

class Conv final : public Step {
 public:
  void Run(const RunContext& run) const noexcept override {
    matmul_.Run(run, ConvGather::Rows, &gather_, input_.In<int8_t>(run), output_.Out<int8_t>(run));
  }
  size_t scratch_bytes(int threads) const override { return matmul_.scratch_bytes(threads); }

  Status Load(StepArgs& args, const Window& window, const MatmulShape& shape, const QuantizedLayer& layer) {
    LOWBIT_RETURN_IF_ERROR(matmul_.Load(args, shape, layer));
    gather_.window = window;
    gather_.group_channels = window.channels / shape.groups;
    gather_.widen = matmul_.row().widen;
    gather_.zero_point = static_cast<int16_t>(layer.input_zero_point);
    gather_.flip = layer.flip;
    gather_.is_pointwise = window.filter_h == 1 && window.filter_w == 1 && window.stride_h == 1 &&
                           window.stride_w == 1 && window.pad_top == 0 && window.pad_left == 0 &&
                           window.in_h == window.out_h && window.in_w == window.out_w && shape.groups == 1;
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = matmul_.row().name;
    packed_bytes_ = matmul_.packed_bytes();
    return Status();
  }

 private:
  Matmul matmul_;
  ConvGather gather_{};
  Operand input_, output_;
};

}  // namespace

Status LoadConvOf(StepArgs& args, const Window& window, const MatmulShape& shape, const QuantizedLayer& layer,
                  std::unique_ptr<Step>* step) {
  auto conv = std::make_unique<Conv>();
  LOWBIT_RETURN_IF_ERROR(conv->Load(args, window, shape, layer));
  *step = std::move(conv);
  return Status();
}

Status LoadConv(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() < 2 || args.output_count() != 1 || !args.has_input(0) || !args.has_input(1)) {
    return args.Fail(Code::kInvalid, "expected input, weights and perhaps a bias -> output");
  }
  const Tensor &input = args.input(0), &weights = args.input(1), &output = args.output(0);
  if (weights.rank != 4) return args.Fail(Code::kShapeMismatch, "weights must have rank 4: OHWI");
  Window window;
  LOWBIT_RETURN_IF_ERROR(ReadWindow(args, input, output, weights.dims[1], weights.dims[2], &window));
  const size_t channels = static_cast<size_t>(weights.dims[0]), group = static_cast<size_t>(weights.dims[3]);
  if (static_cast<size_t>(output.dims[3]) != channels || group == 0 || window.channels % group != 0 ||
      window.channels == 0 || channels % (window.channels / group) != 0) {
    return args.Fail(Code::kShapeMismatch, "channels of input, weights and output do not fit together");
  }
  QuantizedLayer layer;
  LOWBIT_RETURN_IF_ERROR(ReadQuantizedLayer(args, channels, &layer));
  const size_t groups = window.channels / group;
  const size_t depth = static_cast<size_t>(weights.dims[1]) * static_cast<size_t>(weights.dims[2]) * group;
  layer.weights.channel_stride = depth;
  layer.weights.depth_stride = 1;
  return LoadConvOf(args, window, {window.pixels(), groups, channels / groups, depth}, layer, step);
}

}  // namespace lowbit::program::steps
