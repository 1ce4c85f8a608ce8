// What convolutions and fully connected layers take in common: types, zero points, clamp, factors, int4 weights.

import type { Dtype } from '../tensor/dtype.js'
import { elementCount } from '../tensor/shape.js'
import { activationRange, floatActivationRange, isClamp } from './activation.js'
import type { NodeContext, Operand, Step, StepAttribute } from './contract.js'

interface Layer {
  readonly activation: number
  /** Dimension of the weights that holds the output channels. */
  readonly channelAxis: number
  /**
   * How the reference scales an accumulator. `twice`: a fixed-point factor and two roundings. `once`: a real factor
   * in double precision and one rounding.
   */
  readonly rounding: 'twice' | 'once'
  /** Whether float inputs are quantised with a zero point; asked for layers with integer weights only. */
  readonly asymmetricInputs: (weights: Operand) => boolean
  /** Whether int8 weights may have a zero point; the reference takes those of convolutions as symmetric. */
  readonly weightZeroPoint: boolean
  /** Whether the input is quantised already (quantize-rows.ts): scales and zero points are inputs 3 and 4. */
  readonly quantizedRows?: boolean
}

/** Types of input, weights and output that the native layers run; int4 weights are unpacked to int8. */
const TYPES = [
  'int8 x int8 -> int8',
  'int8 x int4 -> int8',
  'uint8 x uint8 -> uint8',
  'int16 x int8 -> int16',
  'float32 x float32 -> float32',
  'float32 x int8 -> float32',
  'float32 x int4 -> float32',
] as const

/** Operands and attributes of a layer's native step, geometry left to the operator. */
export function layerStep(
  node: NodeContext<unknown>,
  layer: Layer,
): Pick<Step, 'inputs' | 'outputs'> & { readonly attributes: Record<string, StepAttribute> } {
  const input = node.input(0)
  const weights = node.input(1)
  const output = node.output(0)
  const dtype = layer.quantizedRows ? 'float32' : input.dtype
  checkTypes(node, dtype, weights, output)
  if (!isClamp(layer.activation)) {
    throw node.fail('OPERATOR_UNSUPPORTED', `fused activation ${layer.activation} is not supported`)
  }
  const attributes =
    dtype === 'float32'
      ? realAttributes(node, layer, weights)
      : codeAttributes(node, layer, input, weights, output)
  const rows = layer.quantizedRows ? [node.input(3), node.input(4)] : []
  return {
    inputs: [input, unpacked(weights), node.inputs[2] ?? null, ...rows],
    outputs: [output],
    attributes,
  }
}

function realAttributes(
  node: NodeContext<unknown>,
  layer: Layer,
  weights: Operand,
): Record<string, StepAttribute> {
  const { low, high } = floatActivationRange(layer.activation)
  const clamp = { lowReal: Float32Array.of(low), highReal: Float32Array.of(high) }
  if (weights.dtype === 'float32') return clamp
  const scales = weightScales(node, weights, layer.channelAxis)
  const channels = weights.shape[layer.channelAxis] ?? 0
  return {
    ...clamp,
    asymmetric: layer.asymmetricInputs(weights) ? 1 : 0,
    weightScale: scales.length === 1 ? new Float32Array(channels).fill(scales[0] as number) : scales,
  }
}

/**
 * Attributes of a layer with integer activations.
 *
 * The factor of channel c is input scale * weight scale[c] / output scale, in double precision, which native code
 * computes; for uint8 convolutions the first product is rounded to float32, as in the reference's older function.
 *
 * @see TFLite, kernels/kernel_util: PopulateConvolutionQuantizationParams, GetQuantizedConvolutionMultipler.
 * @see LiteRT, kernels/internal/reference/integer_ops/fully_connected.h, for the real factor.
 */
function codeAttributes(
  node: NodeContext<unknown>,
  { activation, channelAxis, rounding, weightZeroPoint }: Layer,
  input: Operand,
  weights: Operand,
  output: Operand,
): Record<string, StepAttribute> {
  const from = node.affine(input)
  const to = node.affine(output)
  if (input.dtype === 'int16' && (from.zeroPoint !== 0 || to.zeroPoint !== 0)) {
    throw node.fail('OPERATOR_UNSUPPORTED', 'int16 activations must have zero point 0')
  }
  const scales = weightScales(node, weights, channelAxis)
  const keepsZeroPoint = weights.dtype === 'uint8' || (weightZeroPoint && scales.length === 1)
  return {
    inputZeroPoint: from.zeroPoint,
    weightZeroPoint: keepsZeroPoint ? (weights.quantization?.zeroPoint[0] ?? 0) : 0,
    outputZeroPoint: to.zeroPoint,
    ...activationRange(activation, to, output.dtype as 'int8' | 'uint8' | 'int16'),
    inputScale: Float64Array.of(from.scale),
    weightScale: scales,
    outputScale: Float64Array.of(to.scale),
    once: rounding === 'once' ? 1 : 0,
    narrow: rounding === 'twice' && input.dtype === 'uint8' ? 1 : 0,
  }
}

/** One scale, or one for each output channel. */
function weightScales(node: NodeContext<unknown>, weights: Operand, channelAxis: number): Float32Array {
  const { scale, axis } = weights.quantization ?? {}
  if (scale === undefined) {
    throw node.fail('FILE_INVALID', `weights "${weights.name}" have no quantisation`, {
      tensor: weights.name,
    })
  }
  const channels = weights.shape[channelAxis] ?? 0
  if (scale.length !== 1 && (scale.length !== channels || axis !== channelAxis)) {
    throw node.fail(
      'OPERATOR_UNSUPPORTED',
      `weights "${weights.name}" need one scale, or one for each of ${channels} output channels; they have ${scale.length} along axis ${axis}`,
      { tensor: weights.name, expected: channels, actual: scale.length },
    )
  }
  return scale
}

function checkTypes(node: NodeContext<unknown>, input: Dtype, weights: Operand, output: Operand): void {
  const types = `${input} x ${weights.dtype} -> ${output.dtype}`
  if (!(TYPES as readonly string[]).includes(types)) {
    throw node.fail(
      'DTYPE_UNSUPPORTED',
      `types ${types} are not supported; expected one of ${TYPES.join(', ')}`,
      {
        expected: TYPES,
        actual: types,
      },
    )
  }
  if (weights.data === undefined) {
    throw node.fail('OPERATOR_UNSUPPORTED', `weights "${weights.name}" must be constant`, {
      tensor: weights.name,
    })
  }
  const bias = node.inputs[2]
  if (!bias) return
  if (bias.data === undefined) {
    throw node.fail('OPERATOR_UNSUPPORTED', `the bias "${bias.name}" must be constant`, { tensor: bias.name })
  }
  const expected = input === 'float32' ? ['float32'] : input === 'int16' ? ['int64', 'int32'] : ['int32']
  if (!expected.includes(bias.dtype)) {
    throw node.fail(
      'DTYPE_UNSUPPORTED',
      `the bias "${bias.name}" must be ${expected.join(' or ')}, it is ${bias.dtype}`,
      {
        tensor: bias.name,
        expected,
        actual: bias.dtype,
      },
    )
  }
}

/** int4 weights as int8, one a byte; others as they are. The file packs the first of two into the low bits. */
function unpacked(weights: Operand): Operand {
  if (weights.dtype !== 'int4' || weights.data === undefined) return weights
  const packed = weights.data
  const codes = new Uint8Array(elementCount(weights.shape))
  for (let i = 0; i < codes.length; i++) {
    const byte = packed[i >> 1] ?? 0
    codes[i] = ((i & 1 ? byte : byte << 4) << 24) >> 28
  }
  return { ...weights, dtype: 'int8', data: codes }
}

/** Fails unless the bias, where there is one, has one entry an output channel. */
export function checkBias(node: NodeContext<unknown>, channels: number): void {
  const bias = node.inputs[2]
  const count = bias ? elementCount(bias.shape) : channels
  if (count !== channels) {
    throw node.fail('SHAPE_MISMATCH', `the bias has ${count} entries, the output ${channels} channels`, {
      expected: channels,
      actual: count,
    })
  }
}
