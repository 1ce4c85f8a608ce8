// `arg_max`: index of the largest or smallest element along one dimension, the first of equals. Inputs: x.
// Attributes: axis, smallest (0 or 1). The output is int32 or int64, one index for each line along the axis.
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

struct Lines {
  Operand in, out;
  size_t outer, extent, inner;
};

template <typename T, typename I, bool smallest>
class ArgMax final : public Step {
 public:
  explicit ArgMax(const Lines& lines) : l_(lines) {
    kernel_ = smallest ? "arg_min.scalar" : "arg_max.scalar";
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = l_.in.In<T>(run);
    I* out = l_.out.Out<I>(run);
    Split(run, l_.outer, (32 << 10) / (l_.extent * l_.inner + 1), [&](size_t begin, size_t end) {
      for (size_t o = begin; o < end; ++o) {
        for (size_t i = 0; i < l_.inner; ++i) {
          const T* line = in + o * l_.extent * l_.inner + i;
          T best = line[0];
          size_t at = 0;
          for (size_t k = 1; k < l_.extent; ++k) {
            const T value = line[k * l_.inner];
            if (smallest ? value < best : value > best) {
              best = value;
              at = k;
            }
          }
          out[o * l_.inner + i] = static_cast<I>(at);
        }
      }
    });
  }

 private:
  Lines l_;
};

template <typename T>
Status LoadOf(StepArgs& args, const Lines& lines, bool smallest, std::unique_ptr<Step>* step) {
  switch (args.output(0).dtype) {
    case Dtype::kInt32:
      if (smallest) {
        *step = std::make_unique<ArgMax<T, int32_t, true>>(lines);
      } else {
        *step = std::make_unique<ArgMax<T, int32_t, false>>(lines);
      }
      return Status();
    case Dtype::kInt64:
      if (smallest) {
        *step = std::make_unique<ArgMax<T, int64_t, true>>(lines);
      } else {
        *step = std::make_unique<ArgMax<T, int64_t, false>>(lines);
      }
      return Status();
    default:
      return args.Fail(Code::kUnsupported, "gives int32 or int64");
  }
}

}  // namespace

Status LoadArgMax(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  if (in.rank < 1) return args.Fail(Code::kShapeMismatch, "needs a dimension");
  LOWBIT_STEP_INT(axis, 0, in.rank - 1);
  LOWBIT_STEP_INT(smallest, 0, 1);
  Lines lines{args.Bind(in), args.Bind(args.output(0)), 1, static_cast<size_t>(in.dims[axis]), 1};
  for (int i = 0; i < in.rank; ++i) {
    if (i != axis) (i < axis ? lines.outer : lines.inner) *= static_cast<size_t>(in.dims[i]);
  }
  if (lines.outer * lines.inner != args.output(0).count()) {
    return args.Fail(Code::kShapeMismatch, "the output has another size");
  }
  if (!lines.extent) {
    if (lines.outer * lines.inner > 0) return args.Fail(Code::kShapeMismatch, "no element to choose");
    lines.outer = 0;
  }
  switch (in.dtype) {
    case Dtype::kInt8:
      return LoadOf<int8_t>(args, lines, smallest, step);
    case Dtype::kUint8:
    case Dtype::kBool:
      return LoadOf<uint8_t>(args, lines, smallest, step);
    case Dtype::kInt16:
      return LoadOf<int16_t>(args, lines, smallest, step);
    case Dtype::kInt32:
      return LoadOf<int32_t>(args, lines, smallest, step);
    case Dtype::kInt64:
      return LoadOf<int64_t>(args, lines, smallest, step);
    case Dtype::kFloat32:
      return LoadOf<float>(args, lines, smallest, step);
    default:
      return args.Fail(Code::kUnsupported, "does not take this type");
  }
}

}  // namespace lowbit::program::steps
