// `conv3d`: a convolution over three dimensions, on float32. Inputs: x [batch, depth, height, width, inputs],
// constant weights [depth, height, width, inputs, outputs], bias [outputs] or absent. Attributes: stride,
// dilation, padBefore (3 each), lowReal and highReal (the fused activation).
//
// Source: LiteRT kernels/internal/reference/conv3d.h.
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }  // for a >= 0 and b > 0

class Conv3d final : public Step {
 public:
  Conv3d() { kernel_ = "conv3d.f32.scalar"; }
  size_t batches = 0, inputs = 0, outputs = 0;
  int32_t in_extent[3] = {}, filter[3] = {}, out_extent[3] = {};
  int32_t stride[3] = {}, dilation[3] = {}, pad[3] = {};
  float low = 0, high = 0;
  bool has_bias = false;
  Operand in, weights, bias, out;

  void Run(const RunContext& run) const noexcept override {
    const size_t rows = batches * Extent(0) * Extent(1) * Extent(2);
    const size_t each = inputs * outputs * static_cast<size_t>(filter[0]) * static_cast<size_t>(filter[1]) *
                        static_cast<size_t>(filter[2]);
    Split(run, rows, (64 << 10) / (each + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) Place(run, row);
    });
  }

 private:
  size_t Extent(int d) const { return static_cast<size_t>(out_extent[d]); }

  // All outputs of one place, summed in the order of the taps. Taps in the padding are never visited: a filter may
  // be any number of times larger than the input.
  void Place(const RunContext& run, size_t row) const {
    int64_t at[3], first[3], end[3];
    size_t batch = row;
    for (int d = 3; d-- > 0; batch /= Extent(d)) {
      at[d] = static_cast<int64_t>(batch % Extent(d)) * stride[d] - pad[d];
      first[d] = CeilDivide(std::max<int64_t>(0, -at[d]), dilation[d]);
      end[d] =
          std::min<int64_t>(filter[d], CeilDivide(std::max<int64_t>(0, in_extent[d] - at[d]), dilation[d]));
    }
    float* const to = out.Out<float>(run) + row * outputs;
    std::fill_n(to, outputs, 0.0f);
    for (int64_t z = first[0]; z < end[0]; ++z) {
      const size_t plane =
          batch * static_cast<size_t>(in_extent[0]) + static_cast<size_t>(at[0] + z * dilation[0]);
      for (int64_t y = first[1]; y < end[1]; ++y) {
        const size_t line =
            plane * static_cast<size_t>(in_extent[1]) + static_cast<size_t>(at[1] + y * dilation[1]);
        for (int64_t x = first[2]; x < end[2]; ++x) {
          const size_t place =
              line * static_cast<size_t>(in_extent[2]) + static_cast<size_t>(at[2] + x * dilation[2]);
          const size_t tap = static_cast<size_t>((z * filter[1] + y) * filter[2] + x);
          AddTap(in.In<float>(run) + place * inputs, weights.In<float>(run) + tap * inputs * outputs, to);
        }
      }
    }
    const float* const added = has_bias ? bias.In<float>(run) : nullptr;
    for (size_t o = 0; o < outputs; ++o)
      to[o] = std::min(high, std::max(low, to[o] + (added ? added[o] : 0.0f)));
  }

  void AddTap(const float* x, const float* w, float* to) const {
    for (size_t i = 0; i < inputs; ++i, w += outputs)
      for (size_t o = 0; o < outputs; ++o) to[o] += x[i] * w[o];
  }
};

}  // namespace

Status LoadConv3d(StepArgs& args, std::unique_ptr<Step>* step) {
  const bool has_bias = args.has_input(2);
  LOWBIT_RETURN_IF_ERROR(has_bias ? ExpectOperands(args, 3, 1) : Status());
  if (args.input_count() != 3 || !args.has_input(0) || !args.has_input(1) || args.output_count() != 1)
    return args.Fail(Code::kInvalid, "takes 3 inputs, of which the bias may be absent, and gives one output");
  const Tensor &in = args.input(0), &weights = args.input(1), &out = args.output(0);
  for (const Tensor* one : {&in, &weights, &out})
    if (one->dtype != Dtype::kFloat32 || one->rank != 5)
      return args.Fail(Code::kTypeMismatch, "takes and gives float32 of rank 5");
  if (!weights.is_constant()) return args.Fail(Code::kUnsupported, "weights must be constant");
  if (in.dims[0] != out.dims[0] || in.dims[4] != weights.dims[3] || out.dims[4] != weights.dims[4])
    return args.Fail(Code::kShapeMismatch, "batches or channels do not fit together");
  if (has_bias &&
      (args.input(2).dtype != Dtype::kFloat32 || args.input(2).count() != static_cast<size_t>(out.dims[4])))
    return args.Fail(Code::kShapeMismatch, "the bias must be float32, one an output");
  auto loaded = std::make_unique<Conv3d>();
  Span<const int32_t> stride, dilation, pad;
  LOWBIT_RETURN_IF_ERROR(args.Ints("stride", 3, &stride));
  LOWBIT_RETURN_IF_ERROR(args.Ints("dilation", 3, &dilation));
  LOWBIT_RETURN_IF_ERROR(args.Ints("padBefore", 3, &pad));
  for (size_t d = 0; d < 3; ++d) {
    constexpr int32_t kMost = 1 << 24;
    if (stride[d] < 1 || dilation[d] < 1 || pad[d] < 0 || std::max({stride[d], dilation[d], pad[d]}) > kMost)
      return args.Fail(Code::kInvalid, "a stride, dilation or padding out of range");
    loaded->stride[d] = stride[d];
    loaded->dilation[d] = dilation[d];
    loaded->pad[d] = pad[d];
    loaded->in_extent[d] = in.dims[d + 1];
    loaded->out_extent[d] = out.dims[d + 1];
    loaded->filter[d] = weights.dims[d];
  }
  LOWBIT_RETURN_IF_ERROR(args.Float("lowReal", &loaded->low));
  LOWBIT_RETURN_IF_ERROR(args.Float("highReal", &loaded->high));
  loaded->batches = out.count() ? static_cast<size_t>(in.dims[0]) : 0;
  loaded->inputs = static_cast<size_t>(in.dims[4]);
  loaded->outputs = static_cast<size_t>(out.dims[4]);
  loaded->has_bias = has_bias;
  loaded->in = args.Bind(in);
  loaded->weights = args.Bind(weights);
  if (has_bias) loaded->bias = args.Bind(args.input(2));
  loaded->out = args.Bind(out);
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
