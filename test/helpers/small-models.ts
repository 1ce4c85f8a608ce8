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

/** Seeded codes over all of int8. */
export function int8s(count: number, seed = 1): Int8Array {
  const next = random(seed)
  return Int8Array.from({ length: count }, () => next() & 255)
}
