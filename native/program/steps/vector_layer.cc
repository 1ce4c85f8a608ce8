// Runs a layer of one output row by kernels/gemv: the row is read where it lies, panels are shared among threads.
#include "program/steps/vector_layer.h"

#include <algorithm>

#include "dispatch/gemv.h"
#include "kernels/gemv/pack.h"

namespace lowbit::program::steps {

namespace {

using kernels::gemv::PaddedChannels;
using kernels::gemv::PaddedDepth;
using kernels::gemv::Row;

class VectorLayer final : public Step {
 public:
  explicit VectorLayer(const Row& row) : row_(row) {}

  // Fills the constants; false when memory runs out.
  bool PackConstants(QuantizedLayer layer, const MatmulShape& shape) {
    layer.input_zero_point += row_.lhs_offset;
    const auto channel_of = [&](size_t i) { return i < shape.channels ? i : SIZE_MAX; };
    output_ = layer.output;
    block_.depth = PaddedDepth(shape.depth);
    block_.cols = shape.channels;
    block_.flip = row_.lhs_offset ? layer.flip ^ 0x80 : layer.flip;
    return PackChannels(layer, PaddedChannels(row_, shape.channels), shape.depth, channel_of, &channels_);
  }
  // Kernels know the folded form alone.
  bool can_run() const { return channels_.channels().folded.bias != nullptr; }

  Status Finish(StepArgs& args, const QuantizedLayer& layer, const MatmulShape& shape) {
    const kernels::gemm::WeightView& weights = layer.weights;
    const Key key = Key()
                        .With(reinterpret_cast<uintptr_t>(&row_))
                        .With(shape.channels)
                        .With(shape.depth)
                        .With(weights.channel_stride)
                        .With(weights.depth_stride)
                        .With(weights.is_unsigned)
                        .With(weights.zero_point);
    const size_t bytes = PaddedChannels(row_, shape.channels) * block_.depth;
    packed_ = args.Packed(args.input(1), key, bytes, [&](uint8_t* packed) {
      kernels::gemv::PackPanels(row_, weights, shape.channels, shape.depth, packed);
    });
    if (!packed_) return args.Fail(Code::kLimit, "no memory for packed weights");
    block_.packed = packed_->data();
    input_ = args.Bind(args.input(0));
    out_ = args.Bind(args.output(0));
    kernel_ = row_.name;
    packed_bytes_ = bytes + channels_.bytes();
    const size_t threads = static_cast<size_t>(args.threads());
    if (threads > 1 && shape.channels * shape.depth >= kParallelMacs)
      chunks_ = std::min(panels(), kChunksPerThread * threads);
    return Status();
  }

  void Run(const RunContext& run) const noexcept override {
    kernels::gemv::Block all = block_;
    all.lhs = input_.In<uint8_t>(run);
    all.out = out_.Out<int8_t>(run);
    if (chunks_ <= 1) return row_.run(all, channels_.channels(), output_);
    run.pool->For(chunks_, run.threads, [&](size_t i, int) {
      const size_t nr = static_cast<size_t>(row_.nr), first = panels() * i / chunks_ * nr;
      kernels::gemv::Block some = all;
      some.packed = packed_->data() + first * all.depth;
      some.out += first;
      some.channel = first;
      some.cols = std::min(panels() * (i + 1) / chunks_ * nr, all.cols) - first;
      row_.run(some, channels_.channels(), output_);
    });
  }

 private:
  size_t panels() const { return DivideUp(block_.cols, static_cast<size_t>(row_.nr)); }

  const Row& row_;
  kernels::gemv::Block block_{};
  kernels::Output output_{};
  kernels::PackedChannels channels_;
  SharedBuffer packed_;
  Operand input_, out_;
  size_t chunks_ = 1;
};

const Row* RowFor(const StepArgs& args, const MatmulShape& shape, const kernels::gemm::WeightView& weights) {
  for (const int32_t least : {-127, -128}) {
    const Row* const row = dispatch::gemv::Choose(shape.channels, least, args.isa());
    if (!row) return nullptr;
    if (AreBytes(weights, shape.channels, shape.depth, least)) return row;
  }
  return nullptr;
}

}  // namespace

Status LoadVectorLayer(StepArgs& args, const MatmulShape& shape, const QuantizedLayer& layer,
                       std::unique_ptr<Step>* step) {
  const Row* const row = RowFor(args, shape, layer.weights);
  if (!row || shape.channels == 0 || shape.depth == 0 || shape.depth > kMostDepth) return Status();
  const uint64_t entry = ChannelBytes(layer) + uint64_t{PaddedDepth(shape.depth)};
  LOWBIT_RETURN_IF_ERROR(args.Fits(Times(PaddedChannels(*row, shape.channels), entry)));
  auto vector = std::make_unique<VectorLayer>(*row);
  if (!vector->PackConstants(layer, shape)) return args.Fail(Code::kLimit, "no memory for channel constants");
  if (!vector->can_run()) return Status();
  LOWBIT_RETURN_IF_ERROR(vector->Finish(args, layer, shape));
  *step = std::move(vector);
  return Status();
}

}  // namespace lowbit::program::steps
