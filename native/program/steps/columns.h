// Sums over the rows of matrices, column by column: in chunks that do not depend on the number of threads, so that
// the same bits come out of any.
#pragma once

#include <cstring>

#include "kernels/columns_f32/contract.h"
#include "program/steps/common.h"

namespace lowbit::program::steps {

// `parts` arrays of sums for each of `batches` matrices of rows x cols.
class ColumnSums {
 public:
  ColumnSums(size_t batches, size_t rows, size_t cols, size_t parts)
      : batches_(batches), rows_(rows), cols_(cols), parts_(parts) {
    constexpr size_t kElements = 64 << 10, kMostChunks = 64, kBlock = kernels::columns_f32::kBlock;
    const size_t wanted = batches > 1 ? 1 : std::min(kMostChunks, rows * cols / kElements);
    const size_t blocks = (rows + kBlock - 1) / kBlock;
    each_ = wanted > 1 ? (blocks + wanted - 1) / wanted * kBlock : rows;
    chunks_ = each_ ? (rows + each_ - 1) / each_ : 1;
  }
  uint64_t scratch_bytes() const {
    return chunks_ > 1 ? uint64_t{chunks_} * parts_ * cols_ * sizeof(float) : 0;
  }

  // work(first row, rows, sums of the parts) adds to the sums of columns; they are 0 at first. The result of part p
  // of matrix b lies in outs[p] + b * cols.
  template <typename Work>
  void Run(const RunContext& run, float* const* outs, const Work& work) const {
    if (chunks_ < 2) {
      Split(run, batches_, (32 << 10) / (rows_ * cols_ + 1), [&](size_t begin, size_t end) {
        for (size_t b = begin; b < end; ++b) {
          float* sums[kMostParts];
          for (size_t p = 0; p < parts_; ++p) {
            sums[p] = outs[p] + b * cols_;
            std::memset(sums[p], 0, cols_ * sizeof(float));
          }
          work(b * rows_, rows_, sums);
        }
      });
      return;
    }
    float* const scratch = reinterpret_cast<float*>(run.scratch);
    Split(run, chunks_, 1, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        float* sums[kMostParts];
        for (size_t p = 0; p < parts_; ++p) sums[p] = scratch + (i * parts_ + p) * cols_;
        std::memset(sums[0], 0, parts_ * cols_ * sizeof(float));
        work(i * each_, std::min(each_, rows_ - i * each_), sums);
      }
    });
    for (size_t p = 0; p < parts_; ++p) {
      std::memset(outs[p], 0, cols_ * sizeof(float));
      for (size_t i = 0; i < chunks_; ++i)
        for (size_t c = 0; c < cols_; ++c) outs[p][c] += scratch[(i * parts_ + p) * cols_ + c];
    }
  }

 private:
  static constexpr size_t kMostParts = 2;
  size_t batches_, rows_, cols_, parts_, each_, chunks_;
};

}  // namespace lowbit::program::steps
