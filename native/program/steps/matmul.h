// Runs a GEMM kernel over a whole layer: rows are gathered block by block into scratch memory, every panel of
// weights passes over the block, blocks and panels are shared among threads.
#pragma once

#include "kernels/gemm/pack.h"
#include "program/steps/quantized_layer.h"

namespace lowbit::program::steps {

struct MatmulShape {
  size_t rows;      // output pixels, or batch
  size_t groups;    // of a grouped convolution; channels and depth are those of one group
  size_t channels;  // columns
  size_t depth;
};

// Writes rows [first, first + count) of a group's left-hand side, `stride` elements apart; entries [depth,
// stride) of each row must be zero.
using Gather = void (*)(const void* context, const int8_t* input, size_t group, size_t first, size_t count,
                        size_t stride, int16_t* rows) noexcept;

class Matmul {
 public:
  // layer.weights needs its strides; channel n of group g is channel g * shape.channels + n.
  Status Load(const StepArgs& args, const MatmulShape& shape, const QuantizedLayer& layer);
  void Run(const RunContext& run, Gather gather, const void* context, const int8_t* input,
           int8_t* output) const noexcept;

  const kernels::gemm::Row& row() const { return *row_; }
  size_t scratch_bytes(int threads) const { return static_cast<size_t>(threads) * scratch_per_slot_; }
  uint64_t packed_bytes() const { return packed_.size() + channels_.bytes(); }

 private:
  struct Job;
  void RunChunk(const Job& job, size_t index, int slot) const noexcept;

  const kernels::gemm::Row* row_ = nullptr;
  MatmulShape shape_{};
  kernels::Output output_{};
  AlignedBuffer packed_;
  kernels::PackedChannels channels_;
  size_t padded_depth_ = 0, panels_ = 0, panel_bytes_ = 0;
  size_t block_rows_ = 0, row_blocks_ = 0, panel_splits_ = 0, scratch_per_slot_ = 0;
  bool parallel_ = false;
};

}  // namespace lowbit::program::steps
