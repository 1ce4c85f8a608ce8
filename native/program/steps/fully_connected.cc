// fullyConnected: int8 or uint8, [.., depth] x [channels, depth] -> [.., channels], with bias, requantisation
// and clamp.
#include <memory>

#include "program/steps/matmul.h"

namespace lowbit::program::steps {

namespace {

class FullyConnected final : public Step {
 public:
  void Run(const RunContext& run) const noexcept override {
    matmul_.Run(run, Rows, this, input_.In<int8_t>(run), output_.Out<int8_t>(run));
  }
  size_t scratch_bytes(int threads) const override { return matmul_.scratch_bytes(threads); }

  Status Load(StepArgs& args, const MatmulShape& shape, const QuantizedLayer& layer) {
    LOWBIT_RETURN_IF_ERROR(matmul_.Load(args, shape, layer));
    depth_ = shape.depth;
    flip_ = layer.flip;
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = matmul_.row().name;
    packed_bytes_ = matmul_.packed_bytes();
    return Status();
  }

 private:
  static void Rows(const void* context, const int8_t* input, size_t, size_t first, size_t count,
                   size_t stride, int16_t* rows) noexcept {
    const auto& self = *static_cast<const FullyConnected*>(context);
    const auto widen = self.matmul_.row().widen;
    const size_t depth = self.depth_;
    if (stride == depth) return widen(input + first * depth, count * depth, self.flip_, rows);
    for (size_t i = 0; i < count; ++i) {
      widen(input + (first + i) * depth, depth, self.flip_, rows + i * stride);
      for (size_t k = depth; k < stride; ++k) rows[i * stride + k] = 0;
    }
  }

  Matmul matmul_;
  size_t depth_ = 0;
  uint8_t flip_ = 0;
  Operand input_, output_;
};

}  // namespace

Status LoadFullyConnected(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() < 2 || args.output_count() != 1 || !args.has_input(0) || !args.has_input(1)) {
    return args.Fail(Code::kInvalid, "expected input, weights and perhaps a bias -> output");
  }
  const Tensor &input = args.input(0), &weights = args.input(1), &output = args.output(0);
  if (weights.rank != 2) return args.Fail(Code::kShapeMismatch, "weights must have rank 2");
  const size_t channels = static_cast<size_t>(weights.dims[0]), depth = static_cast<size_t>(weights.dims[1]);
  if (depth == 0 || input.count() % depth != 0 || output.count() != input.count() / depth * channels) {
    return args.Fail(Code::kShapeMismatch, "elements of input, weights and output do not fit together");
  }
  QuantizedLayer layer;
  LOWBIT_RETURN_IF_ERROR(ReadQuantizedLayer(args, channels, &layer));
  layer.weights.channel_stride = depth;
  layer.weights.depth_stride = 1;
  auto loaded = std::make_unique<FullyConnected>();
  LOWBIT_RETURN_IF_ERROR(loaded->Load(args, {input.count() / depth, 1, channels, depth}, layer));
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
