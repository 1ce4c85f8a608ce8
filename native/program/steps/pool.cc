// `pool`: average or maximum over windows of an NHWC image. Inputs: image. Attributes: mode (0 average, 1
// maximum), filter, stride, pad (each height, width; pad = places before the image), low and high (codes) or
// clamp (two floats) for float32. Every window must meet the image.
#include "dispatch/pool.h"

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

using kernels::pool::Kind;

struct Geometry {
  int batches, in_h, in_w, channels, out_h, out_w;
  int filter_h, filter_w, stride_h, stride_w, pad_h, pad_w;
};

class Pool final : public Step {
 public:
  Pool(const kernels::pool::Row& row, Operand in, Operand out, const Geometry& geometry,
       const kernels::pool::Limits& limits, size_t element_bytes)
      : run_(row.run), in_(in), out_(out), g_(geometry), limits_(limits), element_bytes_(element_bytes) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const size_t rows = static_cast<size_t>(g_.batches) * static_cast<size_t>(g_.out_h);
    const size_t work = static_cast<size_t>(g_.out_w) * g_.channels * std::min(g_.filter_h, g_.in_h) *
                        std::min(g_.filter_w, g_.in_w);
    const uint8_t* in = in_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    Split(run, rows, (128 << 10) / (work + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) OutputRow(in, out, row);
    });
  }

 private:
  void OutputRow(const uint8_t* in, uint8_t* out, size_t row) const noexcept {
    const size_t pixel = element_bytes_ * g_.channels;
    const size_t batch = row / g_.out_h;
    const int top = static_cast<int>(row % g_.out_h) * g_.stride_h - g_.pad_h;
    const int first_y = std::max(top, 0), end_y = std::min(top + g_.filter_h, g_.in_h);
    kernels::pool::Window window;
    window.row_stride = ptrdiff_t{g_.in_w} * g_.channels;
    window.rows = end_y - first_y;
    window.channels = g_.channels;
    const uint8_t* line = in + (batch * g_.in_h + first_y) * g_.in_w * pixel;
    uint8_t* to = out + row * g_.out_w * pixel;
    for (int x = 0; x < g_.out_w; ++x, to += pixel) {
      const int left = x * g_.stride_w - g_.pad_w;
      const int first_x = std::max(left, 0);
      window.cols = std::min(left + g_.filter_w, g_.in_w) - first_x;
      window.first = line + first_x * pixel;
      run_(window, limits_, to);
    }
  }

  kernels::pool::Kernel run_;
  Operand in_, out_;
  Geometry g_;
  kernels::pool::Limits limits_;
  size_t element_bytes_;
};

// Whether the first and the last window of a dimension meet the image (those between then do too).
bool Meets(int in, int out, int filter, int stride, int pad) {
  const int64_t last = int64_t{out - 1} * stride - pad;
  return filter > pad && last < in && last + filter <= INT32_MAX;
}

}  // namespace

Status LoadPool(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.rank != 4 || out.rank != 4) return args.Fail(Code::kShapeMismatch, "image and output need rank 4");
  if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "image and output differ in type");
  LOWBIT_STEP_INT(mode, 0, 1);
  constexpr int kMost = 1 << 20;
  Span<const int32_t> filter, stride, pad;
  LOWBIT_RETURN_IF_ERROR(args.Ints("filter", 2, &filter));
  LOWBIT_RETURN_IF_ERROR(args.Ints("stride", 2, &stride));
  LOWBIT_RETURN_IF_ERROR(args.Ints("pad", 2, &pad));
  for (int i = 0; i < 2; ++i) {
    if (filter[i] < 1 || filter[i] > kMost || stride[i] < 1 || stride[i] > kMost || pad[i] < 0 ||
        pad[i] > kMost) {
      return args.Fail(Code::kInvalid, "filter, stride or pad out of range");
    }
  }
  if (in.dims[0] != out.dims[0] || in.dims[3] != out.dims[3]) {
    return args.Fail(Code::kShapeMismatch, "image and output differ in batch or channels");
  }
  const Geometry g{in.dims[0], in.dims[1], in.dims[2], in.dims[3], out.dims[1], out.dims[2],
                   filter[0],  filter[1],  stride[0],  stride[1],  pad[0],      pad[1]};
  if (in.count() && out.count() &&
      !(Meets(g.in_h, g.out_h, g.filter_h, g.stride_h, g.pad_h) &&
        Meets(g.in_w, g.out_w, g.filter_w, g.stride_w, g.pad_w))) {
    return args.Fail(Code::kShapeMismatch, "a window lies outside the image");
  }
  if (!in.count() && out.count()) return args.Fail(Code::kShapeMismatch, "an empty image");
  if (int64_t{std::min(g.filter_h, g.in_h)} * std::min(g.filter_w, g.in_w) > 1 << 22) {
    return args.Fail(Code::kUnsupported, "windows of more than 2^22 taps");
  }
  kernels::pool::Limits limits{};
  Kind kind;
  switch (in.dtype) {
    case Dtype::kInt8:
      kind = mode ? Kind::kMaxS8 : Kind::kAverageS8;
      break;
    case Dtype::kUint8:
      kind = mode ? Kind::kMaxU8 : Kind::kAverageU8;
      break;
    case Dtype::kInt16:
      kind = mode ? Kind::kMaxS16 : Kind::kAverageS16;
      break;
    case Dtype::kFloat32:
      kind = mode ? Kind::kMaxF32 : Kind::kAverageF32;
      break;
    default:
      return args.Fail(Code::kUnsupported, "pools int8, uint8, int16 and float32");
  }
  if (in.dtype == Dtype::kFloat32) {
    Span<const float> clamp;
    LOWBIT_RETURN_IF_ERROR(args.Floats("clamp", 2, &clamp));
    limits.float_low = clamp[0];
    limits.float_high = clamp[1];
  } else {
    const int lowest = in.dtype == Dtype::kUint8 ? 0 : in.dtype == Dtype::kInt8 ? -128 : -32768;
    const int highest = in.dtype == Dtype::kUint8 ? 255 : in.dtype == Dtype::kInt8 ? 127 : 32767;
    LOWBIT_STEP_INT(low, lowest, highest);
    LOWBIT_STEP_INT(high, low, highest);
    limits.low = low;
    limits.high = high;
  }
  *step = std::make_unique<Pool>(dispatch::pool::Choose(kind, args.isa()), args.Bind(in), args.Bind(out), g,
                                 limits, ElementBytes(in.dtype));
  return Status();
}

}  // namespace lowbit::program::steps
