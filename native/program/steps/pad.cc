// `pad`: a frame around the input. Inputs: x; optionally the value, one element of x's type. Attributes:
// before (one int a dimension); value (the element's bytes, where there is no second input). What comes
// behind follows from the output's shape. Negative amounts are refused.
#include <cstring>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class Pad final : public Step {
 public:
  struct Shape {
    int rank;
    size_t in[kMaxRank], out[kMaxRank], before[kMaxRank];  // the last dimension in bytes
  };

  Pad(Operand in, Operand value, Operand out, const Shape& shape, size_t element, const uint8_t* fixed)
      : in_(in), value_(value), out_(out), s_(shape), element_(element), fixed_(fixed != nullptr) {
    if (fixed) std::memcpy(bytes_, fixed, element);
    kernel_ = "pad.copy";
  }
  void Run(const RunContext& run) const noexcept override {
    uint8_t value[8];
    std::memcpy(value, fixed_ ? bytes_ : value_.In<uint8_t>(run), element_);
    const int last = s_.rank - 1;
    size_t rows = 1;
    for (int i = 0; i < last; ++i) rows *= s_.out[i];
    const uint8_t* in = in_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    const size_t row_bytes = s_.out[last], before = s_.before[last], inside = s_.in[last];
    Split(run, rows, (256 << 10) / (row_bytes + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        uint8_t* to = out + row * row_bytes;
        // The row's place in the input, if it has one.
        size_t rest = row, at = 0, stride = inside;
        bool framed = false;
        for (int i = last; i-- > 0;) {
          const size_t index = rest % s_.out[i];
          rest /= s_.out[i];
          framed = framed || index < s_.before[i] || index - s_.before[i] >= s_.in[i];
          at += (index - s_.before[i]) * stride;
          stride *= s_.in[i];
        }
        if (framed) {
          Fill(to, row_bytes, value);
          continue;
        }
        Fill(to, before, value);
        std::memmove(to + before, in + at, inside);
        Fill(to + before + inside, row_bytes - before - inside, value);
      }
    });
  }

 private:
  void Fill(uint8_t* to, size_t bytes, const uint8_t* value) const noexcept {
    if (element_ == 1) {
      std::memset(to, value[0], bytes);
    } else {
      for (size_t i = 0; i < bytes; i += element_) std::memcpy(to + i, value, element_);
    }
  }

  Operand in_, value_, out_;
  Shape s_;
  size_t element_;
  bool fixed_;
  uint8_t bytes_[8] = {};
};

}  // namespace

Status LoadPad(StepArgs& args, std::unique_ptr<Step>* step) {
  const bool given = args.has_input(1);
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, given ? 2 : 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  const size_t element = ElementBytes(in.dtype);
  if (in.dtype != out.dtype || (given && args.input(1).dtype != in.dtype)) {
    return args.Fail(Code::kTypeMismatch, "operands differ in type");
  }
  if (!element) return args.Fail(Code::kUnsupported, "elements that share bytes");
  if (in.rank != out.rank || in.rank < 1)
    return args.Fail(Code::kShapeMismatch, "ranks differ, or no dimension");
  Span<const int32_t> before;
  LOWBIT_RETURN_IF_ERROR(args.Ints("before", static_cast<size_t>(in.rank), &before));
  // Innermost dimensions that stay as they are become one row.
  Pad::Shape shape{};
  int dims[kMaxRank], outs[kMaxRank], pads[kMaxRank];
  for (int i = 0; i < in.rank; ++i) {
    dims[i] = in.dims[i];
    outs[i] = out.dims[i];
    pads[i] = before[i];
    if (pads[i] < 0 || outs[i] < dims[i] || pads[i] > outs[i] - dims[i]) {
      return args.Fail(Code::kShapeMismatch, "the frame does not fit");
    }
  }
  int rank = in.rank;
  size_t inner = element;
  while (rank > 1 && outs[rank - 1] == dims[rank - 1]) inner *= static_cast<size_t>(dims[--rank]);
  shape.rank = rank;
  for (int i = 0; i < rank; ++i) {
    const size_t unit = i == rank - 1 ? inner : 1;
    shape.in[i] = static_cast<size_t>(dims[i]) * unit;
    shape.out[i] = static_cast<size_t>(outs[i]) * unit;
    shape.before[i] = static_cast<size_t>(pads[i]) * unit;
  }
  const uint8_t* fixed = nullptr;
  Operand value;
  if (given) {
    if (args.input(1).bytes != element)
      return args.Fail(Code::kShapeMismatch, "the value is not one element");
    value = args.Bind(args.input(1));
  } else {
    Span<const uint8_t> bytes;
    LOWBIT_RETURN_IF_ERROR(args.Bytes("value", element, &bytes));
    fixed = bytes.data;
  }
  *step = std::make_unique<Pad>(args.Bind(in), value, args.Bind(out), shape, element, fixed);
  return Status();
}

}  // namespace lowbit::program::steps
