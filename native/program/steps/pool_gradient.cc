// Gradients of pools over windows of an NHWC image, float32: what dy [n, oh, ow, c] says of the image.
//
//   max_pool_gradient      x [n, h, w, c], dy -> dx as x. Of equal maxima the first one in a window is taken.
//   average_pool_gradient  dy -> dx [n, h, w, c]. Averages are over the taps that lie in the image, as `pool` takes them.
//
// Attributes: those of `pool`'s windows. Every window must meet the image.
#include <cstring>
#include <limits>

#include "dispatch/gradient_f32.h"
#include "dispatch/pair_f32.h"
#include "program/steps/common.h"
#include "program/steps/row_source.h"

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

struct Geometry {
  Axis h, w;
  size_t batches, channels;

  size_t image() const { return static_cast<size_t>(h.in) * static_cast<size_t>(w.in) * channels; }
  size_t gradients() const { return static_cast<size_t>(h.out) * static_cast<size_t>(w.out) * channels; }
  // Elements from a row of the image to the next.
  size_t row() const { return static_cast<size_t>(w.in) * channels; }
  bool adds() const { return h.Overlaps() || w.Overlaps(); }

  // Calls window(i, j, at) for each window of an image: at is its first element in the image.
  template <typename Each>
  void EachWindow(const Each& window) const {
    for (int i = 0; i < h.out; ++i)
      for (int j = 0; j < w.out; ++j)
        window(i, j, static_cast<size_t>(h.First(i)) * row() + static_cast<size_t>(w.First(j)) * channels);
  }
  // Calls work(batch, slot) for each image: windows of one may overlap.
  template <typename Work>
  void EachImage(const RunContext& run, const Work& work) const {
    constexpr size_t kGrain = 32 << 10;
    if (run.threads > 1 && batches > 1 && Times(batches, image()) >= 2 * kGrain) {
      run.pool->For(batches, run.threads, work);
    } else {
      for (size_t batch = 0; batch < batches; ++batch) work(batch, 0);
    }
  }
  void Clear(float* dx) const {
    if (adds() || !h.Covers() || !w.Covers()) std::memset(dx, 0, image() * sizeof(float));
  }
};

class MaxPoolGradient final : public Step {
 public:
  MaxPoolGradient(const kernels::gradient_f32::Row& row, const Geometry& geometry)
      : run_(row.max_pool), g_(geometry) {
    kernel_ = row.max_pool_name;
  }
  Operand x, dy, dx;

  void Run(const RunContext& run) const noexcept override {
    g_.EachImage(run, [&](size_t batch, int) {
      const float* const from = x.In<float>(run) + batch * g_.image();
      float* const to = dx.Out<float>(run) + batch * g_.image();
      kernels::gradient_f32::Window window{};
      window.adds = g_.adds();
      window.row_stride = static_cast<ptrdiff_t>(g_.row());
      window.channels = g_.channels;
      window.dy = dy.In<float>(run) + batch * g_.gradients();
      g_.Clear(to);
      g_.EachWindow([&](int i, int j, size_t at) {
        window.rows = g_.h.Count(i);
        window.cols = g_.w.Count(j);
        window.x = from + at;
        window.dx = to + at;
        run_(window);
        window.dy += g_.channels;
      });
    });
  }

 private:
  kernels::gradient_f32::MaxPool run_;
  Geometry g_;
};

class AveragePoolGradient final : public Step {
 public:
  AveragePoolGradient(cpu::Isa isa, const Geometry& geometry)
      : multiply_(dispatch::pair_f32::Choose(kernels::pair_f32::Operation::kMul, isa).run),
        add_(dispatch::pair_f32::Choose(kernels::pair_f32::Operation::kAdd, isa).run),
        g_(geometry) {
    kernel_ = dispatch::pair_f32::Choose(kernels::pair_f32::Operation::kAdd, isa).name;
  }
  Operand dy, dx;

  void Run(const RunContext& run) const noexcept override {
    g_.EachImage(run, [&](size_t batch, int slot) {
      float* const share = reinterpret_cast<float*>(run.scratch + static_cast<size_t>(slot) * share_bytes());
      const float* from = dy.In<float>(run) + batch * g_.gradients();
      float* const to = dx.Out<float>(run) + batch * g_.image();
      g_.Clear(to);
      g_.EachWindow([&](int i, int j, size_t at) {
        Window(from, share, to + at, g_.h.Count(i), g_.w.Count(j));
        from += g_.channels;
      });
    });
  }
  uint64_t scratch_bytes(int threads) const override {
    return static_cast<uint64_t>(threads) * share_bytes();
  }

 private:
  static constexpr float kInfinity = std::numeric_limits<float>::infinity();
  uint64_t share_bytes() const { return (uint64_t{g_.channels} * sizeof(float) + 63) / 64 * 64; }

  void Window(const float* from, float* share, float* to, int rows, int cols) const {
    const float part = 1.0f / static_cast<float>(rows * cols);
    const size_t c = g_.channels;
    multiply_(from, 1, &part, 0, share, c, -kInfinity, kInfinity);
    for (int row = 0; row < rows; ++row) {
      float* tap = to + static_cast<size_t>(row) * g_.row();
      for (int col = 0; col < cols; ++col, tap += c) {
        if (g_.adds())
          add_(tap, 1, share, 1, tap, c, -kInfinity, kInfinity);
        else
          std::memcpy(tap, share, c * sizeof(float));
      }
    }
  }

  kernels::pair_f32::Kernel multiply_, add_;
  Geometry g_;
};

Status ReadGeometry(const StepArgs& args, const Tensor& image, const Tensor& dy, Geometry* geometry) {
  LOWBIT_RETURN_IF_ERROR(ExpectRealImages(args, {&image, &dy}));
  if (image.dims[0] != dy.dims[0] || image.dims[3] != dy.dims[3])
    return args.Fail(Code::kShapeMismatch, "image and gradient differ in batch or channels");
  constexpr int kMost = 1 << 20;
  Span<const int32_t> filter, stride, pad;
  LOWBIT_RETURN_IF_ERROR(args.Ints("filter", 2, &filter));
  LOWBIT_RETURN_IF_ERROR(args.Ints("stride", 2, &stride));
  LOWBIT_RETURN_IF_ERROR(args.Ints("pad", 2, &pad));
  for (int i = 0; i < 2; ++i)
    if (filter[i] < 1 || filter[i] > kMost || stride[i] < 1 || stride[i] > kMost || pad[i] < 0 ||
        pad[i] > kMost)
      return args.Fail(Code::kInvalid, "filter, stride or pad out of range");
  const Axis h{image.dims[1], dy.dims[1], filter[0], stride[0], pad[0]};
  const Axis w{image.dims[2], dy.dims[2], filter[1], stride[1], pad[1]};
  if (h.out == 0 || w.out == 0) return args.Fail(Code::kUnsupported, "a gradient without places");
  if (image.count() && !(h.Meets() && w.Meets()))
    return args.Fail(Code::kShapeMismatch, "a window lies outside the image");
  if (int64_t{std::min(h.filter, h.in)} * std::min(w.filter, w.in) > 1 << 22)
    return args.Fail(Code::kUnsupported, "windows of more than 2^22 taps");
  *geometry = {h, w, static_cast<size_t>(image.dims[0]), static_cast<size_t>(image.dims[3])};
  return Status();
}

}  // namespace

Status LoadMaxPoolGradient(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor &x = args.input(0), &dy = args.input(1), &dx = args.output(0);
  Geometry geometry;
  LOWBIT_RETURN_IF_ERROR(ReadGeometry(args, x, dy, &geometry));
  if (dx.dtype != Dtype::kFloat32 || !SameShape(x, dx))
    return args.Fail(Code::kShapeMismatch, "the gradient of the image has not its type and shape");
  auto made = std::make_unique<MaxPoolGradient>(dispatch::gradient_f32::Choose(args.isa()), geometry);
  made->x = args.Bind(x);
  made->dy = args.Bind(dy);
  made->dx = args.Bind(dx);
  *step = std::move(made);
  return Status();
}

Status LoadAveragePoolGradient(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  Geometry geometry;
  LOWBIT_RETURN_IF_ERROR(ReadGeometry(args, args.output(0), args.input(0), &geometry));
  auto made = std::make_unique<AveragePoolGradient>(args.isa(), geometry);
  LOWBIT_RETURN_IF_ERROR(args.Fits(made->scratch_bytes(args.threads())));
  made->dy = args.Bind(args.input(0));
  made->dx = args.Bind(args.output(0));
  *step = std::move(made);
  return Status();
}

}  // namespace lowbit::program::steps
