// `conv_filter_gradient`: what dy says of the weights of a float32 convolution. Inputs: x [n, h, w, c],
// dy [n, oh, ow, o]; output [kh, kw, c, o]. Attributes: those of the window of x -> y.
//
// For each line of the filter it is a sum of outer products over all places of dy (kernels/outer_f32). Tiles of the
// filter are shared among threads; each is summed in the order of the places, however many threads there are.
#include <cstring>
#include <memory>

#include "dispatch/outer_f32.h"
#include "program/steps/common.h"
#include "program/steps/row_source.h"
#include "program/steps/window.h"

namespace lowbit::program::steps {
namespace {

// What passes a tile at once stays in the second-level cache.
constexpr size_t kChunkBytes = 256 * 1024;
constexpr size_t kTilesAtOnce = 3;  // of rows

size_t DivideUp(size_t a, size_t b) { return (a + b - 1) / b; }

class ConvFilterGradient final : public Step {
 public:
  ConvFilterGradient(const Window& window, size_t outputs, const kernels::outer_f32::Row& row)
      : w_(window), outputs_(outputs), row_(row) {
    kernel_ = row.name;
    const size_t c = w_.channels;
    width_ = (w_.out_w - 1) * Size(w_.stride_w) + Size(w_.filter_w - 1) * Size(w_.dilation_w) + 1;
    height_ = (w_.out_h - 1) * Size(w_.stride_h) + Size(w_.filter_h - 1) * Size(w_.dilation_h) + 1;
    is_padded_ = w_.pad_top > 0 || w_.pad_left > 0 || width_ > w_.in_w || height_ > w_.in_h;
    if (!is_padded_) width_ = w_.in_w, height_ = w_.in_h;
    // Taps of one line that lie side by side are one run of rows.
    run_taps_ = w_.dilation_w == 1 ? Size(w_.filter_w) : 1;
    run_rows_ = run_taps_ * c;
    runs_ = Size(w_.filter_h) * Size(w_.filter_w) / run_taps_;
    tile_rows_ = kTilesAtOnce * Size(row.mr);
    tiles_ = DivideUp(run_rows_, tile_rows_);
  }

  void Run(const RunContext& run) const noexcept override {
    const float* x = in_.In<float>(run);
    if (is_padded_) {
      float* const padded = reinterpret_cast<float*>(run.scratch);
      Pad(run, x, padded);
      x = padded;
    }
    const float* dy = dy_.In<float>(run);
    float* const out = out_.Out<float>(run);
    const size_t work = w_.batch * w_.out_h * w_.out_w * tile_rows_ * outputs_;
    Split(run, runs_ * tiles_, (256 << 10) / (work + 1),
          [&](size_t begin, size_t end) { Tiles(x, dy, out, begin, end); });
  }
  uint64_t scratch_bytes(int) const override {
    return is_padded_ ? Times(Times(Times(w_.batch, height_), width_), w_.channels * sizeof(float)) : 0;
  }

  void Bind(StepArgs& args) {
    in_ = args.Bind(args.input(0));
    dy_ = args.Bind(args.input(1));
    out_ = args.Bind(args.output(0));
  }

 private:
  static size_t Size(int value) { return static_cast<size_t>(value); }

  // Tiles [begin, end): they pass over the same lines while these are in the cache.
  void Tiles(const float* x, const float* dy, float* out, size_t begin, size_t end) const {
    const size_t c = w_.channels, n = outputs_;
    std::memset(out + RowOf(begin) * n, 0, (RowOf(end) - RowOf(begin)) * n * sizeof(float));
    const size_t line_bytes = (w_.out_w * n + width_ * Size(w_.stride_h) * c) * sizeof(float);
    const size_t at_once = std::min(w_.out_h, kChunkBytes / (line_bytes + 1) + 1);
    kernels::outer_f32::Call call{};
    call.lhs_line = static_cast<ptrdiff_t>(Size(w_.stride_h) * width_ * c);
    call.lhs_step = static_cast<ptrdiff_t>(Size(w_.stride_w) * c);
    call.rhs_line = static_cast<ptrdiff_t>(w_.out_w * n);
    call.rhs_step = call.out_stride = static_cast<ptrdiff_t>(n);
    call.depth = w_.out_w;
    call.cols = n;
    for (size_t image = 0; image < w_.batch; ++image) {
      for (size_t line = 0; line < w_.out_h; line += at_once) {
        call.lines = std::min(at_once, w_.out_h - line);
        call.rhs = dy + (image * w_.out_h + line) * w_.out_w * n;
        for (size_t tile = begin; tile < end; ++tile) {
          const size_t run = tile / tiles_, first = tile % tiles_ * tile_rows_;
          const size_t tap = run * run_taps_, ky = tap / Size(w_.filter_w), kx = tap % Size(w_.filter_w);
          const size_t y = line * Size(w_.stride_h) + ky * Size(w_.dilation_h);
          call.lhs = x + ((image * height_ + y) * width_ + kx * Size(w_.dilation_w)) * c + first;
          call.rows = std::min(tile_rows_, run_rows_ - first);
          call.out = out + RowOf(tile) * n;
          row_.run(call);
        }
      }
    }
  }
  // The first row of the output that belongs to a tile.
  size_t RowOf(size_t tile) const { return tile / tiles_ * run_rows_ + tile % tiles_ * tile_rows_; }

  void Pad(const RunContext& run, const float* x, float* to) const {
    const size_t c = w_.channels, top = Size(w_.pad_top), left = std::min(Size(w_.pad_left), width_);
    const size_t inside = std::min(w_.in_w, width_ - left), right = width_ - left - inside;
    Split(run, w_.batch * height_, (32 << 10) / (width_ * c + 1), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const size_t y = i % height_;
        float* line = to + i * width_ * c;
        if (y < top || y >= top + w_.in_h) {
          std::memset(line, 0, width_ * c * sizeof(float));
          continue;
        }
        std::memset(line, 0, left * c * sizeof(float));
        std::memcpy(line + left * c, x + (i / height_ * w_.in_h + y - top) * w_.in_w * c,
                    inside * c * sizeof(float));
        std::memset(line + (left + inside) * c, 0, right * c * sizeof(float));
      }
    });
  }

  Window w_;
  size_t outputs_;
  const kernels::outer_f32::Row& row_;
  size_t width_, height_;  // of x as it is read
  bool is_padded_;
  size_t run_taps_, run_rows_, runs_, tile_rows_, tiles_;
  Operand in_, dy_, out_;
};

}  // namespace

Status LoadConvFilterGradient(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor &x = args.input(0), &dy = args.input(1), &out = args.output(0);
  LOWBIT_RETURN_IF_ERROR(ExpectRealImages(args, {&x, &dy, &out}));
  Window window;
  LOWBIT_RETURN_IF_ERROR(ReadWindow(args, x, dy, out.dims[0], out.dims[1], &window));
  if (out.dims[2] != x.dims[3] || out.dims[3] != dy.dims[3])
    return args.Fail(Code::kShapeMismatch, "channels of input, gradient and weights do not fit together");
  constexpr uint64_t kMost = uint64_t{1} << 31;
  const uint64_t reach_h = uint64_t{window.out_h} * static_cast<uint64_t>(window.stride_h) +
                           static_cast<uint64_t>(window.filter_h) * static_cast<uint64_t>(window.dilation_h);
  const uint64_t reach_w = uint64_t{window.out_w} * static_cast<uint64_t>(window.stride_w) +
                           static_cast<uint64_t>(window.filter_w) * static_cast<uint64_t>(window.dilation_w);
  if (reach_h > kMost || reach_w > kMost) return args.Fail(Code::kUnsupported, "the window reaches too far");
  if (window.out_h == 0 || window.out_w == 0)
    return args.Fail(Code::kUnsupported, "a gradient without places");
  auto made = std::make_unique<ConvFilterGradient>(window, static_cast<size_t>(out.dims[3]),
                                                   dispatch::outer_f32::Choose(args.isa()));
  LOWBIT_RETURN_IF_ERROR(args.Fits(made->scratch_bytes(1)));
  made->Bind(args);
  *step = std::move(made);
  return Status();
}

}  // namespace lowbit::program::steps
