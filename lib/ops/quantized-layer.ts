// What the native steps `conv`, `depthwise` and `fullyConnected` take in common: zero points, clamp, channel factors.

import { quantizeMultipliers } from '../numerics/fixed-point.js'
import { activationRange, isClamp } from './activation.js'
import type { NodeContext, Operand, StepAttribute } from './contract.js'

interface Layer {
  readonly activation: number
  /** Dimension of the weights that holds the output channels. */
  readonly channelAxis: number
  /**
   * How the reference scales an accumulator. `twice`: a fixed-point factor and two roundings. `once`: a real factor
   * in double precision and one rounding.
   */
  readonly rounding: 'twice' | 'once'
}

/**
 * Attributes of an int8 or uint8 layer.
 *
 * The factor of channel c is input scale * weight scale[c] / output scale, in double precision; for uint8
 * convolutions the first product is rounded to float32, as in the reference's older function.
 *
 * @see TFLite, kernels/kernel_util: PopulateConvolutionQuantizationParams, GetQuantizedConvolutionMultipler.
 * @see LiteRT, kernels/internal/reference/integer_ops/fully_connected.h, for the real factor.
 */
export function quantizedLayer(
  node: NodeContext<unknown>,
  { activation, channelAxis, rounding }: Layer,
): Record<string, StepAttribute> {
  const input = node.input(0)
  const weights = node.input(1)
  const output = node.output(0)
  checkTypes(node, input, weights, output)
  if (!isClamp(activation)) {
    throw node.fail('OPERATOR_UNSUPPORTED', `fused activation ${activation} is not supported`)
  }
  const channels = weights.shape[channelAxis] ?? 0
  const from = node.affine(input)
  const to = node.affine(output)
  const scales = weights.quantization?.scale
  if (scales === undefined) {
    throw node.fail('FILE_INVALID', `weights "${weights.name}" have no quantisation`, {
      tensor: weights.name,
    })
  }
  if (scales.length !== 1 && (scales.length !== channels || weights.quantization?.axis !== channelAxis)) {
    throw node.fail(
      'OPERATOR_UNSUPPORTED',
      `weights "${weights.name}" need one scale, or one for each of ${channels} output channels; they have ${scales.length} along axis ${weights.quantization?.axis}`,
      { tensor: weights.name, expected: channels, actual: scales.length },
    )
  }
  const factor = (scale: number) =>
    rounding === 'twice' && input.dtype === 'uint8'
      ? Math.fround(from.scale * scale) / to.scale
      : (from.scale * scale) / to.scale
  const one = scales.length === 1 ? factor(scales[0] ?? 0) : undefined
  const factors = Array.from({ length: channels }, (_, c) => one ?? factor(scales[c] ?? 0))
  return {
    inputZeroPoint: from.zeroPoint,
    outputZeroPoint: to.zeroPoint,
    ...activationRange(activation, to, output.dtype as 'int8' | 'uint8'),
    ...(rounding === 'twice' ? quantizeMultipliers(factors) : { scale: Float64Array.from(factors) }),
  }
}

function checkTypes(node: NodeContext<unknown>, input: Operand, weights: Operand, output: Operand): void {
  const types = `${input.dtype} x ${weights.dtype} -> ${output.dtype}`
  const supported = ['int8 x int8 -> int8', 'uint8 x uint8 -> uint8']
  if (!supported.includes(types)) {
    throw node.fail(
      'DTYPE_UNSUPPORTED',
      `types ${types} are not supported; expected ${supported.join(' or ')}`,
      {
        expected: supported,
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
  if (bias.dtype !== 'int32') {
    throw node.fail('DTYPE_UNSUPPORTED', `the bias "${bias.name}" must be int32, it is ${bias.dtype}`, {
      tensor: bias.name,
      expected: 'int32',
      actual: bias.dtype,
    })
  }
}

/** Fails unless the bias, where there is one, has one entry an output channel. */
export function checkBias(node: NodeContext<unknown>, channels: number): void {
  const bias = node.inputs[2]
  const count = bias?.shape.reduce((product, extent) => product * extent, 1)
  if (count !== undefined && count !== channels) {
    throw node.fail('SHAPE_MISMATCH', `the bias has ${count} entries, the output ${channels} channels`, {
      expected: channels,
      actual: count,
    })
  }
}

/** The zero point of the weights; the reference takes int8 weights of convolutions as symmetric. */
export function weightZeroPoint(weights: Operand, takesInt8: boolean): number {
  if (weights.dtype === 'int8' && !takesInt8) return 0
  return weights.quantization?.zeroPoint[0] ?? 0
}
