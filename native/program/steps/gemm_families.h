// The families of GEMM kernels as the driver (matmul.h) takes them, and how each reads its constants from a
// step.
//
//   codes    int8 or uint8 activations, weights and output
//   bytes    the same, on processors with a kernel for bytes (kernels/gemm_u8) and weights that fit it
//   hybrid   float activations, quantised at run time; int8 weights; float output
//   wide     int16 activations and output, int8 weights
//   real     all float32
#pragma once

#include "kernels/gemm/contract.h"
#include "kernels/gemm_f32/contract.h"
#include "kernels/gemm_s16/contract.h"
#include "kernels/gemm_u8/contract.h"
#include "program/steps/matmul.h"
#include "program/steps/quantized_layer.h"

namespace lowbit::program::steps {

struct NoRuntime {};

struct CodesFamily {
  using Lhs = int16_t;
  using Out = int8_t;
  using Row = kernels::gemm::Row;
  struct Constants {
    kernels::PackedChannels channels;
    kernels::Output output{};
    size_t bytes() const { return channels.bytes(); }
  };
  using Runtime = NoRuntime;
  static void Run(const Row& row, const kernels::gemm::Block& block, const Constants& constants,
                  const NoRuntime&, size_t) {
    row.run(block, constants.channels.channels(), constants.output);
  }
};

struct BytesFamily {
  using Lhs = uint8_t;
  using Out = int8_t;
  using Row = kernels::gemm_u8::Row;
  using Constants = CodesFamily::Constants;
  using Runtime = NoRuntime;
  static void Run(const Row& row, const kernels::gemm_u8::Block& block, const Constants& constants,
                  const NoRuntime&, size_t) {
    row.run(block, constants.channels.channels(), constants.output);
  }
};

struct HybridFamily {
  static constexpr int32_t LhsOffset(const kernels::gemm::Row&) { return 0; }
  using Lhs = int16_t;
  using Out = float;
  using Row = kernels::gemm::Row;
  struct Constants {
    AlignedBuffer memory;
    kernels::gemm::HybridChannels channels{};
    size_t bytes() const { return memory.size(); }
  };
  using Runtime = kernels::gemm::HybridRows;  // of row 0
  static void Run(const Row& row, const kernels::gemm::HybridBlock& block, const Constants& constants,
                  const Runtime& rows, size_t first) {
    const ptrdiff_t skip = static_cast<ptrdiff_t>(first) * rows.step;
    row.run_hybrid(block, constants.channels, {rows.scale + skip, rows.zero_point + skip, rows.step});
  }
};

// Hybrid layers by the byte kernels.
struct HybridBytesFamily {
  static constexpr int32_t LhsOffset(const kernels::gemm_u8::Row& row) { return row.lhs_offset; }
  using Lhs = uint8_t;
  using Out = float;
  using Row = kernels::gemm_u8::Row;
  using Constants = HybridFamily::Constants;
  using Runtime = kernels::gemm::HybridRows;
  static void Run(const Row& row, const kernels::gemm_u8::HybridBlock& block, const Constants& constants,
                  const Runtime& rows, size_t first) {
    const ptrdiff_t skip = static_cast<ptrdiff_t>(first) * rows.step;
    row.run_hybrid(block, constants.channels, {rows.scale + skip, rows.zero_point + skip, rows.step});
  }
};

struct WideFamily {
  using Lhs = int16_t;
  using Out = int16_t;
  using Row = kernels::gemm_s16::Row;
  struct Constants {
    AlignedBuffer memory;
    kernels::gemm_s16::Channels channels{};
    size_t bytes() const { return memory.size(); }
  };
  using Runtime = NoRuntime;
  static void Run(const Row& row, const kernels::gemm_s16::Block& block, const Constants& constants,
                  const NoRuntime&, size_t) {
    row.run(block, constants.channels);
  }
};

struct RealFamily {
  using Lhs = float;
  using Out = float;
  using Row = kernels::gemm_f32::Row;
  struct Constants {
    AlignedBuffer memory;
    kernels::gemm_f32::Channels channels{};
    size_t bytes() const { return memory.size(); }
  };
  // A bias that was computed takes the place of the constant one; padded as that is.
  struct Runtime {
    const float* bias = nullptr;
  };
  static void Run(const Row& row, const kernels::gemm_f32::Block& block, const Constants& constants,
                  const Runtime& runtime, size_t) {
    const kernels::gemm_f32::Channels& channels = constants.channels;
    row.run(block, {runtime.bias ? runtime.bias : channels.bias, channels.low, channels.high});
  }
};

// Strides of constant weights: element (channel n, depth k) lies at n * channel + k * depth.
struct WeightStrides {
  size_t channel, depth;
};

// Whether every weight lies in [least, 127].
bool AreBytes(const kernels::gemm::WeightView& weights, size_t channels, size_t depth, int32_t least);

// The kernel for codes: for bytes where this machine has one for the layer (else null), and the other.
const kernels::gemm_u8::Row* BytesRow(const StepArgs& args, const MatmulShape& shape,
                                      const QuantizedLayer& layer);
const kernels::gemm::Row& CodesRow(const StepArgs& args, const MatmulShape& shape,
                                   const QuantizedLayer& layer);
// Likewise for hybrid layers.
const kernels::gemm_u8::Row* HybridBytesRow(const StepArgs& args, const MatmulShape& shape,
                                            WeightStrides strides);
const kernels::gemm::Row& HybridRow(const StepArgs& args, const MatmulShape& shape);

// Each reads operands (input, constant weights, bias -> output) and attributes and packs for the kernel;
// `rows` is how the left-hand side will be found.
Status LoadCodes(StepArgs& args, const MatmulShape& shape, const RowSource<int16_t>& rows,
                 QuantizedLayer& layer, const kernels::gemm::Row& row, Matmul<CodesFamily>* matmul);
Status LoadBytes(StepArgs& args, const MatmulShape& shape, const RowSource<uint8_t>& rows,
                 QuantizedLayer& layer, const kernels::gemm_u8::Row& row, Matmul<BytesFamily>* matmul);
Status LoadHybrid(StepArgs& args, const MatmulShape& shape, const RowSource<int16_t>& rows,
                  WeightStrides strides, bool scales_apart, const kernels::gemm::Row& row,
                  Matmul<HybridFamily>* matmul);
Status LoadHybrid(StepArgs& args, const MatmulShape& shape, const RowSource<uint8_t>& rows,
                  WeightStrides strides, bool scales_apart, const kernels::gemm_u8::Row& row,
                  Matmul<HybridBytesFamily>* matmul);
Status LoadWide(StepArgs& args, const MatmulShape& shape, const RowSource<int16_t>& rows,
                WeightStrides strides, Matmul<WideFamily>* matmul);
Status LoadReal(StepArgs& args, const MatmulShape& shape, const RowSource<float>& rows, WeightStrides strides,
                Matmul<RealFamily>* matmul);

// Which family the types of input, weights and output ask for.
enum class LayerKind { kCodes, kHybrid, kWide, kReal };
Status KindOfLayer(const StepArgs& args, LayerKind* kind);

// The clamp of float outputs: attributes lowReal and highReal.
Status ReadRealClamp(const StepArgs& args, float* low, float* high);
// The float32 bias, or zeros when absent.
Status ReadRealBias(const StepArgs& args, size_t channels, std::vector<float>* bias);

// The int64 or int32 bias of a 16x8 layer, or zeros when absent.
Status ReadWideBias(const StepArgs& args, size_t channels, std::vector<int64_t>* bias);
// The largest shift of the factors of a 16x8 layer.
constexpr int kMostWideShift = 7;

}  // namespace lowbit::program::steps
