// fully_connected: [.., depth] x constant weights [channels, depth] -> [.., channels], of any family.
#include "dispatch/rows_f32.h"
#include "program/steps/matmul_layer.h"
#include "program/steps/quantize_rows.h"
#include "program/steps/vector_layer.h"

namespace lowbit::program::steps {

namespace {

// Float input: each row is quantised first, here or by a step before (quantize_rows).
template <typename Family, typename Rows>
class HybridFullyConnected final : public Step {
 public:
  explicit HybridFullyConnected(const Rows& rows) : rows_(rows) {}

  void Run(const RunContext& run) const noexcept override {
    float* output = output_.Out<float>(run);
    if (!quantize_) {
      const typename Family::Runtime quantized = {scales_.In<float>(run), zero_points_.In<int32_t>(run), 1};
      return matmul.Run(run, run.scratch, rows_, 0, LhsFlip(Family()), input_.In<int8_t>(run), output,
                        quantized);
    }
    const size_t count = matmul.shape().rows, depth = matmul.shape().depth;
    float* scales = reinterpret_cast<float*>(run.scratch);
    int32_t* zero_points = reinterpret_cast<int32_t*>(scales + count);
    int8_t* codes = reinterpret_cast<int8_t*>(zero_points + count);
    QuantizeRows(run, *quantize_, is_asymmetric_, input_.In<float>(run), count, depth, codes, scales,
                 zero_points);
    matmul.Run(run, run.scratch + own_bytes(), rows_, 0, LhsFlip(Family()), codes, output,
               {scales, zero_points, 1});
  }
  uint64_t scratch_bytes(int threads) const override { return own_bytes() + matmul.scratch_bytes(threads); }

  // The input is quantised here.
  void Quantize(const StepArgs& args, bool is_asymmetric) {
    quantize_ = &dispatch::rows_f32::Choose(args.isa());
    is_asymmetric_ = is_asymmetric;
  }
  void Finish(StepArgs& args) {
    if (!quantize_) {
      scales_ = args.Bind(args.input(3));
      zero_points_ = args.Bind(args.input(4));
    }
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = matmul.row().name;
    packed_bytes_ = matmul.packed_bytes();
  }
  const Rows& rows() const { return rows_; }

  Matmul<Family> matmul;

 private:
  size_t own_bytes() const {
    if (!quantize_) return 0;
    return (DivideUp(matmul.shape().rows * (matmul.shape().depth + 8), 64) + 1) * 64;
  }

  Rows rows_;
  bool is_asymmetric_ = false;
  const kernels::rows_f32::Row* quantize_ = nullptr;  // null: the input is quantised already
  Operand input_, scales_, zero_points_, output_;
};

// Whether the input is quantised already: scales and zero points of its rows are inputs 3 and 4.
Status HasQuantizedRows(const StepArgs& args, bool* has) {
  *has = args.has_input(3);
  if (!*has) return Status();
  if (!args.has_input(4) || args.input_count() != 5 || args.output_count() != 1) {
    return args.Fail(Code::kInvalid, "expected codes, weights, a bias, scales and zero points -> output");
  }
  const auto is = [&](int i, Dtype dtype) { return args.has_input(i) && args.input(i).dtype == dtype; };
  if (!is(0, Dtype::kInt8) || !is(1, Dtype::kInt8) || !is(3, Dtype::kFloat32) || !is(4, Dtype::kInt32) ||
      args.output(0).dtype != Dtype::kFloat32) {
    return args.Fail(Code::kTypeMismatch, "quantised rows are int8, their scales float32, zero points int32");
  }
  if (!args.input(1).is_constant()) return args.Fail(Code::kUnsupported, "weights must be constant");
  return Status();
}

template <typename RowsBy>
Status LoadHybridFullyConnected(StepArgs& args, const MatmulShape& shape, const WeightStrides& strides,
                                const RowsBy& rows_by, bool is_quantized, std::unique_ptr<Step>* step) {
  int asymmetric;
  LOWBIT_RETURN_IF_ERROR(args.Int("asymmetric", 0, 1, &asymmetric));
  if (is_quantized && (args.input(3).count() != shape.rows || args.input(4).count() != shape.rows)) {
    return args.Fail(Code::kShapeMismatch, "quantised rows need a scale and a zero point each");
  }
  return WithHybridRows(args, shape, rows_by, [&](auto family, const auto& rows, const auto& row) {
    using Rows = std::decay_t<decltype(rows)>;
    auto layer = std::make_unique<HybridFullyConnected<decltype(family), Rows>>(rows);
    if (!is_quantized) layer->Quantize(args, asymmetric != 0);
    LOWBIT_RETURN_IF_ERROR(LoadHybrid(args, shape, layer->rows(), strides, false, row, &layer->matmul));
    layer->Finish(args);
    *step = std::move(layer);
    return Status();
  });
}

}  // namespace

Status LoadFullyConnected(StepArgs& args, std::unique_ptr<Step>* step) {
  LayerKind kind = LayerKind::kHybrid;
  bool is_quantized;
  LOWBIT_RETURN_IF_ERROR(HasQuantizedRows(args, &is_quantized));
  if (!is_quantized) LOWBIT_RETURN_IF_ERROR(KindOfLayer(args, &kind));
  const Tensor &input = args.input(0), &weights = args.input(1), &output = args.output(0);
  if (weights.rank != 2) return args.Fail(Code::kShapeMismatch, "weights must have rank 2");
  const size_t channels = static_cast<size_t>(weights.dims[0]), depth = static_cast<size_t>(weights.dims[1]);
  if (depth == 0 || input.count() % depth != 0 || output.count() != input.count() / depth * channels) {
    return args.Fail(Code::kShapeMismatch, "elements of input, weights and output do not fit together");
  }
  const MatmulShape shape = {input.count() / depth, 1, channels, depth};
  const WeightStrides strides = {depth, 1};
  if (kind == LayerKind::kCodes && shape.rows == 1) {
    QuantizedLayer layer;
    LOWBIT_RETURN_IF_ERROR(ReadQuantizedLayer(args, channels, &layer));
    layer.weights.channel_stride = strides.channel;
    layer.weights.depth_stride = strides.depth;
    LOWBIT_RETURN_IF_ERROR(LoadVectorLayer(args, shape, layer, step));
    if (*step) return Status();
  }
  const auto rows_by = [&](const auto& copy) {
    return MatrixRows<std::decay_t<decltype(copy)>>(shape.rows, depth, copy);
  };
  if (kind != LayerKind::kHybrid) return LoadMatmulLayer(args, kind, shape, strides, rows_by, step);
  return LoadHybridFullyConnected(args, shape, strides, rows_by, is_quantized, step);
}

}  // namespace lowbit::program::steps
