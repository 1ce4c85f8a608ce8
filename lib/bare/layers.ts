// The bare kernels as single native steps: checked arguments -> a layer with its step's attributes.

import { LowbitError } from '../errors.js'
import type { StepAttribute } from '../ops/contract.js'
import { windowGeometry } from '../ops/window.js'
import { checkKeys } from '../session/options.js'
import { elementCount, type Shape, shapeText } from '../tensor/shape.js'
import {
  arrayArgument,
  badArgument,
  extent,
  heightWidth,
  shape4,
  wholeArgument,
  zeroPoint,
} from './arguments.js'
import { OUTPUT_KEYS, type OutputOptions, outputAttributes } from './output-codes.js'

export interface GemmOptions extends OutputOptions {
  readonly m: number
  readonly n: number
  readonly k: number
  /** m x k codes. */
  readonly a: Int8Array
  /** n x k weights with zero point 0, a row an output, as TFLite's fully connected stores them. */
  readonly b: Int8Array
  /** -128 to 127. */
  readonly aZeroPoint: number
  /** n sums to start from, in steps of input scale x weight scale. */
  readonly bias?: Int32Array | undefined
}

/** What the convolutions share. */
interface WindowOptions extends OutputOptions {
  readonly input: Int8Array
  /** [batch, height, width, channels] */
  readonly inputShape: Shape
  /** Weights with zero point 0. */
  readonly filter: Int8Array
  /** One number, or [vertical, horizontal]. */
  readonly stride: number | readonly [number, number]
  /** As `stride`; default 1. */
  readonly dilation?: number | readonly [number, number] | undefined
  /** `same` pads with the input's zero point, an odd place at the end; `valid` does not pad. */
  readonly padding: 'same' | 'valid'
  /** -128 to 127. */
  readonly inputZeroPoint: number
  /** One sum for each output channel to start from. */
  readonly bias?: Int32Array | undefined
}

export interface Conv2dOptions extends WindowOptions {
  /** [output channels, height, width, input channels] */
  readonly filterShape: Shape
}

export interface DepthwiseConv2dOptions extends WindowOptions {
  /** [1, height, width, channels x depthMultiplier] */
  readonly filterShape: Shape
  /** Output channels for each input channel; default 1. */
  readonly depthMultiplier?: number | undefined
}

/** One step with its operands: weights and bias are constants of it. */
export interface Layer {
  readonly kind: 'fully_connected' | 'conv' | 'depthwise'
  readonly input: Int8Array
  readonly inputShape: Shape
  readonly weights: Int8Array
  readonly weightsShape: Shape
  readonly bias: Int32Array | undefined
  readonly outputShape: Shape
  readonly attributes: Readonly<Record<string, StepAttribute>>
  readonly out: Int8Array | undefined
  readonly macs: number
}

const GEMM_KEYS = ['m', 'n', 'k', 'a', 'b', 'aZeroPoint', 'bias', ...OUTPUT_KEYS]
const CONV_KEYS = [
  'input',
  'inputShape',
  'filter',
  'filterShape',
  'stride',
  'dilation',
  'padding',
  'inputZeroPoint',
  'bias',
  ...OUTPUT_KEYS,
]

const biasOf = (of: string, bias: Int32Array | undefined, channels: number) =>
  bias === undefined ? undefined : arrayArgument(of, 'bias', bias, Int32Array, [channels])
const outOf = (of: string, out: Int8Array | undefined, shape: Shape) =>
  out === undefined ? undefined : arrayArgument(of, 'out', out, Int8Array, shape, 'output')

export function gemmLayer(of: string, options: GemmOptions): Layer {
  checkKeys(options, GEMM_KEYS, of)
  const m = extent(of, 'm', options.m)
  const n = extent(of, 'n', options.n)
  const k = extent(of, 'k', options.k)
  return {
    kind: 'fully_connected',
    input: arrayArgument(of, 'a', options.a, Int8Array, [m, k]),
    inputShape: [m, k],
    weights: arrayArgument(of, 'b', options.b, Int8Array, [n, k]),
    weightsShape: [n, k],
    bias: biasOf(of, options.bias, n),
    outputShape: [m, n],
    attributes: {
      inputZeroPoint: zeroPoint(of, 'aZeroPoint', options.aZeroPoint),
      weightZeroPoint: 0,
      ...outputAttributes(of, options, n),
    },
    out: outOf(of, options.out, [m, n]),
    macs: m * n * k,
  }
}

/** Everything that both convolutions compute from their arguments, for `channels` output channels. */
function windowLayer(of: string, options: Conv2dOptions | DepthwiseConv2dOptions, channels: number) {
  const inputShape = shape4(of, 'inputShape', options.inputShape)
  const filterShape = shape4(of, 'filterShape', options.filterShape)
  const stride = heightWidth(of, 'stride', options.stride)
  const dilation = heightWidth(of, 'dilation', options.dilation, 1)
  const padding = ['same', 'valid'].indexOf(options.padding)
  if (padding < 0) throw badArgument(of, 'padding', "'same' or 'valid'", options.padding)
  const [high, wide] = [0, 1].map((axis) =>
    windowGeometry({
      input: inputShape[axis + 1] as number,
      filter: filterShape[axis + 1] as number,
      stride: stride[axis] as number,
      dilation: dilation[axis] as number,
      padding,
    }),
  ) as [ReturnType<typeof windowGeometry>, ReturnType<typeof windowGeometry>]
  if (high.output < 1 || wide.output < 1) {
    throw new LowbitError(
      'SHAPE_MISMATCH',
      `${of}: the filter ${shapeText(filterShape)} does not fit into the input ${shapeText(inputShape)} without padding`,
      { expected: inputShape, actual: filterShape },
    )
  }
  const outputShape = [inputShape[0], high.output, wide.output, channels]
  return {
    input: arrayArgument(of, 'input', options.input, Int8Array, inputShape),
    inputShape,
    weights: arrayArgument(of, 'filter', options.filter, Int8Array, filterShape),
    weightsShape: filterShape,
    bias: biasOf(of, options.bias, channels),
    outputShape,
    attributes: {
      strideH: stride[0],
      strideW: stride[1],
      dilationH: dilation[0],
      dilationW: dilation[1],
      padTop: high.padBefore,
      padLeft: wide.padBefore,
      inputZeroPoint: zeroPoint(of, 'inputZeroPoint', options.inputZeroPoint),
      weightZeroPoint: 0,
      ...outputAttributes(of, options, channels),
    },
    out: outOf(of, options.out, outputShape),
  }
}

const channelMismatch = (of: string, expected: number, actual: number) =>
  new LowbitError('SHAPE_MISMATCH', `${of}: filterShape has ${actual} channels; ${expected} expected`, {
    tensor: 'filter',
    expected,
    actual,
  })

export function convLayer(of: string, options: Conv2dOptions): Layer {
  checkKeys(options, CONV_KEYS, of)
  const depth = shape4(of, 'inputShape', options.inputShape)[3]
  const [channels, , , filterDepth] = shape4(of, 'filterShape', options.filterShape)
  if (filterDepth !== depth) throw channelMismatch(of, depth, filterDepth)
  const layer = windowLayer(of, options, channels)
  const taps = elementCount(layer.weightsShape) / channels
  return { kind: 'conv', ...layer, macs: elementCount(layer.outputShape) * taps }
}

export function depthwiseLayer(of: string, options: DepthwiseConv2dOptions): Layer {
  checkKeys(options, [...CONV_KEYS, 'depthMultiplier'], of)
  const depth = shape4(of, 'inputShape', options.inputShape)[3]
  const [one, , , channels] = shape4(of, 'filterShape', options.filterShape)
  const multiplier = wholeArgument(of, 'depthMultiplier', options.depthMultiplier ?? 1, 1, 65_535)
  if (one !== 1) throw badArgument(of, 'filterShape[0]', '1', one)
  if (channels !== depth * multiplier) throw channelMismatch(of, depth * multiplier, channels)
  const layer = windowLayer(of, options, channels)
  const taps = elementCount(layer.weightsShape) / channels
  return {
    kind: 'depthwise',
    ...layer,
    attributes: { ...layer.attributes, depthMultiplier: multiplier },
    macs: elementCount(layer.outputShape) * taps,
  }
}
