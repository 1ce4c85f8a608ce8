// conv: convolution of any family, NHWC x OHWI, groups allowed; with `transposed`, a transposed convolution.
#include "program/steps/conv.h"

#include <memory>
#include <type_traits>

#include "dispatch/gemm_u8.h"
#include "program/steps/conv_gather.h"
#include "program/steps/gemm_families.h"
#include "program/steps/quantize_rows.h"

namespace lowbit::program::steps {

namespace {

// Families whose input is gathered as it lies in the arena.
template <typename Family, typename Copy>
class Conv final : public Step {
 public:
  explicit Conv(const ConvGather<Copy>& gather) : gather_(gather) {}

  void Run(const RunContext& run) const noexcept override {
    matmul.Run(run, run.scratch, ConvGather<Copy>::Rows, &gather_, input_.In<typename Copy::Source>(run),
               output_.Out<typename Family::Out>(run));
  }
  uint64_t scratch_bytes(int threads) const override { return matmul.scratch_bytes(threads); }

  void Finish(StepArgs& args) {
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = matmul.row().name;
    packed_bytes_ = matmul.packed_bytes();
  }
  ConvGather<Copy>& gather() { return gather_; }

  Matmul<Family> matmul;

 private:
  ConvGather<Copy> gather_;
  Operand input_, output_;
};

// How a hybrid layer gathers the codes that it made, and what a zero point becomes.
inline WidenCodes CopyOf(const kernels::gemm::Row& row) { return {row.widen, 0}; }
inline OffsetCodes CopyOf(const kernels::gemm_u8::Row& row) { return {row.copy, 0x80}; }
constexpr int32_t OffsetOf(const WidenCodes&) { return 0; }
constexpr int32_t OffsetOf(const OffsetCodes&) { return kernels::gemm_u8::kLhsOffset; }

// Float input: each image is quantised first, then convolved with its own scale.
template <typename Family>
class HybridConv final : public Step {
 public:
  HybridConv(const Window& window, size_t group_channels, bool is_asymmetric)
      : window_(window), group_channels_(group_channels), is_asymmetric_(is_asymmetric) {}

  void Run(const RunContext& run) const noexcept override {
    const size_t image = image_size(), pixels = window_.out_h * window_.out_w;
    const float* input = input_.In<float>(run);
    float* output = output_.Out<float>(run);
    int8_t* codes = reinterpret_cast<int8_t*>(run.scratch);
    Window one = window_;
    one.batch = 1;
    for (size_t b = 0; b < window_.batch; ++b) {
      float scale = 1;
      int32_t zero_point = 0;
      if (is_asymmetric_) {
        QuantizeRowAsymmetric(input + b * image, image, codes, &scale, &zero_point);
      } else {
        QuantizeRowSymmetric(input + b * image, image, codes, &scale);
      }
      const auto copy = CopyOf(matmul.row());
      using Gathered = ConvGather<std::decay_t<decltype(copy)>>;
      zero_point += OffsetOf(copy);
      const Gathered gather(one, group_channels_, copy, static_cast<typename Family::Lhs>(zero_point));
      matmul.Run(run, run.scratch + codes_bytes(), Gathered::Rows, &gather, codes,
                 output + b * pixels * matmul.shape().groups * matmul.shape().channels,
                 {&scale, &zero_point, 0});
    }
  }
  uint64_t scratch_bytes(int threads) const override { return codes_bytes() + matmul.scratch_bytes(threads); }

  void Finish(StepArgs& args) {
    input_ = args.Bind(args.input(0));
    output_ = args.Bind(args.output(0));
    kernel_ = matmul.row().name;
    packed_bytes_ = matmul.packed_bytes();
  }

  Matmul<Family> matmul;

 private:
  size_t image_size() const { return window_.in_h * window_.in_w * window_.channels; }
  uint64_t codes_bytes() const { return Aligned(image_size()); }

  Window window_;
  size_t group_channels_;
  bool is_asymmetric_;
  Operand input_, output_;
};

template <typename Family, typename Copy, typename Load>
Status LoadPlain(StepArgs& args, const ConvGather<Copy>& gather, const Load& load,
                 std::unique_ptr<Step>* step) {
  auto conv = std::make_unique<Conv<Family, Copy>>(gather);
  LOWBIT_RETURN_IF_ERROR(load(&conv->matmul));
  conv->Finish(args);
  *step = std::move(conv);
  return Status();
}

}  // namespace

Status LoadConvOf(StepArgs& args, const Window& window, MatmulShape shape, WeightStrides strides,
                  std::unique_ptr<Step>* step) {
  LayerKind kind;
  LOWBIT_RETURN_IF_ERROR(KindOfLayer(args, &kind));
  const size_t group_channels = window.channels / shape.groups;
  switch (kind) {
    case LayerKind::kCodes: {
      QuantizedLayer layer;
      LOWBIT_RETURN_IF_ERROR(ReadQuantizedLayer(args, shape.groups * shape.channels, &layer));
      layer.weights.channel_stride = strides.channel;
      layer.weights.depth_stride = strides.depth;
      if (const kernels::gemm_u8::Row* row = BytesRow(args, shape, layer)) {
        const int32_t padding = layer.input_zero_point + kernels::gemm_u8::kLhsOffset;
        return LoadPlain<BytesFamily>(
            args,
            ConvGather<OffsetCodes>(window, group_channels,
                                    {row->copy, static_cast<uint8_t>(layer.flip ^ 0x80)},
                                    static_cast<uint8_t>(padding)),
            [&](Matmul<BytesFamily>* matmul) { return LoadBytes(args, shape, layer, *row, matmul); }, step);
      }
      auto conv = std::make_unique<Conv<CodesFamily, WidenCodes>>(ConvGather<WidenCodes>(
          window, group_channels, {nullptr, layer.flip}, static_cast<int16_t>(layer.input_zero_point)));
      LOWBIT_RETURN_IF_ERROR(LoadCodes(args, shape, layer, &conv->matmul));
      conv->gather().copy.widen = conv->matmul.row().widen;
      conv->Finish(args);
      *step = std::move(conv);
      return Status();
    }
    case LayerKind::kHybrid: {
      int is_asymmetric;
      LOWBIT_RETURN_IF_ERROR(args.Int("asymmetric", 0, 1, &is_asymmetric));
      shape.rows = window.out_h * window.out_w;
      const bool asymmetric = is_asymmetric != 0;
      const auto finish = [&](auto conv) {
        conv->Finish(args);
        *step = std::move(conv);
        return Status();
      };
      if (const kernels::gemm_u8::Row* row = dispatch::gemm_u8::Choose(shape.channels, args.isa())) {
        auto conv = std::make_unique<HybridConv<HybridBytesFamily>>(window, group_channels, asymmetric);
        LOWBIT_RETURN_IF_ERROR(LoadHybridBytes(args, shape, strides, asymmetric, *row, &conv->matmul));
        return finish(std::move(conv));
      }
      auto conv = std::make_unique<HybridConv<HybridFamily>>(window, group_channels, asymmetric);
      LOWBIT_RETURN_IF_ERROR(LoadHybrid(args, shape, strides, asymmetric, &conv->matmul));
      return finish(std::move(conv));
    }
    case LayerKind::kWide:
      return LoadPlain<WideFamily>(
          args, ConvGather<CopyPlain<int16_t>>(window, group_channels, {}, 0),
          [&](Matmul<WideFamily>* matmul) { return LoadWide(args, shape, strides, matmul); }, step);
    case LayerKind::kReal:
      return LoadPlain<RealFamily>(
          args, ConvGather<CopyPlain<float>>(window, group_channels, {}, 0),
          [&](Matmul<RealFamily>* matmul) { return LoadReal(args, shape, strides, matmul); }, step);
  }
  return args.Fail(Code::kInvalid, "unknown kind of layer");
}

Status LoadConv(StepArgs& args, std::unique_ptr<Step>* step) {
  if (args.input_count() < 2 || args.output_count() != 1 || !args.has_input(0) || !args.has_input(1)) {
    return args.Fail(Code::kInvalid, "expected input, weights and perhaps a bias -> output");
  }
  const Tensor &input = args.input(0), &weights = args.input(1), &output = args.output(0);
  if (weights.rank != 4) return args.Fail(Code::kShapeMismatch, "weights must have rank 4: OHWI");
  Window window;
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
  return LoadConvOf(args, window, {window.pixels(), groups, channels / groups, depth}, {depth, 1}, step);
}

}  // namespace lowbit::program::steps
