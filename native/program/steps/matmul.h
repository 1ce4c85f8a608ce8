// Runs a GEMM kernel over a whole layer: blocks of rows are found (row_source.h), panels of weights pass over
// them, blocks and panels are shared among threads.
//
// One driver serves all families of kernels (gemm_families.h). A family F names
//   Lhs, Out      element types that kernels read and write
//   Row           its kernel row
//   Constants     the layer's per-channel constants; Runtime: what one run adds
//   Run(row, block, constants, runtime, first_row)
#pragma once

#include <algorithm>

#include "kernels/gemm/tile.h"
#include "program/step.h"
#include "program/steps/row_source.h"

namespace lowbit::program::steps {

struct MatmulShape {
  size_t rows;      // output pixels, or batch
  size_t groups;    // of a grouped convolution; channels and depth are those of one group
  size_t channels;  // columns
  size_t depth;
};

inline size_t DivideUp(size_t a, size_t b) { return (a + b - 1) / b; }

// Bytes of scratch memory, up to a boundary of 64.
inline uint64_t Aligned(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

// Weights of an output channel.
constexpr size_t kMostDepth = size_t{1} << 28;

// Handing work to other threads pays from about 2 microseconds on (threads/README.md).
constexpr size_t kParallelMacs = 400 * 1000;
constexpr size_t kChunksPerThread = 4;

template <typename F>
class Matmul {
 public:
  using Lhs = typename F::Lhs;
  using Out = typename F::Out;
  using Row = typename F::Row;
  using Constants = typename F::Constants;
  using Runtime = typename F::Runtime;

  // Fixes blocks and panels; the caller then packs the weights and fills the constants, group g's channel n
  // at entry g * padded_channels() + n. Rows will come from a source like `rows`.
  // Refuses what the limit of memory does not leave room for: `channel_bytes` are an entry's constants.
  Status Plan(const StepArgs& args, const MatmulShape& shape, const RowSource<Lhs>& rows, const Row& row,
              size_t weight_bytes, size_t channel_bytes) {
    // What a block touches stays in the second-level cache while the panels pass over it; panels that pass
    // together stay in the first-level one.
    constexpr size_t kBlockBytes = 96 * 1024, kPanelBytes = 20 * 1024, kCachedWeights = 512 * 1024;
    if (shape.depth > kMostDepth) {
      return args.Fail(Code::kUnsupported, "more than 2^28 weights an output channel");
    }
    shape_ = shape;
    row_ = &row;
    runs_ = rows.runs;
    image_rows_ = rows.image_rows;
    const size_t kr = static_cast<size_t>(row.kr), nr = static_cast<size_t>(row.nr);
    const size_t mr = static_cast<size_t>(row.mr);
    run_depth_ = runs_.PaddedDepth(kr);
    panels_ = DivideUp(shape.channels, nr);
    // At most 2^28 weights, each run grown to at most kr times its depth: 2^31 * 2^6 * 2^2.
    const uint64_t panel_bytes = uint64_t{runs_.count} * run_depth_ * nr * weight_bytes;
    const uint64_t panels = Times(shape.groups, panels_);
    const uint64_t held = Plus(Times(panels, panel_bytes), Times(panels, uint64_t{nr} * channel_bytes));
    LOWBIT_RETURN_IF_ERROR(args.Fits(held));
    panel_bytes_ = static_cast<size_t>(panel_bytes);
    panels_at_once_ =
        panel_bytes_ ? std::max<size_t>(1, kPanelBytes / panel_bytes_) : std::max<size_t>(1, panels_);

    const size_t threads = static_cast<size_t>(args.threads());
    const uint64_t outputs = Times(Times(shape.rows, shape.groups), shape.channels);
    parallel_ = threads > 1 && Times(outputs, shape.depth) >= kParallelMacs;
    const size_t wanted = parallel_ ? kChunksPerThread * threads : 1;
    const size_t images = image_rows_ ? shape.rows / image_rows_ : 0;
    if (images) {
      const uint64_t image_bytes = Times(image_rows_, rows.row_bytes);
      const uint64_t cached = image_bytes / kBlockBytes + 1;
      // Each block goes through all weights, each split of the columns through all rows. Rows are divided where that
      // leaves the weights in the second-level cache: the next step then finds its rows in the same core's cache.
      const bool by_rows = Times(panels, panel_bytes) <= std::max<uint64_t>(2 * image_bytes, kCachedWeights);
      const size_t blocks = static_cast<size_t>(std::min<uint64_t>(
          std::max<uint64_t>(cached, by_rows ? DivideUp(wanted, images) : 1), DivideUp(image_rows_, mr)));
      const size_t even = DivideUp(image_rows_, blocks);
      const size_t unit = even >= rows.line_rows ? rows.line_rows : mr;
      block_rows_ = std::min(image_rows_, DivideUp(even, unit) * unit);
      blocks_ = DivideUp(image_rows_, block_rows_);
    }
    const size_t chunks = images * blocks_;
    const size_t columns = shape.groups * panels_;
    splits_ = chunks ? DivideUp(wanted, chunks) : 0;
    // As much for each thread, where chunks are few.
    while (parallel_ && chunks && chunks < 4 * wanted && chunks * splits_ % threads) ++splits_;
    splits_ = std::min(splits_, columns);
    chunks_ = chunks * splits_;
    pointer_bytes_ = DivideUp(block_rows_ * sizeof(const Lhs*), 64) * 64;
    const uint64_t found = Times(rows.scratch_elements(block_rows_), sizeof(Lhs));
    const uint64_t slot = Plus(pointer_bytes_, (Plus(found, 127)) / 64 * 64);
    LOWBIT_RETURN_IF_ERROR(args.Fits(Plus(held, Times(slot, threads))));
    scratch_per_slot_ = static_cast<size_t>(slot);
    return Status();
  }

  // Packs the weights: pack(g, bytes) fills the zeroed bytes of group g. `layout` says what it depends on
  // beside the shape and the kernel.
  template <typename PackGroup>
  Status PackWeights(StepArgs& args, const Tensor& weights, Key layout, const PackGroup& pack) {
    layout.With(reinterpret_cast<uintptr_t>(row_))
        .With(shape_.groups)
        .With(shape_.channels)
        .With(runs_.count)
        .With(runs_.depth);
    const size_t group_bytes = panels_ * panel_bytes_;
    packed_ = args.Packed(weights, layout, shape_.groups * group_bytes, [&](uint8_t* bytes) {
      for (size_t g = 0; g < shape_.groups; ++g) pack(g, bytes + g * group_bytes);
    });
    return packed_ ? Status() : args.Fail(Code::kLimit, "no memory for packed weights");
  }

  // Weights that each run packs anew, into memory of its own: so many bytes, group after group, zeroed.
  uint64_t unpacked_bytes() const { return Times(Times(shape_.groups, panels_), panel_bytes_); }
  size_t panel_bytes() const { return panel_bytes_; }
  bool is_parallel() const { return parallel_; }

  size_t padded_channels() const { return panels_ * static_cast<size_t>(row_->nr); }
  // The channel that entry i of the constants belongs to, or SIZE_MAX for padding.
  size_t ChannelOf(size_t i) const {
    const size_t n = i % padded_channels();
    return n < shape_.channels ? i / padded_channels() * shape_.channels + n : SIZE_MAX;
  }
  const Row& row() const { return *row_; }
  const MatmulShape& shape() const { return shape_; }
  const Runs& runs() const { return runs_; }
  uint64_t scratch_bytes(int threads) const { return static_cast<size_t>(threads) * scratch_per_slot_; }
  uint64_t packed_bytes() const { return packed_->size() + constants.bytes(); }

  // `flip`: of the stored bytes, for families that read them in place. `packed`: weights of this run alone.
  void Run(const RunContext& run, uint8_t* scratch, const RowSource<Lhs>& rows, Lhs padding, uint8_t flip,
           const void* input, Out* output, const Runtime& runtime = Runtime(),
           const uint8_t* packed = nullptr) const noexcept {
    const Job job = {scratch, &rows,  padding,  flip,
                     input,   output, &runtime, packed ? packed : packed_->data()};
    if (!parallel_) {
      for (size_t i = 0; i < chunks_; ++i) RunChunk(job, i, 0);
    } else {
      run.pool->For(chunks_, run.threads, [&](size_t i, int slot) { RunChunk(job, i, slot); });
    }
  }

  Constants constants;

 private:
  struct Job {
    uint8_t* scratch;
    const RowSource<Lhs>* rows;
    Lhs padding;
    uint8_t flip;
    const void* input;
    Out* output;
    const Runtime* runtime;
    const uint8_t* packed;
  };

  void RunChunk(const Job& job, size_t index, int slot) const noexcept {
    const size_t split = index % splits_, part = index / splits_;
    const size_t in_image = part % blocks_ * block_rows_;
    const size_t first = part / blocks_ * image_rows_ + in_image;
    const size_t count = std::min(block_rows_, image_rows_ - in_image);
    uint8_t* const scratch = job.scratch + static_cast<size_t>(slot) * scratch_per_slot_;
    const Lhs** const rows = reinterpret_cast<const Lhs**>(scratch);
    job.rows->Find(job.input, first, count, job.padding, reinterpret_cast<Lhs*>(scratch + pointer_bytes_),
                   rows);

    const size_t nr = static_cast<size_t>(row_->nr), stride = shape_.groups * shape_.channels;
    kernels::gemm::BlockOf<Lhs, Out> block{};
    block.lhs = rows;
    block.run_count = static_cast<int>(runs_.count);
    block.run_depth = static_cast<int>(run_depth_);
    block.panel_bytes = panel_bytes_;
    block.out_stride = static_cast<ptrdiff_t>(stride);
    block.rows = count;
    block.flip = job.flip;
    const size_t columns = shape_.groups * panels_, last = columns * (split + 1) / splits_;
    for (size_t column = columns * split / splits_; column < last;) {  // a group's panels at a time
      const size_t group = column / panels_, panel = column % panels_;
      const size_t some = std::min(std::min(panels_at_once_, panels_ - panel), last - column);
      block.runs = job.rows->offsets.data() + group * runs_.count;
      block.packed = job.packed + column * panel_bytes_;
      block.channel = column * nr;
      block.cols = std::min(some * nr, shape_.channels - panel * nr);
      block.out = job.output + first * stride + group * shape_.channels + panel * nr;
      F::Run(*row_, block, constants, *job.runtime, first);
      column += some;
    }
  }

  const Row* row_ = nullptr;
  MatmulShape shape_{};
  Runs runs_{0, 0};
  SharedBuffer packed_;
  size_t run_depth_ = 0, panels_ = 0, panel_bytes_ = 0, panels_at_once_ = 0;
  size_t image_rows_ = 0, block_rows_ = 0, blocks_ = 0;  // blocks of an image
  size_t splits_ = 0, chunks_ = 0, pointer_bytes_ = 0, scratch_per_slot_ = 0;
  bool parallel_ = false;
};

}  // namespace lowbit::program::steps
