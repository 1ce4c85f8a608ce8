// fully_connected: [.., depth] x constant weights [channels, depth] -> [.., channels], of any family.
#include "dispatch/rows_f32.h"
#include "program/steps/common.h"
#include "program/steps/matmul_layer.h"
#include "program/steps/quantize_rows.h"

namespace lowbit::program::steps {

namespace {

// Float input: each row is quantised first.
template <typename Family, typename Rows>
class HybridFullyConnected final : public Step {
 public:
  HybridFullyConnected(const Rows& rows, bool is_asymmetric) : rows_(rows), is_asymmetric_(is_asymmetric) {}

  void Run(const RunContext& run) const noexcept override {
    const size_t count = matmul.shape().rows, depth = matmul.shape().depth;
    float* scales = reinterpret_cast<float*>(run.scratch);
    int32_t* zero_points = reinterpret_cast<int32_t*>(scales + count);
    int8_t* codes = reinterpret_cast<int8_t*>(zero_points + count);
    const float* input = input_.In<float>(run);
    Split(run, count, (8 << 10) / (depth + 1), [&](size_t begin, size_t end) {
      QuantizeRows(*quantize_, is_asymmetric_, input + begin * depth, end - begin, depth,
                   codes + begin * depth, scales + begin, zero_points + begin);
    });
    matmul.Run(run, run.scratch + own_bytes(), rows_, 0, LhsFlip(Family()), codes, output_.Out<float>(run),
               {scales, zero_points, 1});
  }
  uint64_t scratch_bytes(int threads) const override { return own_bytes() + matmul.scratch_bytes(threads); }

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
  size_t own_bytes() const {
    return (DivideUp(matmul.shape().rows * (matmul.shape().depth + 8), 64) + 1) * 64;
  }

  Rows rows_;
  bool is_asymmetric_;
  const kernels::rows_f32::Row* quantize_ = nullptr;
  Operand input_, output_;
};

}  // namespace

Status LoadFullyConnected(StepArgs& args, std::unique_ptr<Step>* step) {
  LayerKind kind;
  LOWBIT_RETURN_IF_ERROR(KindOfLayer(args, &kind));
  const Tensor &input = args.input(0), &weights = args.input(1), &output = args.output(0);
  if (weights.rank != 2) return args.Fail(Code::kShapeMismatch, "weights must have rank 2");
  const size_t channels = static_cast<size_t>(weights.dims[0]), depth = static_cast<size_t>(weights.dims[1]);
  if (depth == 0 || input.count() % depth != 0 || output.count() != input.count() / depth * channels) {
    return args.Fail(Code::kShapeMismatch, "elements of input, weights and output do not fit together");
  }
  const MatmulShape shape = {input.count() / depth, 1, channels, depth};
  const WeightStrides strides = {depth, 1};
  const auto rows_by = [&](const auto& copy) {
    return MatrixRows<std::decay_t<decltype(copy)>>(shape.rows, depth, copy);
  };
  if (kind != LayerKind::kHybrid) return LoadMatmulLayer(args, kind, shape, strides, rows_by, step);
  int asymmetric;
  LOWBIT_RETURN_IF_ERROR(args.Int("asymmetric", 0, 1, &asymmetric));
  return WithHybridRows(args, shape, rows_by, [&](auto family, const auto& rows, const auto& row) {
    using Rows = std::decay_t<decltype(rows)>;
    auto layer = std::make_unique<HybridFullyConnected<decltype(family), Rows>>(rows, asymmetric != 0);
    LOWBIT_RETURN_IF_ERROR(LoadHybrid(args, shape, layer->rows(), strides, false, row, &layer->matmul));
    layer->Finish(args);
    *step = std::move(layer);
    return Status();
  });
}

}  // namespace lowbit::program::steps
