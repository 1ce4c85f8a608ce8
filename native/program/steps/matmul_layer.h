// Layers that are one matrix multiplication: convolutions and fully connected ones, of any family.
#pragma once

#include <memory>

#include "program/steps/gemm_families.h"

namespace lowbit::program::steps {

template <typename Family, typename Rows>
class MatmulLayer final : public Step {
 public:
  explicit MatmulLayer(const Rows& rows) : rows_(rows) {}

  void Run(const RunContext& run) const noexcept override {
    matmul.Run(run, run.scratch, rows_, padding, flip, input_.In<void>(run),
               output_.Out<typename Family::Out>(run));
  }
  uint64_t scratch_bytes(int threads) const override { return matmul.scratch_bytes(threads); }

  void Finish(StepArgs& args) {
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = matmul.row().name;
    packed_bytes_ = matmul.packed_bytes();
  }
  const Rows& rows() const { return rows_; }

  Matmul<Family> matmul;
  typename Family::Lhs padding = 0;
  uint8_t flip = 0;

 private:
  Rows rows_;
  Operand input_, output_;
};

template <typename Family, typename Rows, typename Load>
Status LoadMatmulLayer(StepArgs& args, const Rows& rows, const Load& load, std::unique_ptr<Step>* step) {
  auto layer = std::make_unique<MatmulLayer<Family, Rows>>(rows);
  LOWBIT_RETURN_IF_ERROR(load(*layer));
  layer->Finish(args);
  *step = std::move(layer);
  return Status();
}

// From stored bytes to what a byte kernel multiplies, where int8 codes are byte ^ flip.
inline uint8_t FlipOf(const kernels::gemm_u8::Row& row, uint8_t flip) {
  return row.lhs_offset ? flip ^ 0x80 : flip;
}

// All but hybrid layers. `rows_by(copy)` makes the source of rows (row_source.h).
template <typename RowsBy>
Status LoadMatmulLayer(StepArgs& args, LayerKind kind, const MatmulShape& shape, WeightStrides strides,
                       const RowsBy& rows_by, std::unique_ptr<Step>* step) {
  switch (kind) {
    case LayerKind::kCodes: {
      QuantizedLayer codes;
      LOWBIT_RETURN_IF_ERROR(ReadQuantizedLayer(args, shape.groups * shape.channels, &codes));
      codes.weights.channel_stride = strides.channel;
      codes.weights.depth_stride = strides.depth;
      const int32_t zero_point = codes.input_zero_point;
      if (const kernels::gemm_u8::Row* row = BytesRow(args, shape, codes)) {
        return LoadMatmulLayer<BytesFamily>(
            args, rows_by(CopyPlain<uint8_t>()),
            [&](auto& layer) {
              layer.padding = static_cast<uint8_t>(zero_point) ^ codes.flip;
              layer.flip = FlipOf(*row, codes.flip);
              return LoadBytes(args, shape, layer.rows(), codes, *row, &layer.matmul);
            },
            step);
      }
      const kernels::gemm::Row& row = CodesRow(args, shape, codes);
      return LoadMatmulLayer<CodesFamily>(
          args, rows_by(WidenCodes{row.widen, codes.flip}),
          [&](auto& layer) {
            layer.padding = static_cast<int16_t>(zero_point);
            return LoadCodes(args, shape, layer.rows(), codes, row, &layer.matmul);
          },
          step);
    }
    case LayerKind::kWide:
      return LoadMatmulLayer<WideFamily>(
          args, rows_by(CopyPlain<int16_t>()),
          [&](auto& layer) { return LoadWide(args, shape, layer.rows(), strides, &layer.matmul); }, step);
    case LayerKind::kReal:
      return LoadMatmulLayer<RealFamily>(
          args, rows_by(CopyPlain<float>()),
          [&](auto& layer) { return LoadReal(args, shape, layer.rows(), strides, &layer.matmul); }, step);
    case LayerKind::kHybrid:
      break;
  }
  return args.Fail(Code::kInvalid, "unknown kind of layer");
}

// The kernel of a hybrid layer and its source of rows over int8 codes: load(family, rows, row, flip).
template <typename RowsBy, typename Load>
Status WithHybridRows(const StepArgs& args, const MatmulShape& shape, WeightStrides strides,
                      const RowsBy& rows_by, const Load& load) {
  if (const kernels::gemm_u8::Row* row = HybridBytesRow(args, shape, strides)) {
    return load(HybridBytesFamily(), rows_by(CopyPlain<uint8_t>()), *row);
  }
  const kernels::gemm::Row& row = HybridRow(args, shape);
  return load(HybridFamily(), rows_by(WidenCodes{row.widen, 0}), row);
}

// What hybrid kernels flip in the codes.
inline uint8_t LhsFlip(const kernels::gemm_u8::Row& row) { return FlipOf(row, 0); }
constexpr uint8_t LhsFlip(const kernels::gemm::Row&) { return 0; }

}  // namespace lowbit::program::steps
