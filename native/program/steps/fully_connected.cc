// fully_connected: [.., depth] x constant weights [channels, depth] -> [.., channels], of any family.
#include <cstring>
#include <memory>
#include <type_traits>

#include "dispatch/gemm_u8.h"
#include "program/steps/gemm_families.h"
#include "program/steps/quantize_rows.h"

namespace lowbit::program::steps {

namespace {

struct Rows {  // context of the gathers below
  size_t depth;
  kernels::gemm::Widen widen;
  uint8_t flip;  // or the mask of `copy`
  kernels::gemm_u8::Copy copy = nullptr;
};

void GatherCodes(const void* context, const void* input, size_t, size_t first, size_t count, size_t stride,
                 int16_t* rows) noexcept {
  const Rows& r = *static_cast<const Rows*>(context);
  const int8_t* from = static_cast<const int8_t*>(input) + first * r.depth;
  if (stride == r.depth) return r.widen(from, count * stride, r.flip, rows);
  for (size_t i = 0; i < count; ++i) {
    r.widen(from + i * r.depth, r.depth, r.flip, rows + i * stride);
    for (size_t k = r.depth; k < stride; ++k) rows[i * stride + k] = 0;
  }
}

void GatherBytes(const void* context, const void* input, size_t, size_t first, size_t count, size_t stride,
                 uint8_t* rows) noexcept {
  const Rows& r = *static_cast<const Rows*>(context);
  const int8_t* from = static_cast<const int8_t*>(input) + first * r.depth;
  if (stride == r.depth) return r.copy(from, count * stride, r.flip, rows);
  for (size_t i = 0; i < count; ++i) {
    r.copy(from + i * r.depth, r.depth, r.flip, rows + i * stride);
    for (size_t k = r.depth; k < stride; ++k) rows[i * stride + k] = 0;
  }
}

template <typename T>
void GatherPlain(const void* context, const void* input, size_t, size_t first, size_t count, size_t stride,
                 T* rows) noexcept {
  const size_t depth = static_cast<const Rows*>(context)->depth;
  const T* from = static_cast<const T*>(input) + first * depth;
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(rows + i * stride, from + i * depth, depth * sizeof(T));
    for (size_t k = depth; k < stride; ++k) rows[i * stride + k] = 0;
  }
}

template <typename Family>
class FullyConnected final : public Step {
 public:
  FullyConnected(size_t depth, Gather<typename Family::Lhs> gather)
      : rows{depth, nullptr, 0, nullptr}, gather_(gather) {}

  void Run(const RunContext& run) const noexcept override {
    matmul.Run(run, run.scratch, gather_, &rows, input_.In<void>(run),
               output_.Out<typename Family::Out>(run));
  }
  uint64_t scratch_bytes(int threads) const override { return matmul.scratch_bytes(threads); }

  void Finish(StepArgs& args) {
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = matmul.row().name;
    packed_bytes_ = matmul.packed_bytes();
  }

  Matmul<Family> matmul;
  Rows rows;

 private:
  Gather<typename Family::Lhs> gather_;
  Operand input_, output_;
};

// Float input: each row is quantised first.
template <typename Family>
class HybridFullyConnected final : public Step {
 public:
  HybridFullyConnected(size_t depth, bool is_asymmetric)
      : rows{depth, nullptr, 0, nullptr}, is_asymmetric_(is_asymmetric) {}

  void Run(const RunContext& run) const noexcept override {
    const size_t count = matmul.shape().rows, depth = rows.depth;
    float* scales = reinterpret_cast<float*>(run.scratch);
    int32_t* zero_points = reinterpret_cast<int32_t*>(scales + count);
    int8_t* codes = reinterpret_cast<int8_t*>(zero_points + count);
    const float* input = input_.In<float>(run);
    for (size_t i = 0; i < count; ++i) {
      zero_points[i] = 0;
      if (is_asymmetric_) {
        QuantizeRowAsymmetric(input + i * depth, depth, codes + i * depth, scales + i, zero_points + i);
      } else {
        QuantizeRowSymmetric(input + i * depth, depth, codes + i * depth, scales + i);
      }
      zero_points[i] += kOffset;
    }
    matmul.Run(run, run.scratch + own_bytes(), kGather, &rows, codes, output_.Out<float>(run),
               {scales, zero_points, 1});
  }
  uint64_t scratch_bytes(int threads) const override { return own_bytes() + matmul.scratch_bytes(threads); }

  void Finish(StepArgs& args) {
    SetCopy(matmul.row());
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = matmul.row().name;
    packed_bytes_ = matmul.packed_bytes();
  }

  Matmul<Family> matmul;
  Rows rows;

 private:
  static constexpr bool kIsBytes = std::is_same_v<Family, HybridBytesFamily>;
  static constexpr int32_t kOffset = kIsBytes ? kernels::gemm_u8::kLhsOffset : 0;
  static constexpr Gather<typename Family::Lhs> kGather = [] {
    if constexpr (kIsBytes) {
      return GatherBytes;
    } else {
      return GatherCodes;
    }
  }();
  void SetCopy(const kernels::gemm::Row& row) { rows.widen = row.widen; }
  void SetCopy(const kernels::gemm_u8::Row& row) {
    rows.copy = row.copy;
    rows.flip = 0x80;
  }
  uint64_t own_bytes() const { return Aligned(uint64_t{matmul.shape().rows} * (rows.depth + 8)); }

  bool is_asymmetric_;
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
  const auto finish = [&](auto loaded) {
    loaded->Finish(args);
    *step = std::move(loaded);
    return Status();
  };
  switch (kind) {
    case LayerKind::kCodes: {
      QuantizedLayer layer;
      LOWBIT_RETURN_IF_ERROR(ReadQuantizedLayer(args, channels, &layer));
      layer.weights.channel_stride = depth;
      layer.weights.depth_stride = 1;
      if (const kernels::gemm_u8::Row* row = BytesRow(args, shape, layer)) {
        auto loaded = std::make_unique<FullyConnected<BytesFamily>>(depth, GatherBytes);
        loaded->rows.copy = row->copy;
        loaded->rows.flip = layer.flip ^ 0x80;
        LOWBIT_RETURN_IF_ERROR(LoadBytes(args, shape, layer, *row, &loaded->matmul));
        return finish(std::move(loaded));
      }
      auto loaded = std::make_unique<FullyConnected<CodesFamily>>(depth, GatherCodes);
      LOWBIT_RETURN_IF_ERROR(LoadCodes(args, shape, layer, &loaded->matmul));
      loaded->rows.widen = loaded->matmul.row().widen;
      loaded->rows.flip = layer.flip;
      return finish(std::move(loaded));
    }
    case LayerKind::kHybrid: {
      int is_asymmetric;
      LOWBIT_RETURN_IF_ERROR(args.Int("asymmetric", 0, 1, &is_asymmetric));
      if (const kernels::gemm_u8::Row* row = dispatch::gemm_u8::Choose(shape.channels, args.isa())) {
        auto loaded = std::make_unique<HybridFullyConnected<HybridBytesFamily>>(depth, is_asymmetric != 0);
        LOWBIT_RETURN_IF_ERROR(LoadHybridBytes(args, shape, strides, false, *row, &loaded->matmul));
        return finish(std::move(loaded));
      }
      auto loaded = std::make_unique<HybridFullyConnected<HybridFamily>>(depth, is_asymmetric != 0);
      LOWBIT_RETURN_IF_ERROR(LoadHybrid(args, shape, strides, false, &loaded->matmul));
      return finish(std::move(loaded));
    }
    case LayerKind::kWide: {
      auto loaded = std::make_unique<FullyConnected<WideFamily>>(depth, GatherPlain<int16_t>);
      LOWBIT_RETURN_IF_ERROR(LoadWide(args, shape, strides, &loaded->matmul));
      return finish(std::move(loaded));
    }
    case LayerKind::kReal: {
      auto loaded = std::make_unique<FullyConnected<RealFamily>>(depth, GatherPlain<float>);
      LOWBIT_RETURN_IF_ERROR(LoadReal(args, shape, strides, &loaded->matmul));
      return finish(std::move(loaded));
    }
  }
  return args.Fail(Code::kInvalid, "unknown kind of layer");
}

}  // namespace lowbit::program::steps
