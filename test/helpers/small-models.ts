// Small models with known results, as files.

import { encode } from '#lib/format/tflite/encode.js'
import type { ModelFile } from '#lib/model/model.js'
import { model, type OperatorSpec, type TensorSpec } from './model-builder.js'
import { random } from './random.js'

export interface IdentityOptions {
  readonly scale?: number
  readonly zeroPoint?: number
  readonly dtype?: 'int8' | 'uint8'
}

/** FULLY_CONNECTED of `size` channels with the identity as weights: the output is the input. */
export function identityModel(size: number, options: IdentityOptions = {}): ModelFile {
  const { scale = 0.5, zeroPoint = 3, dtype = 'int8' } = options
  const one = dtype === 'uint8' ? { zeroPoint: 128, weight: 129 } : { zeroPoint: 0, weight: 1 }
  const weights = Array.from({ length: size * size }, (_, i) =>
    i % (size + 1) === 0 ? one.weight : one.zeroPoint,
  )
  const codes = { dtype, shape: [1, size], scale, zeroPoint }
  return model([
    {
      tensors: {
        x: { ...codes, shapeSignature: [-1, size] },
        w: { dtype, shape: [size, size], data: weights, scale: 1, zeroPoint: one.zeroPoint },
        y: codes,
      },
      operators: [{ type: 'FULLY_CONNECTED', inputs: ['x', 'w', null], outputs: ['y'] }],
      inputs: ['x'],
      outputs: ['y'],
    },
  ])
}

export const identityFile = (size: number, options: IdentityOptions = {}): Uint8Array =>
  encode(identityModel(size, options))

export interface ConvOptions {
  /** Height and width of the input. */
  readonly image?: number
  readonly channels?: number
  readonly layers?: number
  readonly filter?: number
  readonly seed?: number
}

/** A chain of CONV_2D with random weights, and a DEPTHWISE_CONV_2D at its end. */
export function convFile(options: ConvOptions = {}): Uint8Array {
  const { image = 8, channels = 4, layers = 2, filter = 3, seed = 1 } = options
  const next = random(seed)
  const codes = (count: number) => Int8Array.from({ length: count }, () => (next() % 255) - 127)
  const activation = {
    dtype: 'int8' as const,
    shape: [1, image, image, channels],
    scale: 0.05,
    zeroPoint: -1,
  }
  const tensors: Record<string, TensorSpec> = { t0: activation }
  const operators: OperatorSpec[] = []
  for (let i = 0; i <= layers; i++) {
    const isLast = i === layers
    const shape = isLast ? [1, filter, filter, channels] : [channels, filter, filter, channels]
    const count = shape.reduce((product, extent) => product * extent, 1)
    tensors[`w${i}`] = {
      dtype: 'int8',
      shape,
      data: codes(count),
      scale: Array.from({ length: channels }, (_, c) => 0.004 + 0.001 * (c % 7)),
      axis: isLast ? 3 : 0,
    }
    tensors[`b${i}`] = {
      dtype: 'int32',
      shape: [channels],
      data: Array.from({ length: channels }, () => (next() % 2001) - 1000),
    }
    tensors[`t${i + 1}`] = activation
    operators.push({
      type: isLast ? 'DEPTHWISE_CONV_2D' : 'CONV_2D',
      inputs: [`t${i}`, `w${i}`, `b${i}`],
      outputs: [`t${i + 1}`],
      options: {
        padding: 0,
        strideW: 1,
        strideH: 1,
        ...(isLast && { depthMultiplier: 1 }),
        fusedActivationFunction: isLast ? 0 : 1,
      },
    })
  }
  return encode(model([{ tensors, operators, inputs: ['t0'], outputs: [`t${layers + 1}`] }]))
}

/** One each of many operators: PAD, pooling, views, element by element, tables, and a softmax. */
export function mixedFile(): Uint8Array {
  const codes = (shape: readonly number[], scale = 0.1, zeroPoint = 0): TensorSpec => ({
    dtype: 'int8',
    shape,
    scale,
    zeroPoint,
  })
  const ints = (...values: readonly number[]): TensorSpec => ({
    dtype: 'int32',
    shape: [values.length],
    data: values,
  })
  const window = { padding: 1, strideH: 2, strideW: 2, filterHeight: 2, filterWidth: 2 }
  const tensors = {
    x: codes([1, 4, 4, 2]),
    amounts: { ...ints(0, 0, 1, 1, 1, 1, 0, 0), shape: [4, 2] },
    padded: codes([1, 6, 6, 2]),
    w: { ...codes([2, 3, 3, 2], 0.02), data: Array.from({ length: 36 }, (_, i) => (i % 11) - 5) },
    conv: codes([1, 4, 4, 2]),
    relu: codes([1, 4, 4, 2]),
    sum: codes([1, 4, 4, 2], 0.2, -4),
    pooled: codes([1, 2, 2, 2], 0.2, -4),
    axes: ints(1, 2),
    mean: codes([1, 1, 1, 2], 0.2, -4),
    shape: ints(1, 8),
    flat: codes([1, 8], 0.2, -4),
    order: ints(1, 0),
    turned: codes([8, 1], 0.2, -4),
    sigmoid: codes([8, 1], 1 / 256, -128),
    softmax: codes([1, 8], 1 / 256, -128),
    real: { dtype: 'float32', shape: [1, 8] },
  } satisfies Record<string, TensorSpec>
  const operators: readonly OperatorSpec[] = [
    { type: 'PAD', inputs: ['x', 'amounts'], outputs: ['padded'] },
    {
      type: 'CONV_2D',
      inputs: ['padded', 'w', null],
      outputs: ['conv'],
      options: { padding: 1, strideH: 1, strideW: 1 },
    },
    { type: 'RELU', inputs: ['conv'], outputs: ['relu'] },
    { type: 'ADD', inputs: ['x', 'relu'], outputs: ['sum'] },
    { type: 'AVERAGE_POOL_2D', inputs: ['sum'], outputs: ['pooled'], options: window },
    { type: 'MEAN', inputs: ['pooled', 'axes'], outputs: ['mean'], options: { keepDims: true } },
    { type: 'RESHAPE', inputs: ['pooled', 'shape'], outputs: ['flat'], options: { newShape: [1, 8] } },
    { type: 'TRANSPOSE', inputs: ['flat', 'order'], outputs: ['turned'] },
    { type: 'LOGISTIC', inputs: ['turned'], outputs: ['sigmoid'] },
    { type: 'SOFTMAX', inputs: ['flat'], outputs: ['softmax'], options: { beta: 1 } },
    { type: 'DEQUANTIZE', inputs: ['softmax'], outputs: ['real'] },
  ]
  return encode(model([{ tensors, operators, inputs: ['x'], outputs: ['mean', 'sigmoid', 'real'] }]))
}

/** Seeded codes over all of int8. */
export function int8s(count: number, seed = 1): Int8Array {
  const next = random(seed)
  return Int8Array.from({ length: count }, () => next() & 255)
}
