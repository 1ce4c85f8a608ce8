// Where a matrix multiplication finds the rows of its left-hand side: in the arena as they lie, or in scratch
// memory, when they need another type or a border of padding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/gemm/contract.h"
#include "kernels/gemm/pack.h"

namespace lowbit::program::steps {

using kernels::gemm::Runs;

// Sizes without overflow: what is beyond all memory stays there.
constexpr uint64_t kTooMuch = uint64_t{1} << 62;
inline uint64_t Times(uint64_t a, uint64_t b) { return b > 0 && a > kTooMuch / b ? kTooMuch : a * b; }
inline uint64_t Plus(uint64_t a, uint64_t b) {
  return a > kTooMuch - std::min(b, kTooMuch) ? kTooMuch : a + b;
}

// rows[i] = first + i * step. Four at a time: there is one for every output pixel, and compilers leave it at one.
template <typename T>
inline void PointRows(const T* first, size_t step, size_t count, const T** rows) {
  for (; count >= 4; count -= 4, rows += 4, first += 4 * step) {
    rows[0] = first;
    rows[1] = first + step;
    rows[2] = first + 2 * step;
    rows[3] = first + 3 * step;
  }
  for (size_t i = 0; i < count; ++i) rows[i] = first + i * step;
}

// T: what kernels read. Blocks of rows are asked for; a block never crosses an image, and is made of whole
// lines where these are short.
template <typename T>
class RowSource {
 public:
  virtual ~RowSource() = default;

  Runs runs{1, 0};
  std::vector<ptrdiff_t> offsets;  // of each run from the beginning of its row, group by group
  size_t image_rows = 0, line_rows = 1;
  size_t row_bytes = 0;  // what a row adds to the memory that a block touches, about

  // Elements of scratch memory that a block of so many rows takes.
  virtual uint64_t scratch_elements(uint64_t rows) const = 0;
  // Finds rows [first, first + count) of `input`; `padding` stands for what lies outside it.
  virtual void Find(const void* input, size_t first, size_t count, T padding, T* scratch,
                    const T** rows) const noexcept = 0;
};

// How elements reach scratch memory. kIsView: as they are, so that they can also be read in place.

// int8 codes as int16, by a kernel.
struct WidenCodes {
  using Source = int8_t;
  using Lhs = int16_t;
  static constexpr bool kIsView = false;
  kernels::gemm::Widen widen;
  uint8_t flip;
  void operator()(const int8_t* from, size_t count, int16_t* to) const { widen(from, count, flip, to); }
};

template <typename T>
struct CopyPlain {
  using Source = T;
  using Lhs = T;
  static constexpr bool kIsView = true;
  void operator()(const T* from, size_t count, T* to) const { std::memcpy(to, from, count * sizeof(T)); }
};

// Rows one after the other, `depth` elements each.
template <typename Copy>
class MatrixRows final : public RowSource<typename Copy::Lhs> {
 public:
  using Lhs = typename Copy::Lhs;
  Copy copy;

  MatrixRows(size_t count, size_t depth, Copy the_copy) : copy(the_copy) {
    this->runs = {1, depth};
    this->offsets = {0};
    this->image_rows = count;
    this->row_bytes = depth * sizeof(Lhs);
  }
  uint64_t scratch_elements(uint64_t rows) const override {
    return Copy::kIsView ? 0 : Times(rows, this->runs.depth);
  }
  void Find(const void* input, size_t first, size_t count, Lhs, Lhs* scratch,
            const Lhs** rows) const noexcept override {
    const size_t depth = this->runs.depth;
    const auto* from = static_cast<const typename Copy::Source*>(input) + first * depth;
    const Lhs* row;
    if constexpr (Copy::kIsView) {
      row = from;
      (void)scratch;
    } else {
      copy(from, count * depth, scratch);
      row = scratch;
    }
    PointRows(row, depth, count, rows);
  }
};

}  // namespace lowbit::program::steps
