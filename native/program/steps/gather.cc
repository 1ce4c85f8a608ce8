// `gather`: slices of a table by indices that are known when it runs. Inputs: table, indices (int16, int32,
// int64). Attributes: batches, outer, rank, dims (rank extents), inner: the table is batches x outer x dims x
// inner elements; count: indices a batch, each of rank numbers. Output: batches x outer x count x inner.
//
// An index outside dims fails the run. Source: TFLite kernels/internal/reference/gather.h, reference_ops.h
// (GatherNd).
#include <cstring>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

struct Shape {
  size_t batches, outer, count, slice_bytes;
  int rank;
  size_t dims[kMaxRank];
  size_t cells;  // product of dims
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
            indices + (plane / s_.outer * s_.count + i % s_.count) * static_cast<size_t>(s_.rank);
        size_t cell;
        if (!Find(index, &cell)) return run.Fail("an index lies outside the table");
        std::memcpy(out + i * bytes, table + (plane * s_.cells + cell) * bytes, bytes);
      }
    });
  }

 private:
  bool Find(const Index* index, size_t* cell) const noexcept {
    *cell = 0;
    for (int d = 0; d < s_.rank; ++d) {
      if (index[d] < 0 || static_cast<uint64_t>(index[d]) >= s_.dims[d]) return false;
      *cell = *cell * s_.dims[d] + static_cast<size_t>(index[d]);
    }
    return true;
  }

  Operand table_, indices_, out_;
  Shape s_;
};

// Extents are below 2^31; the product stops growing beyond 2^32, which no tensor has.
bool Multiply(uint64_t* product, int factor) {
  if (*product > (uint64_t{1} << 32)) return false;
  *product *= static_cast<uint64_t>(factor);
  return true;
}

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
  LOWBIT_STEP_INT(rank, 0, kMaxRank);
  Span<const int32_t> dims;
  LOWBIT_RETURN_IF_ERROR(args.Ints("dims", static_cast<size_t>(rank), &dims));
  Shape shape{
      static_cast<size_t>(batches), static_cast<size_t>(outer), static_cast<size_t>(count), 0, rank, {}, 1};
  uint64_t in_table = 1, in_indices = 1, in_out = 1;
  bool fits = Multiply(&in_table, batches) && Multiply(&in_table, outer);
  for (int i = 0; fits && i < rank; ++i) {
    fits = dims[i] >= 0 && Multiply(&in_table, dims[i]);
    shape.dims[i] = static_cast<size_t>(dims[i]);
    shape.cells *= shape.dims[i];
  }
  fits = fits && Multiply(&in_table, inner) && in_table == table.count() && Multiply(&in_indices, batches) &&
         Multiply(&in_indices, count) && Multiply(&in_indices, rank) && in_indices == indices.count() &&
         Multiply(&in_out, batches) && Multiply(&in_out, outer) && Multiply(&in_out, count) &&
         Multiply(&in_out, inner) && in_out == out.count();
  if (!fits) return args.Fail(Code::kShapeMismatch, "table, indices and output do not fit together");
  shape.slice_bytes = static_cast<size_t>(inner) * element;
  const Operand from = args.Bind(table), at = args.Bind(indices), to = args.Bind(out);
  switch (indices.dtype) {
    case Dtype::kInt16:
      *step = std::make_unique<Gather<int16_t>>(from, at, to, shape);
      return Status();
    case Dtype::kInt32:
      *step = std::make_unique<Gather<int32_t>>(from, at, to, shape);
      return Status();
    case Dtype::kInt64:
      *step = std::make_unique<Gather<int64_t>>(from, at, to, shape);
      return Status();
    default:
      return args.Fail(Code::kTypeMismatch, "indices must be int16, int32 or int64");
  }
}

}  // namespace lowbit::program::steps
