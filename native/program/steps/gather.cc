// `gather`: slices of a table by indices that are known when it runs. Inputs: table, indices (int16, int32,
// int64). Attributes: batches, outer, rank, dims (rank extents), inner: the table is batches x outer x dims x
// inner elements; count: indices a batch, each of rank numbers. Output: batches x outer x count x inner.
//
// An index outside dims fails the run. Source: TFLite kernels/internal/reference/gather.h, reference_ops.h
// (GatherNd).
#include <cstring>

#include "program/steps/dtypes.h"
#include "program/steps/slices.h"

namespace lowbit::program::steps {
namespace {

struct Shape {
  size_t batches, outer, count, slice_bytes;
  Cells cells;
};

template <typename Index>
class Gather final : public Step {
 public:
  Gather(Operand table, Operand indices, Operand out, const Shape& shape)
      : table_(table), indices_(indices), out_(out), s_(shape) {
    kernel_ = "gather.copy";
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* table = table_.In<uint8_t>(run);
    const Index* indices = indices_.In<Index>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    const size_t bytes = s_.slice_bytes, slices = s_.batches * s_.outer * s_.count;
    Split(run, slices, (128 << 10) / (bytes + 1), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const size_t plane = i / s_.count;  // of batches x outer
        const Index* index =
            indices + (plane / s_.outer * s_.count + i % s_.count) * static_cast<size_t>(s_.cells.rank);
        size_t cell;
        if (!s_.cells.Find(index, &cell)) return run.Fail("an index lies outside the table");
        std::memmove(out + i * bytes, table + (plane * s_.cells.count + cell) * bytes, bytes);
      }
    });
  }

 private:
  Operand table_, indices_, out_;
  Shape s_;
};

}  // namespace

Status LoadGather(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 2, 1));
  const Tensor& table = args.input(0);
  const Tensor& indices = args.input(1);
  const Tensor& out = args.output(0);
  const size_t element = ElementBytes(table.dtype);
  if (table.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "table and output differ in type");
  if (!element) return args.Fail(Code::kUnsupported, "elements that share bytes");
  LOWBIT_STEP_INT(batches, 0, INT32_MAX);
  LOWBIT_STEP_INT(outer, 0, INT32_MAX);
  LOWBIT_STEP_INT(inner, 0, INT32_MAX);
  LOWBIT_STEP_INT(count, 0, INT32_MAX);
  Shape shape{static_cast<size_t>(batches), static_cast<size_t>(outer), static_cast<size_t>(count), 0, {}};
  LOWBIT_RETURN_IF_ERROR(LoadCells(args, &shape.cells));
  Product in_table, in_indices, in_out;
  const bool fits = in_table.Times(batches) && in_table.Times(outer) && in_table.Times(shape.cells) &&
                    in_table.Times(inner) && in_table.value == table.count() && in_indices.Times(batches) &&
                    in_indices.Times(count) && in_indices.Times(shape.cells.rank) &&
                    in_indices.value == indices.count() && in_out.Times(batches) && in_out.Times(outer) &&
                    in_out.Times(count) && in_out.Times(inner) && in_out.value == out.count();
  if (!fits) return args.Fail(Code::kShapeMismatch, "table, indices and output do not fit together");
  if (!out.count()) shape.batches = 0;
  shape.slice_bytes = static_cast<size_t>(inner) * element;
  const Operand from = args.Bind(table), at = args.Bind(indices), to = args.Bind(out);
  const bool found = VisitDtype<int16_t, int32_t, int64_t>(indices.dtype, [&](auto sample) {
    *step = std::make_unique<Gather<decltype(sample)>>(from, at, to, shape);
  });
  return found ? Status() : args.Fail(Code::kTypeMismatch, "indices must be int16, int32 or int64");
}

}  // namespace lowbit::program::steps
