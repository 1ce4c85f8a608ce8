// `max_pool_gradient`: what dy says of the image x of a maximum over windows, float32. Inputs: x [n, h, w, c],
// dy [n, oh, ow, c]; output dx as x. Of equal maxima the first one in a window is taken. Attributes: those of `pool`'s
// windows. Every window must meet the image.
#include <cstring>

#include "dispatch/gradient_f32.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

struct Axis {
  int in, out, filter, stride, pad;

  // Whether the first and the last window meet the image (those between then do too).
  bool Meets() const {
    const int64_t last = int64_t{out - 1} * stride - pad;
    return filter > pad && last < in && last + filter <= INT32_MAX;
  }
  bool Overlaps() const { return stride < filter; }
  // Whether each place lies in a window.
  bool Covers() const { return stride <= filter && int64_t{out - 1} * stride - pad + filter >= in; }
  int First(int window) const { return std::max(window * stride - pad, 0); }
  int Count(int window) const { return std::min(window * stride - pad + filter, in) - First(window); }
};

class MaxPoolGradient final : public Step {
 public:
  MaxPoolGradient(const kernels::gradient_f32::Row& row, const Axis& h, const Axis& w, size_t batches, size_t channels)
      : run_(row.max_pool), h_(h), w_(w), batches_(batches), channels_(channels) {
    kernel_ = row.max_pool_name;
  }
  Operand x, dy, dx;

  void Run(const RunContext& run) const noexcept override {
    const size_t image = static_cast<size_t>(h_.in) * static_cast<size_t>(w_.in) * channels_;
    // Windows of one image may overlap: a thread has whole images.
    Split(run, batches_, (32 << 10) / (image + 1), [&](size_t begin, size_t end) {
      for (size_t batch = begin; batch < end; ++batch) Image(run, batch, image);
    });
  }

 private:
  void Image(const RunContext& run, size_t batch, size_t image) const {
    const float* const from = x.In<float>(run) + batch * image;
    float* const to = dx.Out<float>(run) + batch * image;
    kernels::gradient_f32::Window window{};
    window.adds = h_.Overlaps() || w_.Overlaps();
    if (window.adds || !h_.Covers() || !w_.Covers()) std::memset(to, 0, image * sizeof(float));
    window.row_stride = static_cast<ptrdiff_t>(static_cast<size_t>(w_.in) * channels_);
    window.channels = channels_;
    window.dy = dy.In<float>(run) + batch * static_cast<size_t>(h_.out) * static_cast<size_t>(w_.out) * channels_;
    for (int i = 0; i < h_.out; ++i) {
      window.rows = h_.Count(i);
      for (int j = 0; j < w_.out; ++j, window.dy += channels_) {
        const size_t at = (static_cast<size_t>(h_.First(i)) * static_cast<size_t>(w_.in) + static_cast<size_t>(w_.First(j))) * channels_;
        window.cols = w_.Count(j);
        window.x = from + at;
        window.dx = to + at;
        run_(window);
      }
    }
  }

  kernels::gradient_f32::MaxPool run_;
  Axis h_, w_;
  size_t batches_, channels_;
};

}  // namespace

Status LoadMaxPoolGradient(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor &x = args.input(0), &dy = args.input(1), &dx = args.output(0);
  for (const Tensor* tensor : {&x, &dy, &dx})
    if (tensor->dtype != Dtype::kFloat32 || tensor->rank != 4)
      return args.Fail(Code::kTypeMismatch, "takes and gives float32 of rank 4");
  if (!SameShape(x, dx) || x.dims[0] != dy.dims[0] || x.dims[3] != dy.dims[3])
    return args.Fail(Code::kShapeMismatch, "image and gradients differ in batch, channels or shape");
  constexpr int kMost = 1 << 20;
  Span<const int32_t> filter, stride, pad;
  LOWBIT_RETURN_IF_ERROR(args.Ints("filter", 2, &filter));
  LOWBIT_RETURN_IF_ERROR(args.Ints("stride", 2, &stride));
  LOWBIT_RETURN_IF_ERROR(args.Ints("pad", 2, &pad));
  for (int i = 0; i < 2; ++i)
    if (filter[i] < 1 || filter[i] > kMost || stride[i] < 1 || stride[i] > kMost || pad[i] < 0 || pad[i] > kMost)
      return args.Fail(Code::kInvalid, "filter, stride or pad out of range");
  const Axis h{x.dims[1], dy.dims[1], filter[0], stride[0], pad[0]}, w{x.dims[2], dy.dims[2], filter[1], stride[1], pad[1]};
  if (dy.count() && !(h.Meets() && w.Meets())) return args.Fail(Code::kShapeMismatch, "a window lies outside the image");
  if (int64_t{std::min(h.filter, h.in)} * std::min(w.filter, w.in) > 1 << 22)
    return args.Fail(Code::kUnsupported, "windows of more than 2^22 taps");
  auto made = std::make_unique<MaxPoolGradient>(dispatch::gradient_f32::Choose(args.isa()), h, w,
                                                static_cast<size_t>(x.dims[0]), static_cast<size_t>(x.dims[3]));
  made->x = args.Bind(x);
  made->dy = args.Bind(dy);
  made->dx = args.Bind(dx);
  *step = std::move(made);
  return Status();
}

}  // namespace lowbit::program::steps
