// Reads and checks window geometry.
#include "program/steps/window.h"

namespace lowbit::program::steps {

Status ReadWindow(const StepArgs& args, const Tensor& input, const Tensor& output, int filter_h, int filter_w,
                  Window* window) {
  if (input.rank != 4 || output.rank != 4 || input.dims[0] != output.dims[0]) {
    return args.Fail(Code::kShapeMismatch, "input and output must have rank 4 and the same batch");
  }
  constexpr int kMost = 1 << 24;
  if (filter_h < 1 || filter_w < 1 || filter_h > kMost || filter_w > kMost) {
    return args.Fail(Code::kInvalid, "a filter extent is out of range");
  }
  window->batch = static_cast<size_t>(input.dims[0]);
  window->in_h = static_cast<size_t>(input.dims[1]);
  window->in_w = static_cast<size_t>(input.dims[2]);
  window->channels = static_cast<size_t>(input.dims[3]);
  window->out_h = static_cast<size_t>(output.dims[1]);
  window->out_w = static_cast<size_t>(output.dims[2]);
  window->filter_h = filter_h;
  window->filter_w = filter_w;
  LOWBIT_RETURN_IF_ERROR(args.Int("strideH", 1, kMost, &window->stride_h));
  LOWBIT_RETURN_IF_ERROR(args.Int("strideW", 1, kMost, &window->stride_w));
  LOWBIT_RETURN_IF_ERROR(args.Int("dilationH", 1, kMost, &window->dilation_h));
  LOWBIT_RETURN_IF_ERROR(args.Int("dilationW", 1, kMost, &window->dilation_w));
  LOWBIT_RETURN_IF_ERROR(args.Int("padTop", 0, kMost, &window->pad_top));
  return args.Int("padLeft", 0, kMost, &window->pad_left);
}

}  // namespace lowbit::program::steps
