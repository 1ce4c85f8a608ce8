// `depthwise_filter_gradient`: what dy says of the weights of a float32 depthwise convolution. Inputs: x [n, h, w, c],
// dy [n, oh, ow, c * m]; output [kh, kw, c, m]. Attributes: those of the window of x -> y.
//
// For a tap and a line of dy it is a depthwise convolution with one pixel of output: taps are the places of x, weights
// the line of dy, the bias what the lines before gave. Taps of the filter are shared among threads; each is summed in
// the order of the lines, however many threads there are.
#include <algorithm>
#include <limits>

#include "dispatch/depthwise_f32.h"
#include "program/steps/common.h"
#include "program/steps/depthwise_base.h"

namespace lowbit::program::steps {
namespace {

class DepthwiseFilterGradient final : public DepthwiseBase<float> {
 public:
  void Run(const RunContext& run) const noexcept override {
    const float* x = Spread(run, x_.In<float>(run));
    const float* dy = dy_.In<float>(run);
    float* const out = out_.Out<float>(run);
    if (shares_ == 1) return Taps(run, x, dy, out, 0, tap_count_, 0);
    run.pool->For(shares_, run.threads, [&](size_t i, int slot) {
      Taps(run, x, dy, out, tap_count_ * i / shares_, tap_count_ * (i + 1) / shares_, slot);
    });
  }
  uint64_t scratch_bytes(int threads) const override {
    return Plus(DepthwiseBase::scratch_bytes(threads), Times(pointer_bytes_, static_cast<uint64_t>(threads)));
  }

  Status Load(StepArgs& args, const Window& window, size_t multiplier) {
    LOWBIT_RETURN_IF_ERROR(SetWindow(args, window, multiplier));
    constexpr uint64_t kParallelMacs = 100 * 1000;
    const size_t threads = static_cast<size_t>(args.threads());
    const uint64_t macs = Times(Times(window.pixels(), channels_), tap_count_);
    shares_ = threads > 1 && macs >= kParallelMacs ? std::min(tap_count_, 4 * threads) : 1;
    LOWBIT_RETURN_IF_ERROR(PlanScratch(args, false));
    pointer_bytes_ = Aligned(Times(window.out_w, sizeof(const float*)));
    LOWBIT_RETURN_IF_ERROR(args.Fits(scratch_bytes(args.threads())));
    x_ = args.Bind(args.input(0));
    dy_ = args.Bind(args.input(1));
    out_ = args.Bind(args.output(0));
    return Status();
  }
  explicit DepthwiseFilterGradient(const kernels::depthwise_f32::Row& row) : row_(row) { kernel_ = row.name; }

 private:
  // Taps [begin, end) of the filter: they pass over a line of dy while it is in the cache.
  void Taps(const RunContext& run, const float* x, const float* dy, float* out, size_t begin, size_t end,
            int slot) const {
    std::fill(out + begin * channels_, out + end * channels_, 0.0f);
    uint8_t* const mine =
        run.scratch + DepthwiseBase::scratch_bytes(run.threads) + static_cast<size_t>(slot) * pointer_bytes_;
    const float** const places = reinterpret_cast<const float**>(mine);
    const size_t lines = window_.batch * window_.out_h, filter_w = static_cast<size_t>(window_.filter_w);
    for (size_t line = 0; line < lines; ++line) {
      for (size_t tap = begin; tap < end; ++tap)
        OneTap(x, dy, line, static_cast<int>(tap / filter_w), static_cast<int>(tap % filter_w), places,
               out + tap * channels_);
    }
  }

  void OneTap(const float* x, const float* dy, size_t line, int ky, int kx, const float** places,
              float* out) const {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const Window& w = window_;
    const ptrdiff_t row = w.InputRow(line % w.out_h, ky);
    if (!w.HasRow(row)) return;
    const float* const from = x + (line / w.out_h * w.in_h + static_cast<size_t>(row)) * w.in_w * channels_;
    size_t first = 0, count = 0;
    for (size_t ox = 0; ox < w.out_w; ++ox) {
      const ptrdiff_t column = w.InputColumn(ox, kx);
      if (!w.HasColumn(column)) continue;
      if (count == 0) first = ox;
      places[count++] = from + static_cast<size_t>(column) * channels_;
    }
    if (count == 0) return;
    const float* const weights = dy + (line * w.out_w + first) * channels_;
    row_.run({places, weights, out, out, 1, count, channels_, -kInfinity, kInfinity});
  }

  const kernels::depthwise_f32::Row& row_;
  size_t shares_ = 1;
  uint64_t pointer_bytes_ = 0;
  Operand x_, dy_, out_;
};

}  // namespace

Status LoadDepthwiseFilterGradient(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor &x = args.input(0), &dy = args.input(1), &out = args.output(0);
  LOWBIT_RETURN_IF_ERROR(ExpectRealImages(args, {&x, &dy, &out}));
  Window window;
  LOWBIT_RETURN_IF_ERROR(ReadWindow(args, x, dy, out.dims[0], out.dims[1], &window));
  if (window.out_h == 0 || window.out_w == 0)
    return args.Fail(Code::kUnsupported, "a gradient without places");
  const uint64_t times = static_cast<uint64_t>(out.dims[3]);
  if (out.dims[2] != x.dims[3] || static_cast<uint64_t>(dy.dims[3]) != times * window.channels || times == 0)
    return args.Fail(Code::kShapeMismatch, "channels of input, gradient and weights do not fit together");
  auto made = std::make_unique<DepthwiseFilterGradient>(dispatch::depthwise_f32::Choose(args.isa()));
  LOWBIT_RETURN_IF_ERROR(made->Load(args, window, static_cast<size_t>(times)));
  *step = std::move(made);
  return Status();
}

}  // namespace lowbit::program::steps
