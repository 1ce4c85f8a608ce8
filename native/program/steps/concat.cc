// `concat`: pieces of the inputs in turn. Inputs: any number. Attributes: outer (how many pieces each input
// falls into: the product of the dimensions before the axis); tables (optional; bytes only): 256 bytes an
// input, through which its codes go. Shapes are not looked at, only sizes.
#include <cstring>
#include <vector>

#include "dispatch/lut.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

class Concat final : public Step {
 public:
  struct Part {
    Operand in;
    size_t piece, at;  // bytes of a piece, and where it lies in a piece of the output
    bool mapped;
    uint8_t table[256];
  };

  Concat(std::vector<Part> parts, Operand out, size_t outer, size_t piece, const kernels::lut::Row& row,
         bool mapped)
      : parts_(std::move(parts)), out_(out), outer_(outer), piece_(piece), map_(row.run) {
    kernel_ = mapped ? row.name : "concat.copy";
  }
  void Run(const RunContext& run) const noexcept override {
    uint8_t* out = out_.Out<uint8_t>(run);
    Split(run, outer_, (256 << 10) / (piece_ + 1), [&](size_t begin, size_t end) {
      for (const Part& part : parts_) {
        const uint8_t* in = part.in.In<uint8_t>(run) + begin * part.piece;
        uint8_t* to = out + begin * piece_ + part.at;
        for (size_t i = begin; i < end; ++i, in += part.piece, to += piece_) {
          if (part.mapped) {
            map_(part.table, in, to, part.piece);
          } else {
            std::memmove(to, in, part.piece);
          }
        }
      }
    });
  }

 private:
  std::vector<Part> parts_;
  Operand out_;
  size_t outer_, piece_;
  kernels::lut::Kernel map_;
};

}  // namespace

Status LoadConcat(StepArgs& args, std::unique_ptr<Step>* step) {
  const int count = args.input_count();
  if (count < 1) return args.Fail(Code::kInvalid, "takes at least one input");
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, count, 1));
  LOWBIT_STEP_INT(outer, 0, INT32_MAX);
  const Tensor& out = args.output(0);
  const size_t pieces = static_cast<size_t>(outer);
  Span<const uint8_t> tables;
  const bool mapped = args.has("tables");
  if (mapped) LOWBIT_RETURN_IF_ERROR(args.Bytes("tables", static_cast<size_t>(count) * 256, &tables));
  if (mapped && ElementBytes(out.dtype) != 1) return args.Fail(Code::kTypeMismatch, "tables map bytes");
  if (ElementBytes(out.dtype) == 0) return args.Fail(Code::kUnsupported, "elements that share bytes");
  std::vector<Concat::Part> parts(static_cast<size_t>(count));
  size_t piece = 0;
  for (int i = 0; i < count; ++i) {
    const Tensor& in = args.input(i);
    if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "operands differ in type");
    if (pieces ? in.bytes % pieces != 0 : in.bytes != 0) {
      return args.Fail(Code::kShapeMismatch, "an input does not fall into equal pieces");
    }
    Concat::Part& part = parts[static_cast<size_t>(i)];
    part.in = args.Bind(in);
    part.piece = pieces ? in.bytes / pieces : 0;
    part.at = piece;
    if (part.piece > out.bytes - piece)
      return args.Fail(Code::kShapeMismatch, "the inputs exceed the output");
    piece += part.piece;
    part.mapped = false;
    if (mapped) {
      std::memcpy(part.table, tables.data + 256 * i, 256);
      for (int k = 0; k < 256; ++k) part.mapped = part.mapped || part.table[k] != k;
    }
  }
  if (piece * pieces != out.bytes || (pieces && out.bytes / pieces != piece)) {
    return args.Fail(Code::kShapeMismatch, "the inputs do not add up to the output");
  }
  *step = std::make_unique<Concat>(std::move(parts), args.Bind(out), pieces, piece,
                                   dispatch::lut::Choose(args.isa()), mapped);
  return Status();
}

}  // namespace lowbit::program::steps
