// Tiny models that take a 2 x 2 colour picture, and pictures for them.

import { encode } from '#lib/format/tflite/encode.js'
import { model, oneOperatorFile } from './model-builder.js'

/** Sums a colour each: classes red, green, blue and all, in codes of 4 pixel steps; a score is 0 to 255. */
export function colourSums(dtype: 'int8' | 'uint8', classes = 4): Uint8Array {
  const zeroPoint = dtype === 'int8' ? -128 : 0
  const weightZero = dtype === 'int8' ? 0 : 128
  const weights = Array.from({ length: classes * 12 }, (_, i) => {
    const [row, column] = [Math.floor(i / 12), i % 12]
    return weightZero + (row === 3 ? 1 : Number(column % 3 === row) * 3)
  })
  return oneOperatorFile({
    type: 'FULLY_CONNECTED',
    inputs: [
      { dtype, shape: [1, 2, 2, 3], scale: 1, zeroPoint },
      { dtype, shape: [classes, 12], data: weights, scale: 1, zeroPoint: weightZero },
      { dtype: 'int32', shape: [classes], data: new Array(classes).fill(0), scale: 1 },
    ],
    outputs: [{ dtype, shape: [1, classes], scale: 12, zeroPoint }],
  })
}

/** A P6 file of 2 x 2 pixels of one colour. */
export function plainPicture(red: number, green: number, blue: number): Uint8Array {
  const pixels = Array.from({ length: 4 }, () => [red, green, blue]).flat()
  return Uint8Array.from([...Buffer.from('P6 2 2 255\n', 'latin1'), ...pixels])
}

/** The float model that `colourSums` is the integer form of, in two layers. Weights are no round numbers. */
export function floatColourSums(): Uint8Array {
  const weights = Array.from({ length: 48 }, (_, i) => {
    const [row, column] = [Math.floor(i / 12), i % 12]
    return (row === 3 ? 1 : Number(column % 3 === row) * 3) * (1 + column / 97)
  })
  const scores = { dtype: 'float32', shape: [1, 4] } as const
  return encode(
    model([
      {
        tensors: {
          pixels: { dtype: 'float32', shape: [1, 2, 2, 3] },
          weights: { dtype: 'float32', shape: [4, 12], data: Float32Array.from(weights) },
          bias: { dtype: 'float32', shape: [4], data: Float32Array.of(0, 1, 2, 3) },
          sums: scores,
          scores,
        },
        operators: [
          { type: 'FULLY_CONNECTED', inputs: ['pixels', 'weights', 'bias'], outputs: ['sums'] },
          { type: 'RELU', inputs: ['sums'], outputs: ['scores'] },
        ],
        inputs: ['pixels'],
        outputs: ['scores'],
      },
    ]),
  )
}
