// `strided`: a copy that picks elements at regular distances: transpositions, slices, splits, repeats.
// Inputs: x. Attributes: dims (extents of the output, up to 8), strides (elements of x from one index to the
// next, one a dimension, may be negative or 0), offset (element of x that comes first). The output holds the
// product of dims.
#include <cstdlib>
#include <cstring>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

struct Shape {
  int rank = 0;
  size_t dims[kMaxRank];
  ptrdiff_t strides[kMaxRank];  // elements
};

template <typename T>
class Strided final : public Step {
 public:
  Strided(Operand in, Operand out, const Shape& shape, ptrdiff_t offset)
      : in_(in), out_(out), s_(shape), offset_(offset) {
    kernel_ = "strided.copy";
  }
  void Run(const RunContext& run) const noexcept override {
    const T* in = in_.In<T>(run) + offset_;
    T* out = out_.Out<T>(run);
    const int rank = s_.rank;
    const size_t cols = rank ? s_.dims[rank - 1] : 1;
    const ptrdiff_t col_stride = rank ? s_.strides[rank - 1] : 1;
    size_t rows = 1;
    for (int i = 0; i + 1 < rank; ++i) rows *= s_.dims[i];
    // A transposition of the two innermost dimensions reads columns: blocks keep its cache lines in use.
    if (rank >= 2 && s_.strides[rank - 2] == 1 && col_stride != 1 && s_.dims[rank - 2] >= 4) {
      const size_t tall = s_.dims[rank - 2], matrices = rows / (tall ? tall : 1);
      Split(run, matrices, (8 << 10) / (tall * cols + 1), [&](size_t begin, size_t end) {
        for (size_t m = begin; m < end; ++m)
          Transpose(in + Place(m, rank - 2), out + m * tall * cols, tall, cols, col_stride);
      });
      return;
    }
    Split(run, rows, (8 << 10) / (cols + 1), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const T* from = in + Place(row, rank - 1);
        T* to = out + row * cols;
        if (col_stride == 1) {
          std::memmove(to, from, cols * sizeof(T));
        } else {
          for (size_t c = 0; c < cols; ++c) to[c] = from[static_cast<ptrdiff_t>(c) * col_stride];
        }
      }
    });
  }

 private:
  // Where index `row` of the first `rank` dimensions begins.
  ptrdiff_t Place(size_t row, int rank) const noexcept {
    ptrdiff_t at = 0;
    for (int i = rank; i-- > 0;) {
      at += static_cast<ptrdiff_t>(row % s_.dims[i]) * s_.strides[i];
      row /= s_.dims[i];
    }
    return at;
  }
  // out[r][c] = in[r + c * stride]
  static void Transpose(const T* in, T* out, size_t rows, size_t cols, ptrdiff_t stride) noexcept {
    constexpr size_t kBlock = 16;
    for (size_t r0 = 0; r0 < rows; r0 += kBlock) {
      const size_t r1 = std::min(rows, r0 + kBlock);
      for (size_t c0 = 0; c0 < cols; c0 += kBlock) {
        const size_t c1 = std::min(cols, c0 + kBlock);
        for (size_t r = r0; r < r1; ++r) {
          for (size_t c = c0; c < c1; ++c)
            out[r * cols + c] = in[static_cast<ptrdiff_t>(c) * stride + static_cast<ptrdiff_t>(r)];
        }
      }
    }
  }

  Operand in_, out_;
  Shape s_;
  ptrdiff_t offset_;
};

}  // namespace

Status LoadStrided(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != out.dtype) return args.Fail(Code::kTypeMismatch, "input and output differ in type");
  if (!ElementBytes(in.dtype)) return args.Fail(Code::kUnsupported, "elements that share bytes");
  LOWBIT_STEP_INT(rank, 0, kMaxRank);
  LOWBIT_STEP_INT(offset, 0, INT32_MAX);
  Span<const int32_t> dims, strides;
  LOWBIT_RETURN_IF_ERROR(args.Ints("dims", static_cast<size_t>(rank), &dims));
  LOWBIT_RETURN_IF_ERROR(args.Ints("strides", static_cast<size_t>(rank), &strides));
  Shape shape;
  // Bound: |stride| <= 2^31 and every extent < 2^31, so a dimension spans less than 2^62; 8 of them are added
  // only while the span stays within the input.
  const int64_t limit = static_cast<int64_t>(in.count());
  const int64_t wanted = static_cast<int64_t>(out.count());
  int64_t lowest = offset, highest = offset, count = 1;
  bool empty = false;
  for (const int32_t extent : dims) {
    if (extent < 0) return args.Fail(Code::kShapeMismatch, "a negative extent");
    empty = empty || extent == 0;
  }
  for (int i = 0; i < rank && !empty; ++i) {
    count *= dims[i];
    if (count > wanted) return args.Fail(Code::kShapeMismatch, "more elements than the output's");
    const int64_t span = int64_t{dims[i] - 1} * strides[i];
    (span < 0 ? lowest : highest) += span;
    if (lowest < 0 || highest >= limit) return args.Fail(Code::kShapeMismatch, "elements outside the input");
    if (dims[i] == 1) continue;
    // Neighbours that continue each other are one dimension.
    if (shape.rank && shape.strides[shape.rank - 1] == int64_t{strides[i]} * dims[i]) {
      shape.dims[shape.rank - 1] *= static_cast<size_t>(dims[i]);
      shape.strides[shape.rank - 1] = strides[i];
    } else {
      shape.dims[shape.rank] = static_cast<size_t>(dims[i]);
      shape.strides[shape.rank++] = strides[i];
    }
  }
  if (empty) {
    count = 0;
    shape.rank = 1;
    shape.dims[0] = 0;
    shape.strides[0] = 1;
    offset = 0;
  }
  if (count != wanted) return args.Fail(Code::kShapeMismatch, "the output has another size");
  if (count && offset >= limit) return args.Fail(Code::kShapeMismatch, "elements outside the input");
  const Operand from = args.Bind(in), to = args.Bind(out);
  switch (ElementBytes(in.dtype)) {
    case 1:
      *step = std::make_unique<Strided<uint8_t>>(from, to, shape, offset);
      break;
    case 2:
      *step = std::make_unique<Strided<uint16_t>>(from, to, shape, offset);
      break;
    case 4:
      *step = std::make_unique<Strided<uint32_t>>(from, to, shape, offset);
      break;
    default:
      *step = std::make_unique<Strided<uint64_t>>(from, to, shape, offset);
  }
  return Status();
}

}  // namespace lowbit::program::steps
