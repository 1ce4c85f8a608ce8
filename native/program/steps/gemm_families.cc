// Reads layers of each family, packs their weights and constants.
#include "program/steps/gemm_families.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "dispatch/gemm.h"
#include "dispatch/gemm_f32.h"
#include "dispatch/gemm_s16.h"
#include "dispatch/gemm_u8.h"

namespace lowbit::program::steps {

namespace {

Key LayoutOf(WeightStrides strides) { return Key().With(strides.channel).With(strides.depth); }

// Weights of the integer kernels, packed for the matmul's row.
template <typename Family>
Status PackCodes(StepArgs& args, const kernels::gemm::WeightView& weights, size_t weight_bytes,
                 Matmul<Family>* matmul) {
  Key layout = LayoutOf({weights.channel_stride, weights.depth_stride});
  layout.With(weights.is_unsigned).With(weights.zero_point);
  const MatmulShape& shape = matmul->shape();
  const size_t nr = static_cast<size_t>(matmul->row().nr), kr = static_cast<size_t>(matmul->row().kr);
  return matmul->PackWeights(args, args.input(1), layout, [&](size_t g, uint8_t* bytes) {
    kernels::gemm::WeightView group = weights;
    group.codes += g * shape.channels * group.channel_stride;
    kernels::gemm::PackPanels(nr, kr, weight_bytes, group, shape.channels, matmul->runs(), bytes);
  });
}

Status NoMemory(const StepArgs& args) { return args.Fail(Code::kLimit, "no memory for channel constants"); }

}  // namespace

bool AreBytes(const kernels::gemm::WeightView& weights, size_t channels, size_t depth, int32_t least) {
  if (!weights.is_unsigned && weights.zero_point == 0 && least == -128) return true;
  std::vector<int16_t> line(depth);
  for (size_t n = 0; n < channels; ++n) {
    if (!kernels::gemm::IsAbove(weights, n, depth, least, line.data())) return false;
  }
  return true;
}

Status KindOfLayer(const StepArgs& args, LayerKind* kind) {
  if (args.input_count() < 2 || args.output_count() != 1 || !args.has_input(0) || !args.has_input(1)) {
    return args.Fail(Code::kInvalid, "expected input, weights and perhaps a bias -> output");
  }
  if (!args.input(1).is_constant()) return args.Fail(Code::kUnsupported, "weights must be constant");
  const Dtype input = args.input(0).dtype, weights = args.input(1).dtype, output = args.output(0).dtype;
  if (input != output) return args.Fail(Code::kTypeMismatch, "input and output must have one type");
  if (input == Dtype::kInt8 || input == Dtype::kUint8) {
    *kind = LayerKind::kCodes;
  } else if (input == Dtype::kInt16 && weights == Dtype::kInt8) {
    *kind = LayerKind::kWide;
  } else if (input == Dtype::kFloat32 && weights == Dtype::kInt8) {
    *kind = LayerKind::kHybrid;
  } else if (input == Dtype::kFloat32 && weights == Dtype::kFloat32) {
    *kind = LayerKind::kReal;
  } else {
    return args.Fail(Code::kTypeMismatch, "no kernel takes these types of input and weights");
  }
  return Status();
}

Status ReadRealClamp(const StepArgs& args, float* low, float* high) {
  LOWBIT_RETURN_IF_ERROR(args.Float("lowReal", low));
  LOWBIT_RETURN_IF_ERROR(args.Float("highReal", high));
  if (!(*low <= *high)) return args.Fail(Code::kInvalid, "lowReal is above highReal");
  return Status();
}

Status ReadRealBias(const StepArgs& args, size_t channels, std::vector<float>* bias) {
  bias->assign(channels, 0.0f);
  if (!args.has_input(2)) return Status();
  const Tensor& tensor = args.input(2);
  if (!tensor.is_constant()) return args.Fail(Code::kUnsupported, "the bias must be constant");
  if (tensor.dtype != Dtype::kFloat32) return args.Fail(Code::kTypeMismatch, "the bias must be float32");
  if (tensor.bytes != channels * sizeof(float)) {
    return args.Fail(Code::kShapeMismatch, "the bias must have one entry an output channel");
  }
  if (channels) std::memcpy(bias->data(), tensor.constant, tensor.bytes);
  return Status();
}

Status ReadWideBias(const StepArgs& args, size_t channels, std::vector<int64_t>* bias) {
  bias->assign(channels, 0);
  if (!args.has_input(2)) return Status();
  const Tensor& tensor = args.input(2);
  if (!tensor.is_constant()) return args.Fail(Code::kUnsupported, "the bias must be constant");
  if (tensor.dtype != Dtype::kInt64 && tensor.dtype != Dtype::kInt32) {
    return args.Fail(Code::kTypeMismatch, "the bias must be int64 or int32");
  }
  if (tensor.count() != channels) {
    return args.Fail(Code::kShapeMismatch, "the bias must have one entry an output channel");
  }
  for (size_t n = 0; n < channels; ++n) {
    if (tensor.dtype == Dtype::kInt64) {
      std::memcpy(&(*bias)[n], tensor.constant + n * sizeof(int64_t), sizeof(int64_t));
    } else {
      int32_t narrow;
      std::memcpy(&narrow, tensor.constant + n * sizeof narrow, sizeof narrow);
      (*bias)[n] = narrow;
    }
  }
  return Status();
}

const kernels::gemm::Row& CodesRow(const StepArgs& args, const MatmulShape& shape,
                                   const QuantizedLayer& layer) {
  const bool fit = AreBytes(layer.weights, shape.groups * shape.channels, shape.depth, -128);
  return dispatch::gemm::Choose({shape.rows, shape.channels, shape.depth, fit}, args.isa());
}

namespace {

// The best row that takes the weights. Most layers have none below -127.
const kernels::gemm_u8::Row* RowForBytes(const StepArgs& args, const MatmulShape& shape,
                                         const kernels::gemm::WeightView& weights) {
  for (const int32_t least : {-127, -128}) {
    const kernels::gemm_u8::Row* const row = dispatch::gemm_u8::Choose(shape.channels, least, args.isa());
    if (!row) return nullptr;
    if (AreBytes(weights, shape.groups * shape.channels, shape.depth, row->least_weight)) return row;
  }
  return nullptr;
}

}  // namespace

const kernels::gemm_u8::Row* HybridBytesRow(const StepArgs& args, const MatmulShape& shape,
                                            WeightStrides strides) {
  return RowForBytes(args, shape, {args.input(1).constant, false, 0, strides.channel, strides.depth});
}

const kernels::gemm::Row& HybridRow(const StepArgs& args, const MatmulShape& shape) {
  return dispatch::gemm::Choose({shape.rows, shape.channels, shape.depth, true}, args.isa());
}

Status LoadCodes(StepArgs& args, const MatmulShape& shape, const RowSource<int16_t>& rows,
                 QuantizedLayer& layer, const kernels::gemm::Row& row, Matmul<CodesFamily>* matmul) {
  LOWBIT_RETURN_IF_ERROR(
      matmul->Plan(args, shape, rows, row, static_cast<size_t>(row.weight_bytes), ChannelBytes(layer)));
  LOWBIT_RETURN_IF_ERROR(PackCodes(args, layer.weights, static_cast<size_t>(row.weight_bytes), matmul));
  const auto channel_of = [&](size_t i) { return matmul->ChannelOf(i); };
  const size_t count = shape.groups * matmul->padded_channels();
  if (!PackChannels(layer, count, shape.depth, channel_of, &matmul->constants.channels))
    return NoMemory(args);
  matmul->constants.output = layer.output;
  return Status();
}

const kernels::gemm_u8::Row* BytesRow(const StepArgs& args, const MatmulShape& shape,
                                      const QuantizedLayer& layer) {
  return RowForBytes(args, shape, layer.weights);
}

Status LoadBytes(StepArgs& args, const MatmulShape& shape, const RowSource<uint8_t>& rows,
                 QuantizedLayer& layer, const kernels::gemm_u8::Row& row, Matmul<BytesFamily>* matmul) {
  LOWBIT_RETURN_IF_ERROR(matmul->Plan(args, shape, rows, row, 1, ChannelBytes(layer)));
  LOWBIT_RETURN_IF_ERROR(PackCodes(args, layer.weights, 1, matmul));
  const auto channel_of = [&](size_t i) { return matmul->ChannelOf(i); };
  const size_t count = shape.groups * matmul->padded_channels();
  layer.input_zero_point += row.lhs_offset;
  if (!PackChannels(layer, count, shape.depth, channel_of, &matmul->constants.channels))
    return NoMemory(args);
  matmul->constants.output = layer.output;
  return Status();
}

namespace {

// Packs int8 weights for a row and fills the constants of a hybrid layer.
template <typename Family>
Status LoadHybridFor(StepArgs& args, const MatmulShape& shape, const RowSource<typename Family::Lhs>& rows,
                     WeightStrides strides, bool scales_apart, const typename Family::Row& row,
                     size_t weight_bytes, Matmul<Family>* matmul) {
  const size_t channels = shape.groups * shape.channels;
  Span<const float> scale;
  LOWBIT_RETURN_IF_ERROR(args.Floats("weightScale", channels, &scale));
  std::vector<float> bias;
  LOWBIT_RETURN_IF_ERROR(ReadRealBias(args, channels, &bias));
  float low, high;
  LOWBIT_RETURN_IF_ERROR(ReadRealClamp(args, &low, &high));

  LOWBIT_RETURN_IF_ERROR(matmul->Plan(args, shape, rows, row, weight_bytes, 3 * sizeof(float)));
  const kernels::gemm::WeightView view{args.input(1).constant, false, 0, strides.channel, strides.depth};
  LOWBIT_RETURN_IF_ERROR(PackCodes(args, view, weight_bytes, matmul));
  const size_t count = shape.groups * matmul->padded_channels();
  AlignedBuffer& memory = matmul->constants.memory;
  if (!memory.Allocate(count * 3 * sizeof(float))) return NoMemory(args);
  float *scales = memory.as<float>(), *biases = scales + count;
  int32_t* sums = reinterpret_cast<int32_t*>(biases + count);
  for (size_t i = 0; i < count; ++i) {
    const size_t n = matmul->ChannelOf(i);
    if (n == SIZE_MAX) continue;
    scales[i] = scale[n];
    biases[i] = bias[n];
    for (size_t k = 0; k < shape.depth; ++k) sums[i] += view.At(n, k);
  }
  matmul->constants.channels = {scales, biases, sums, Family::LhsOffset(row), low, high, scales_apart};
  return Status();
}

}  // namespace

Status LoadHybrid(StepArgs& args, const MatmulShape& shape, const RowSource<int16_t>& rows,
                  WeightStrides strides, bool scales_apart, const kernels::gemm::Row& row,
                  Matmul<HybridFamily>* matmul) {
  return LoadHybridFor(args, shape, rows, strides, scales_apart, row, static_cast<size_t>(row.weight_bytes),
                       matmul);
}

Status LoadHybrid(StepArgs& args, const MatmulShape& shape, const RowSource<uint8_t>& rows,
                  WeightStrides strides, bool scales_apart, const kernels::gemm_u8::Row& row,
                  Matmul<HybridBytesFamily>* matmul) {
  return LoadHybridFor(args, shape, rows, strides, scales_apart, row, 1, matmul);
}

Status LoadWide(StepArgs& args, const MatmulShape& shape, const RowSource<int16_t>& rows,
                WeightStrides strides, Matmul<WideFamily>* matmul) {
  const size_t channels = shape.groups * shape.channels;
  int low, high;
  LOWBIT_RETURN_IF_ERROR(args.Int("low", -32768, 32767, &low));
  LOWBIT_RETURN_IF_ERROR(args.Int("high", low, 32767, &high));
  Factors factors;
  LOWBIT_RETURN_IF_ERROR(ReadFactors(args, channels, kMostWideShift, &factors));
  std::vector<int64_t> bias;
  LOWBIT_RETURN_IF_ERROR(ReadWideBias(args, channels, &bias));

  const kernels::gemm_s16::Row& row = dispatch::gemm_s16::Choose(shape.channels, args.isa());
  constexpr size_t kWeightBytes = sizeof(int16_t);
  LOWBIT_RETURN_IF_ERROR(
      matmul->Plan(args, shape, rows, row, kWeightBytes, sizeof(int64_t) + sizeof(double)));
  const kernels::gemm::WeightView view{args.input(1).constant, false, 0, strides.channel, strides.depth};
  LOWBIT_RETURN_IF_ERROR(PackCodes(args, view, kWeightBytes, matmul));
  const size_t count = shape.groups * matmul->padded_channels();
  AlignedBuffer& memory = matmul->constants.memory;
  if (!memory.Allocate(count * (sizeof(int64_t) + sizeof(double)))) return NoMemory(args);
  int64_t* biases = memory.as<int64_t>();
  double* scales = reinterpret_cast<double*>(biases + count);
  int32_t *multipliers = reinterpret_cast<int32_t*>(scales), *shifts = multipliers + count;
  for (size_t i = 0; i < count; ++i) {
    const size_t n = matmul->ChannelOf(i);
    if (n == SIZE_MAX) continue;
    biases[i] = bias[n];
    if (factors.once) {
      scales[i] = factors.scale[n];
    } else {
      multipliers[i] = factors.multiplier[n];
      shifts[i] = factors.shift[n];
    }
  }
  matmul->constants.channels = {biases, multipliers, shifts, factors.once ? scales : nullptr, low, high};
  return Status();
}

Status LoadReal(StepArgs& args, const MatmulShape& shape, const RowSource<float>& rows, WeightStrides strides,
                Matmul<RealFamily>* matmul) {
  const size_t channels = shape.groups * shape.channels;
  std::vector<float> bias;
  LOWBIT_RETURN_IF_ERROR(ReadRealBias(args, channels, &bias));
  float low, high;
  LOWBIT_RETURN_IF_ERROR(ReadRealClamp(args, &low, &high));
  const kernels::gemm_f32::Row& row = dispatch::gemm_f32::Choose(shape.channels, args.isa());
  LOWBIT_RETURN_IF_ERROR(matmul->Plan(args, shape, rows, row, sizeof(float), sizeof(float)));
  std::vector<float> from;
  const auto pack = [&](size_t g, uint8_t* bytes) {  // runs need no padding: panels are [depth][nr]
    if (from.empty() && args.input(1).bytes > 0) {   // a constant of a file may lie at any address
      from.resize(args.input(1).count());
      std::memcpy(from.data(), args.input(1).constant, args.input(1).bytes);
    }
    const float* weights = from.data() + g * shape.channels * strides.channel;
    const size_t nr = static_cast<size_t>(row.nr);
    float* panel = reinterpret_cast<float*>(bytes);
    for (size_t n = 0; n < shape.channels; n += nr, panel += nr * shape.depth) {
      row.pack(weights + n * strides.channel, strides.channel, strides.depth,
               std::min(nr, shape.channels - n), shape.depth, panel);
    }
  };
  LOWBIT_RETURN_IF_ERROR(matmul->PackWeights(args, args.input(1), LayoutOf(strides), pack));
  const size_t count = shape.groups * matmul->padded_channels();
  AlignedBuffer& memory = matmul->constants.memory;
  if (!memory.Allocate(count * sizeof(float))) return NoMemory(args);
  for (size_t i = 0; i < count; ++i) {
    const size_t n = matmul->ChannelOf(i);
    if (n != SIZE_MAX) memory.as<float>()[i] = bias[n];
  }
  matmul->constants.channels = {memory.as<float>(), low, high};
  return Status();
}

}  // namespace lowbit::program::steps
