// Convolutions. Kernels of TensorFlow.js are HWIO, those of TFLite OHWI, or 1HWC where they are depthwise.

import type { Shape } from '../../../tensor/shape.js'
import type { LayerCall, LayerWriter, Weight } from '../layer-call.js'
import { activate } from './activations.js'

type Pair = readonly [number, number]

interface Window {
  readonly kernel: number
  readonly bias: number
  readonly padding: string
  readonly strides: Pair
  readonly dilation: Pair
}

const PADDINGS: Readonly<Record<string, number>> = { same: 0, valid: 1 }

/** Number of a padding in the schema. */
export function paddingOf(call: LayerCall, padding = call.text('padding')): number {
  return PADDINGS[padding] ?? call.refuse(`its padding is ${padding}`)
}

const NO_DILATION: Pair = [1, 1]

function pair(call: LayerCall, key: string): Pair {
  const given = call.config[key] as number | readonly number[] | undefined
  if (given === undefined) return NO_DILATION
  const [h = 1, w = h] = [given].flat()
  return [h, w]
}

/** [rows, columns] -> [columns, rows], times `inner` numbers that stay together. */
function swap(values: Float32Array, rows: number, columns: number, inner = 1): Float32Array {
  const result = new Float32Array(values.length)
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const from = (r * columns + c) * inner
      result.set(values.subarray(from, from + inner), (c * rows + r) * inner)
    }
  }
  return result
}

/** HWIO -> OHWI. */
function outputsFirst({ values, shape }: Weight): Weight {
  const [h = 1, w = 1, i = 1, o = 1] = shape
  return { values: swap(values, h * w * i, o), shape: [o, h, w, i] }
}

/** The layer's bias, or zeros: quantised convolutions have one. */
export function biasOf(call: LayerCall, weight: Weight | undefined, channels: number): number {
  return call.weight('bias', () => weight ?? { values: new Float32Array(channels), shape: [channels] }, false)
}

function convolve(call: LayerCall, input: number, shape: Shape, window: Window): number {
  const { kernel, bias, padding, strides, dilation } = window
  return call.add('CONV_2D', [input, kernel, bias], shape, {
    options: {
      padding: paddingOf(call, padding),
      strideH: strides[0],
      strideW: strides[1],
      dilationHFactor: dilation[0],
      dilationWFactor: dilation[1],
      fusedActivationFunction: 0,
    },
  })
}

function convolveDepthwise(call: LayerCall, input: number, shape: Shape, window: Window): number {
  const { kernel, bias, padding, strides, dilation } = window
  const isDilated = dilation.some((factor) => factor > 1)
  return call.add('DEPTHWISE_CONV_2D', [input, kernel, bias], shape, {
    version: isDilated ? 2 : 1,
    options: {
      padding: paddingOf(call, padding),
      strideH: strides[0],
      strideW: strides[1],
      dilationHFactor: dilation[0],
      dilationWFactor: dilation[1],
      depthMultiplier: (shape.at(-1) ?? 1) / (call.shape(input).at(-1) ?? 1),
      fusedActivationFunction: 0,
    },
  })
}

function windowOf(call: LayerCall): Pick<Window, 'padding' | 'strides' | 'dilation'> {
  call.needChannelsLast()
  return {
    padding: call.text('padding'),
    strides: pair(call, 'strides'),
    dilation: pair(call, 'dilationRate'),
  }
}

const conv2d: LayerWriter = (call) => {
  const window = windowOf(call)
  const [kernel, bias] = call.weights() as [Weight, Weight?]
  const y = convolve(call, call.input, call.outputShape, {
    ...window,
    kernel: call.weight('kernel', () => outputsFirst(kernel)),
    bias: biasOf(call, bias, kernel.shape[3] ?? 1),
  })
  return activate(call, y)
}

/** An image of one row. */
const conv1d: LayerWriter = (call) => {
  const { padding, strides, dilation } = windowOf(call)
  const [kernel, bias] = call.weights() as [Weight, Weight?]
  const [width = 1, from = 1, to = 1] = kernel.shape
  const [batch = 1, ...inner] = call.inputShape
  const [, ...outer] = call.outputShape
  const image = call.reshape(call.input, [batch, 1, ...inner])
  const y = convolve(call, image, [batch, 1, ...outer], {
    padding,
    strides: [1, strides[0]],
    dilation: [1, dilation[0]],
    kernel: call.weight('kernel', () => outputsFirst({ ...kernel, shape: [1, width, from, to] })),
    bias: biasOf(call, bias, to),
  })
  return call.reshape(activate(call, y), call.outputShape)
}

/** [h, w, channels, multiplier] holds the numbers in the order of 1HWC. */
function depthwiseKernel({ values, shape }: Weight): Weight {
  const [h = 1, w = 1, channels = 1, multiplier = 1] = shape
  return { values, shape: [1, h, w, channels * multiplier] }
}

const depthwiseConv2d: LayerWriter = (call) => {
  const [kernel, bias] = call.weights() as [Weight, Weight?]
  const weight = depthwiseKernel(kernel)
  const y = convolveDepthwise(call, call.input, call.outputShape, {
    ...windowOf(call),
    kernel: call.weight('kernel', () => weight),
    bias: biasOf(call, bias, weight.shape[3] ?? 1),
  })
  return activate(call, y)
}

/** Depthwise with the window, then pointwise; each has weights, and the grid of the first is that of `depthwise_kernel`. */
const separableConv2d: LayerWriter = (call) => {
  const window = windowOf(call)
  const [depthwise, pointwise, bias] = call.weights() as [Weight, Weight, Weight?]
  const weight = depthwiseKernel(depthwise)
  const channels = weight.shape[3] ?? 1
  const shape = call.outputShape
  const inner = convolveDepthwise(call, call.input, [...shape.slice(0, 3), channels], {
    ...window,
    kernel: call.weight('depthwise_kernel', () => weight, false),
    bias: call.weight(
      'depthwise_bias',
      () => ({ values: new Float32Array(channels), shape: [channels] }),
      false,
    ),
  })
  call.state.graph.rename(inner, `${call.name}/depthwise`)
  const y = convolve(call, inner, shape, {
    padding: 'valid',
    strides: [1, 1],
    dilation: NO_DILATION,
    kernel: call.weight('pointwise_kernel', () => outputsFirst(pointwise), false),
    bias: biasOf(call, bias, shape.at(-1) ?? 1),
  })
  return activate(call, y)
}

/** Its kernel is HWOI. The operator is told the shape of its output, batch and all. */
const conv2dTranspose: LayerWriter = (call) => {
  const { padding, strides } = windowOf(call)
  const [kernel, bias] = call.weights() as [Weight, Weight?]
  const [h = 1, w = 1, o = 1, i = 1] = kernel.shape
  const shape = call.outputShape
  call.state.graph.fixBatch()
  const weight = call.weight('kernel', () => ({
    values: swap(kernel.values, h * w, o, i),
    shape: [o, h, w, i],
  }))
  const operands = [call.ints('output_shape', shape), weight, call.input, biasOf(call, bias, o)]
  const options = {
    padding: paddingOf(call, padding),
    strideH: strides[0],
    strideW: strides[1],
    fusedActivationFunction: 0,
  }
  return activate(call, call.add('TRANSPOSE_CONV', operands, shape, { options, version: 4 }))
}

export const CONVOLUTION_LAYERS: Readonly<Record<string, LayerWriter>> = {
  Conv1D: conv1d,
  Conv2D: conv2d,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
  Conv2DTranspose: conv2dTranspose,
}
