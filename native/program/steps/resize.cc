// `resize_nearest`: picks pixels of an NHWC image. Inputs: image. Attributes: rows, cols (source index of
// each row and column of the output). `resize_bilinear`: mixes four. Attributes: row0, row1, col0, col1
// (source indices), row_weights, col_weights (share of the second one: floats for float32 and uint8, ints in
// 1/1024 for int8, int16).
#include "dispatch/resize.h"

#include <cstring>
#include <vector>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

using Indices = std::vector<size_t>;

Status ReadIndices(const StepArgs& args, const char* name, int count, int limit, Indices* indices) {
  Span<const int32_t> values;
  LOWBIT_RETURN_IF_ERROR(args.Ints(name, static_cast<size_t>(count), &values));
  for (const int32_t index : values) {
    if (index < 0 || index >= limit) return args.Fail(Code::kShapeMismatch, "a pixel outside the image");
    indices->push_back(static_cast<size_t>(index));
  }
  return Status();
}

struct Image {
  Operand in, out;
  size_t batches, in_h, in_w, channels, out_h, out_w;
};

Status CheckImages(StepArgs& args, Image* image) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.rank != 4 || out.rank != 4) return args.Fail(Code::kShapeMismatch, "image and output need rank 4");
  if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "image and output differ in type");
  if (in.dims[0] != out.dims[0] || in.dims[3] != out.dims[3]) {
    return args.Fail(Code::kShapeMismatch, "image and output differ in batch or channels");
  }
  const auto size = [](int32_t x) { return static_cast<size_t>(x); };
  *image = {args.Bind(in),    args.Bind(out),   size(in.dims[0]),  size(in.dims[1]),
            size(in.dims[2]), size(in.dims[3]), size(out.dims[1]), size(out.dims[2])};
  return Status();
}

class Nearest final : public Step {
 public:
  Nearest(const Image& image, size_t element, Indices rows, Indices cols)
      : i_(image), pixel_(image.channels * element), rows_(std::move(rows)), cols_(std::move(cols)) {
    kernel_ = "resize.nearest.copy";
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = i_.in.In<uint8_t>(run);
    uint8_t* out = i_.out.Out<uint8_t>(run);
    Split(run, i_.batches * i_.out_h, (64 << 10) / (i_.out_w * pixel_ + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const uint8_t* from = in + ((row / i_.out_h) * i_.in_h + rows_[row % i_.out_h]) * i_.in_w * pixel_;
        uint8_t* to = out + row * i_.out_w * pixel_;
        for (const size_t col : cols_) {
          std::memmove(to, from + col * pixel_, pixel_);
          to += pixel_;
        }
      }
    });
  }

 private:
  Image i_;
  size_t pixel_;
  Indices rows_, cols_;
};

// Weights of the type that the arithmetic uses: float, or int32 in 1/1024.
template <typename W>
struct Axis {
  Indices first, second;
  std::vector<W> weights;
};

template <typename T, typename W>
class Bilinear final : public Step {
 public:
  Bilinear(const Image& image, Axis<W> rows, Axis<W> cols, const kernels::resize::Row& row)
      : i_(image), rows_(std::move(rows)), cols_(std::move(cols)), run_(row.run) {
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = i_.in.In<T>(run);
    T* out = i_.out.Out<T>(run);
    const size_t pixel = i_.channels;
    Split(run, i_.batches * i_.out_h, (8 << 10) / (i_.out_w * pixel + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const size_t y = row % i_.out_h;
        const T* image = in + (row / i_.out_h) * i_.in_h * i_.in_w * pixel;
        kernels::resize::Line line{};
        line.top = image + rows_.first[y] * i_.in_w * pixel;
        line.bottom = image + rows_.second[y] * i_.in_w * pixel;
        line.first = cols_.first.data();
        line.second = cols_.second.data();
        line.column_weights = cols_.weights.data();
        SetRowWeight(&line, rows_.weights[y]);
        line.width = i_.out_w;
        line.channels = pixel;
        run_(line, out + row * i_.out_w * pixel);
      }
    });
  }

 private:
  static void SetRowWeight(kernels::resize::Line* line, float weight) { line->row_weight = weight; }
  static void SetRowWeight(kernels::resize::Line* line, int32_t weight) { line->row_weight_1024 = weight; }

  Image i_;
  Axis<W> rows_, cols_;
  kernels::resize::Kernel run_;
};

Status ReadWeights(const StepArgs& args, const char* name, int count, std::vector<float>* weights) {
  Span<const float> values;
  LOWBIT_RETURN_IF_ERROR(args.Floats(name, static_cast<size_t>(count), &values));
  for (const float w : values) {
    if (!(w >= -1 && w <= 1)) return args.Fail(Code::kInvalid, "a weight outside [-1, 1]");
  }
  weights->assign(values.begin(), values.end());
  return Status();
}

Status ReadWeights(const StepArgs& args, const char* name, int count, std::vector<int32_t>* weights) {
  Span<const int32_t> values;
  LOWBIT_RETURN_IF_ERROR(args.Ints(name, static_cast<size_t>(count), &values));
  for (const int32_t w : values) {
    if (w < -1024 || w > 1024) return args.Fail(Code::kInvalid, "a weight outside [-1024, 1024]");
  }
  weights->assign(values.begin(), values.end());
  return Status();
}

template <typename T, typename W>
Status LoadBilinear(StepArgs& args, const Image& image, kernels::resize::Kind kind,
                    std::unique_ptr<Step>* step) {
  Axis<W> rows, cols;
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  LOWBIT_RETURN_IF_ERROR(ReadIndices(args, "row0", out.dims[1], in.dims[1], &rows.first));
  LOWBIT_RETURN_IF_ERROR(ReadIndices(args, "row1", out.dims[1], in.dims[1], &rows.second));
  LOWBIT_RETURN_IF_ERROR(ReadIndices(args, "col0", out.dims[2], in.dims[2], &cols.first));
  LOWBIT_RETURN_IF_ERROR(ReadIndices(args, "col1", out.dims[2], in.dims[2], &cols.second));
  LOWBIT_RETURN_IF_ERROR(ReadWeights(args, "row_weights", out.dims[1], &rows.weights));
  LOWBIT_RETURN_IF_ERROR(ReadWeights(args, "col_weights", out.dims[2], &cols.weights));
  *step = std::make_unique<Bilinear<T, W>>(image, std::move(rows), std::move(cols),
                                           dispatch::resize::Choose(kind, args.isa()));
  return Status();
}

}  // namespace

Status LoadResizeNearest(StepArgs& args, std::unique_ptr<Step>* step) {
  Image image;
  LOWBIT_RETURN_IF_ERROR(CheckImages(args, &image));
  const size_t element = ElementBytes(args.input(0).dtype);
  if (!element) return args.Fail(Code::kUnsupported, "elements that share bytes");
  Indices rows, cols;
  LOWBIT_RETURN_IF_ERROR(ReadIndices(args, "rows", args.output(0).dims[1], args.input(0).dims[1], &rows));
  LOWBIT_RETURN_IF_ERROR(ReadIndices(args, "cols", args.output(0).dims[2], args.input(0).dims[2], &cols));
  *step = std::make_unique<Nearest>(image, element, std::move(rows), std::move(cols));
  return Status();
}

Status LoadResizeBilinear(StepArgs& args, std::unique_ptr<Step>* step) {
  Image image;
  LOWBIT_RETURN_IF_ERROR(CheckImages(args, &image));
  using kernels::resize::Kind;
  switch (args.input(0).dtype) {
    case Dtype::kFloat32:
      return LoadBilinear<float, float>(args, image, Kind::kF32, step);
    case Dtype::kUint8:
      return LoadBilinear<uint8_t, float>(args, image, Kind::kU8, step);
    case Dtype::kInt8:
      return LoadBilinear<int8_t, int32_t>(args, image, Kind::kS8, step);
    case Dtype::kInt16:
      return LoadBilinear<int16_t, int32_t>(args, image, Kind::kS16, step);
    default:
      return args.Fail(Code::kUnsupported, "does not take this type");
  }
}

}  // namespace lowbit::program::steps
