// What brings numbers from one form to another: codes, complex numbers, buckets, and boxes to their best ones.

import type { OneOperatorSpec, TensorSpec } from '../../helpers/model-builder.js'
import {
  arrayFor,
  type Case,
  codes,
  constant,
  FEW_ULPS,
  f32,
  indicesOf,
  ints,
  realCase,
  s32,
  spread,
  type Table,
  tensor,
} from './table.js'

const data = (dtype: 'int8' | 'uint8' | 'int16', shape: readonly number[], scale: number) =>
  codes(dtype, shape, dtype === 'int16' ? scale / 200 : scale, { int8: -9, uint8: 130, int16: 0 }[dtype])

const same = (x: readonly number[] = []) => [x]
const FORMS: readonly (readonly [from: TensorSpec, to: TensorSpec])[] = [
  ...(['int8', 'uint8', 'int16'] as const).map((dtype) => [f32(40), data(dtype, [40], 1 / 32)] as const),
  [data('int8', [40], 1 / 32), data('uint8', [40], 1 / 20)],
  [data('uint8', [40], 1 / 32), data('int8', [40], 1 / 32)],
  [data('int16', [40], 1 / 32), data('int8', [40], 1 / 20)],
  [data('int8', [40], 1 / 32), data('int16', [40], 1 / 32)],
]
const conversions = (type: string, forms: typeof FORMS): Case[] =>
  forms.map(([from, to]) =>
    realCase(
      `${from.dtype} to ${to.dtype}`,
      { type, inputs: [from], outputs: [to] },
      [spread(40, -3, 3)],
      same,
      to.dtype === 'float32' ? FEW_ULPS : 1,
    ),
  )

const complex = (type: string, f: (re: number, im: number) => number): Case[] => [
  {
    what: 'complex64',
    spec: { type, inputs: [tensor('complex64', 2, 2)], outputs: [f32(2, 2)] },
    inputs: [Float32Array.of(3, -4, 0, 2, -5, 12, 1, 0)],
    outputs: [[f(3, -4), f(0, 2), f(-5, 12), f(1, 0)]],
  },
]

/** Two real rows of 4, by the definition of the transform. */
const spectrum: Case = realCase(
  '2 x 4',
  { type: 'RFFT2D', inputs: [f32(2, 4), ints(2, 4)], outputs: [tensor('complex64', 2, 3)] },
  [spread(8, -1, 1)],
  (x = []) => [
    indicesOf([2, 3]).flatMap(([u = 0, v = 0]) => {
      const angles = indicesOf([2, 4]).map(([y = 0, col = 0]) => -2 * Math.PI * ((u * y) / 2 + (v * col) / 4))
      const part = (f: (angle: number) => number) =>
        angles.reduce((sum, angle, i) => sum + f(angle) * (x[i] as number), 0)
      return [part(Math.cos), part(Math.sin)]
    }),
  ],
  16 * FEW_ULPS,
)

const bucketize: readonly Case[] = (['float32', 'int32', 'int64'] as const).map((dtype) => ({
  what: dtype,
  spec: {
    type: 'BUCKETIZE',
    inputs: [tensor(dtype, 7)],
    outputs: [s32(7)],
    options: { boundaries: [0, 10, 100] },
  },
  inputs: [arrayFor(dtype, [-5, 0, 9, 10, 99, 100, 1000])],
  outputs: [[0, 1, 1, 2, 2, 3, 3]],
}))

const plain = (type: string, options: OneOperatorSpec['options'], f: (x: number) => number): Case =>
  realCase(
    'float32',
    { type, inputs: [f32(40)], outputs: [f32(40)], ...(options && { options }) },
    [spread(40, -3, 3)],
    (x = []) => [x.map(f)],
    FEW_ULPS,
  )

/** Two boxes that overlap by half, one far away, and one below the threshold. */
const CORNERS = [0, 0, 4, 4, 0, 2, 4, 6, 9, 9, 5, 5, 0, 0, 1, 1]
const suppress = (version: 4 | 5, overlap: number, sigma: number, outputs: readonly number[][]): Case => ({
  what: `overlap ${overlap}, sigma ${sigma}`,
  spec: {
    type: `NON_MAX_SUPPRESSION_V${version}`,
    inputs: [
      f32(4, 4),
      f32(4),
      constant('int32', [], [3]),
      ...[overlap, 0.25, ...(version === 5 ? [sigma] : [])].map((x) => constant('float32', [], [x])),
    ],
    outputs: [s32(3), ...(version === 5 ? [f32(3)] : []), s32()],
  },
  inputs: [Float32Array.from(CORNERS), Float32Array.of(0.5, 0.75, 0.625, 0.125)],
  outputs,
  bound: FEW_ULPS,
})

export const NUMBERS: Table = {
  NON_MAX_SUPPRESSION_V4: [suppress(4, 0.25, 0, [[1, 2, 0], [2]]), suppress(4, 0.5, 0, [[1, 2, 0], [3]])],
  NON_MAX_SUPPRESSION_V5: [
    suppress(5, 0.25, 0, [[1, 2, 0], [0.75, 0.625, 0], [2]]),
    // The overlap is 8 of 24: 0.5 exp(-0.5 / 9).
    suppress(5, 0.5, 1, [[1, 2, 0], [0.75, 0.625, 0.5 * Math.exp(-0.5 / 9)], [3]]),
  ],
  QUANTIZE: conversions('QUANTIZE', FORMS),
  DEQUANTIZE: conversions(
    'DEQUANTIZE',
    (['int8', 'uint8', 'int16'] as const).map((dtype) => [data(dtype, [40], 1 / 32), f32(40)] as const),
  ),
  FAKE_QUANT: [
    plain('FAKE_QUANT', { min: -1, max: 2, numBits: 4, narrowRange: false }, (x) => {
      // Steps of 3 / 15 from -1: zero lies on one of them.
      const step = 3 / 15
      return Math.round((Math.min(2, Math.max(-1, x)) + 1) / step) * step - 1
    }),
  ],
  COMPLEX_ABS: complex('COMPLEX_ABS', Math.hypot),
  REAL: complex('REAL', (re) => re),
  IMAG: complex('IMAG', (_, im) => im),
  RFFT2D: [spectrum],
  BUCKETIZE: bucketize,
}
