// Layers with weights, windows over pictures, and what brings numbers from one form to another.

import type { OneOperatorSpec, TensorSpec } from '../../helpers/model-builder.js'
import {
  arrayFor,
  at,
  type Case,
  codes,
  constant,
  elements,
  FEW_ULPS,
  f32,
  indicesOf,
  ints,
  realCase,
  realsOf,
  s32,
  spread,
  type Table,
  tensor,
} from './table.js'

/** Activations x weights -> activations, as files have them. */
type Kind = 'float32' | 'int8' | 'uint8' | 'int16'
const KINDS: readonly Kind[] = ['float32', 'int8', 'uint8', 'int16']
const data = (dtype: Kind, shape: readonly number[], scale: number) =>
  dtype === 'float32'
    ? f32(...shape)
    : codes(dtype, shape, dtype === 'int16' ? scale / 200 : scale, { int8: -9, uint8: 130, int16: 0 }[dtype])

/** Weights that are constant, and the reals that they stand for; int8 ones with a scale a channel along `axis`. */
function weightsOf(
  kind: Kind,
  shape: readonly number[],
  axis: number,
): { spec: TensorSpec; reals: number[] } {
  const count = elements(shape)
  if (kind === 'float32') {
    const values = spread(count, -0.8, 0.9).map(Math.fround)
    return { spec: constant('float32', shape, values), reals: values }
  }
  const dtype = kind === 'uint8' ? 'uint8' : 'int8'
  const values = spread(count, dtype === 'uint8' ? 20 : -100, dtype === 'uint8' ? 230 : 110).map(Math.round)
  if (dtype === 'uint8') {
    const spec = { dtype, shape, data: values, scale: 1 / 128, zeroPoint: 125 } as const
    return { spec, reals: realsOf(spec, values) }
  }
  const scale = Array.from({ length: shape[axis] as number }, (_, i) => Math.fround((1 + i / 4) / 150))
  const reals = indicesOf(shape).map(
    (index, i) => (values[i] as number) * (scale[index[axis] as number] as number),
  )
  return { spec: { dtype, shape, data: values, scale, axis }, reals }
}

function biasOf(
  kind: Kind,
  input: TensorSpec,
  weights: TensorSpec,
  count: number,
): { spec: TensorSpec; reals: number[] } {
  if (kind === 'float32') {
    const reals = spread(count, -1, 1).map(Math.fround)
    return { spec: constant('float32', [count], reals), reals }
  }
  const scales = [weights.scale].flat() as number[]
  const scale = Array.from(
    { length: count },
    (_, i) => (input.scale as number) * ((scales[i] ?? scales[0]) as number),
  )
  const values = scale.map((one, i) => Math.round((i - 1) / 2 / one))
  const dtype = kind === 'int16' ? 'int64' : 'int32'
  const one = scales.length > 1 ? scale : (scale[0] as number)
  return {
    spec: { dtype, shape: [count], data: values, scale: one },
    reals: values.map((x, i) => x * (scale[i] as number)),
  }
}

const bounds = (kind: Kind) => ({ float32: 64 * FEW_ULPS, int8: 1, uint8: 1, int16: 2 })[kind]
const relu = (activation: number) => (x: number) =>
  activation === 1 ? Math.max(0, x) : activation === 3 ? Math.min(6, Math.max(0, x)) : x

interface Window {
  readonly image: readonly [number, number, number, number]
  readonly filter: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly dilation?: readonly [number, number]
  readonly same: boolean
  readonly activation?: number
}

/** Rows or columns of the output, and where the first window begins. */
function along(window: Window, d: 0 | 1): { count: number; start: number } {
  const extent = window.image[1 + d] as number
  const stride = window.stride[d]
  const reach = (window.filter[d] - 1) * (window.dilation?.[d] ?? 1) + 1
  const count = window.same ? Math.ceil(extent / stride) : Math.ceil((extent - reach + 1) / stride)
  const padding = window.same ? Math.max(0, (count - 1) * stride + reach - extent) : 0
  return { count, start: -Math.floor(padding / 2) }
}

/** For each place of the output the places of the image that its window covers: [ky, kx, y, x]. */
function placesOf(window: Window, oy: number, ox: number): number[][] {
  const [rows, cols] = [along(window, 0), along(window, 1)]
  return indicesOf(window.filter)
    .map(([ky = 0, kx = 0]) => [
      ky,
      kx,
      rows.start + oy * window.stride[0] + ky * (window.dilation?.[0] ?? 1),
      cols.start + ox * window.stride[1] + kx * (window.dilation?.[1] ?? 1),
    ])
    .filter(([, , y = 0, x = 0]) => y >= 0 && x >= 0 && y < window.image[1] && x < window.image[2])
}

const geometry = ({ stride, dilation, same, activation = 0 }: Window) => ({
  padding: same ? 0 : 1,
  strideH: stride[0],
  strideW: stride[1],
  dilationHFactor: dilation?.[0] ?? 1,
  dilationWFactor: dilation?.[1] ?? 1,
  fusedActivationFunction: activation,
})

const WINDOWS: readonly Window[] = [
  { image: [1, 4, 5, 3], filter: [3, 3], stride: [1, 1], same: true },
  { image: [2, 5, 6, 2], filter: [2, 3], stride: [2, 1], same: false, activation: 1 },
  { image: [1, 7, 6, 1], filter: [3, 2], stride: [1, 1], dilation: [2, 2], same: true, activation: 3 },
  { image: [1, 3, 3, 5], filter: [1, 1], stride: [2, 2], same: false },
]

function convolutions(depthwise: boolean): Case[] {
  return KINDS.flatMap((kind) =>
    WINDOWS.map((window) => {
      const [batch, , , channels] = window.image
      const units = depthwise ? 2 * channels : 4
      const shape = [batch, along(window, 0).count, along(window, 1).count, units]
      const input = data(kind, window.image, 1 / 64)
      const filter = depthwise ? [1, ...window.filter, units] : [units, ...window.filter, channels]
      const weights = weightsOf(kind, filter, depthwise ? 3 : 0)
      const bias = biasOf(kind, input, weights.spec, units)
      return realCase(
        `${kind} ${window.filter}, stride ${window.stride}${window.same ? ', same' : ''}`,
        {
          type: depthwise ? 'DEPTHWISE_CONV_2D' : 'CONV_2D',
          inputs: [input, weights.spec, bias.spec],
          outputs: [data(kind, shape, 1 / 10)],
          options: { ...geometry(window), ...(depthwise && { depthMultiplier: 2 }) },
        },
        [spread(elements(window.image), -1.6, 1.6)],
        (x = []) => [
          indicesOf(shape).map(([n = 0, oy = 0, ox = 0, u = 0]) => {
            let sum = bias.reals[u] as number
            for (const [ky = 0, kx = 0, y = 0, col = 0] of placesOf(window, oy, ox)) {
              const from = depthwise ? [Math.floor(u / 2)] : Array.from({ length: channels }, (_, c) => c)
              for (const c of from) {
                const w = at(filter, weights.reals, depthwise ? [0, ky, kx, u] : [u, ky, kx, c])
                sum += w * at(window.image, x, [n, y, col, c])
              }
            }
            return relu(window.activation ?? 0)(sum)
          }),
        ],
        bounds(kind),
      )
    }),
  )
}

const pools = (type: string, kinds: readonly Kind[], f: (values: readonly number[]) => number): Case[] =>
  kinds.flatMap((kind) =>
    WINDOWS.filter(({ dilation }) => !dilation).map((window) => {
      const [batch, , , channels] = window.image
      const shape = [batch, along(window, 0).count, along(window, 1).count, channels]
      const { padding, strideH, strideW, fusedActivationFunction } = geometry(window)
      return realCase(
        `${kind} ${window.filter}, stride ${window.stride}${window.same ? ', same' : ''}`,
        {
          type,
          inputs: [data(kind, window.image, 1 / 32)],
          outputs: [data(kind, shape, 1 / 32)],
          options: {
            ...{ padding, strideH, strideW, fusedActivationFunction },
            ...{ filterHeight: window.filter[0], filterWidth: window.filter[1] },
          },
        },
        [spread(elements(window.image), -3, 3)],
        (x = []) => [
          indicesOf(shape).map(([n = 0, oy = 0, ox = 0, c = 0]) =>
            relu(window.activation ?? 0)(
              f(placesOf(window, oy, ox).map(([, , y = 0, col = 0]) => at(window.image, x, [n, y, col, c]))),
            ),
          ),
        ],
        kind === 'float32' ? 8 * FEW_ULPS : 1,
      )
    }),
  )
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

const connected: readonly Case[] = KINDS.flatMap((kind) =>
  [1, 3].flatMap((rows) =>
    [
      [7, 5],
      [33, 9],
    ].map(([depth = 0, units = 0]) => {
      const input = data(kind, [rows, depth], 1 / 64)
      const weights = weightsOf(kind, [units, depth], 0)
      const bias = biasOf(kind, input, weights.spec, units)
      return realCase(
        `${kind} ${rows} x ${depth} to ${units}`,
        {
          type: 'FULLY_CONNECTED',
          inputs: [input, weights.spec, bias.spec],
          outputs: [data(kind, [rows, units], 1 / 8)],
          options: { fusedActivationFunction: 0, weightsFormat: 0, keepNumDims: false },
        },
        [spread(rows * depth, -1.6, 1.6)],
        (x = []) => [
          indicesOf([rows, units]).map(([row = 0, u = 0]) =>
            weights.reals
              .slice(u * depth, (u + 1) * depth)
              .reduce((sum, w, i) => sum + w * (x[row * depth + i] as number), bias.reals[u] as number),
          ),
        ],
        bounds(kind),
      )
    }),
  ),
)

const products: readonly Case[] = (['float32', 'int8', 'int16'] as const).flatMap((kind) =>
  [
    [false, false],
    [true, false],
    [false, true],
  ].map(([adjX = false, adjY = false]) => {
    const [a, b] = [adjX ? [2, 4, 3] : [2, 3, 4], adjY ? [1, 5, 4] : [1, 4, 5]]
    return realCase(
      `${kind}${adjX ? ', the first turned' : ''}${adjY ? ', the second turned' : ''}`,
      {
        type: 'BATCH_MATMUL',
        inputs: [data(kind, a, 1 / 64), data(kind, b, 1 / 64)],
        outputs: [data(kind, [2, 3, 5], 1 / 10)],
        options: { adjX, adjY, asymmetricQuantizeInputs: false },
      },
      [spread(24, -1.6, 1.6), spread(20, -1.5, 1.6)],
      (x = [], y = []) => [
        indicesOf([2, 3, 5]).map(([n = 0, i = 0, j = 0]) =>
          [0, 1, 2, 3].reduce(
            (sum, k) => sum + at(a, x, adjX ? [n, k, i] : [n, i, k]) * at(b, y, adjY ? [0, j, k] : [0, k, j]),
            0,
          ),
        ),
      ],
      bounds(kind),
    )
  }),
)

/** Each element of the input spreads over a window of the output. */
const spreading: readonly Case[] = KINDS.map((kind) => {
  const [image, shape] = [
    [1, 2, 3, 2],
    [1, 4, 6, 3],
  ] as const
  const input = data(kind, image, 1 / 64)
  const weights = weightsOf(kind, [3, 3, 3, 2], 0)
  const bias = biasOf(kind, input, weights.spec, 3)
  return realCase(
    kind,
    {
      type: 'TRANSPOSE_CONV',
      inputs: [ints(...shape), weights.spec, input, bias.spec],
      outputs: [data(kind, shape, 1 / 10)],
      options: { padding: 0, strideH: 2, strideW: 2, fusedActivationFunction: 0 },
    },
    [spread(12, -1.6, 1.6)],
    (x = []) => [
      indicesOf(shape).map(([n = 0, oy = 0, ox = 0, u = 0]) => {
        let sum = bias.reals[u] as number
        for (const [, y = 0, col = 0, c = 0] of indicesOf(image)) {
          // Padding of 1 in all: none before, one behind.
          const [ky, kx] = [oy - 2 * y, ox - 2 * col]
          if (ky < 0 || kx < 0 || ky > 2 || kx > 2) continue
          sum += at([3, 3, 3, 2], weights.reals, [u, ky, kx, c]) * at(image, x, [n, y, col, c])
        }
        return sum
      }),
    ],
    bounds(kind),
  )
})

const resized = (type: string, f: (x: readonly number[], y: number, col: number) => number): Case[] =>
  KINDS.map((kind) =>
    realCase(
      kind,
      {
        type,
        inputs: [data(kind, [1, 2, 3, 1], 1 / 32), ints(4, 6)],
        outputs: [data(kind, [1, 4, 6, 1], 1 / 32)],
        options: { alignCorners: false, halfPixelCenters: false },
      },
      [spread(6, -3, 3)],
      (x = []) => [indicesOf([4, 6]).map(([y = 0, col = 0]) => f(x, y / 2, col / 2))],
      kind === 'float32' ? FEW_ULPS : 1,
    ),
  )
const pixel = (x: readonly number[], y: number, col: number) =>
  x[Math.min(1, y) * 3 + Math.min(2, col)] as number
const bilinear = (x: readonly number[], y: number, col: number) => {
  const [top, left] = [Math.floor(y), Math.floor(col)]
  const [v, h] = [y - top, col - left]
  return (
    (1 - v) * ((1 - h) * pixel(x, top, left) + h * pixel(x, top, left + 1)) +
    v * ((1 - h) * pixel(x, top + 1, left) + h * pixel(x, top + 1, left + 1))
  )
}

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

/** One moment: every filter's product with the input, weighed by the newest entry of its memory. */
const filtered: Case = realCase(
  'float32, the first moment',
  {
    type: 'SVDF',
    inputs: [
      f32(2, 3),
      constant('float32', [4, 3], spread(12, -1, 1).map(Math.fround)),
      constant('float32', [4, 2], spread(8, -1, 1).map(Math.fround)),
      constant('float32', [2], [0.5, -0.25]),
      { ...f32(2, 8), isVariable: true },
    ],
    outputs: [f32(2, 2)],
    options: { rank: 2, fusedActivationFunction: 0 },
  },
  [spread(6, -1, 1)],
  (x = []) => {
    const [feature, time] = [spread(12, -1, 1).map(Math.fround), spread(8, -1, 1).map(Math.fround)]
    return [
      indicesOf([2, 2]).map(([row = 0, unit = 0]) =>
        [2 * unit, 2 * unit + 1].reduce(
          (sum, f) =>
            sum +
            (time[2 * f + 1] as number) *
              [0, 1, 2].reduce(
                (dot, i) => dot + (feature[3 * f + i] as number) * (x[3 * row + i] as number),
                0,
              ),
          unit === 0 ? 0.5 : -0.25,
        ),
      ),
    ]
  },
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

export const LAYERS: Table = {
  NON_MAX_SUPPRESSION_V4: [suppress(4, 0.25, 0, [[1, 2, 0], [2]]), suppress(4, 0.5, 0, [[1, 2, 0], [3]])],
  NON_MAX_SUPPRESSION_V5: [
    suppress(5, 0.25, 0, [[1, 2, 0], [0.75, 0.625, 0], [2]]),
    // The overlap is 8 of 24: 0.5 exp(-0.5 / 9).
    suppress(5, 0.5, 1, [[1, 2, 0], [0.75, 0.625, 0.5 * Math.exp(-0.5 / 9)], [3]]),
  ],
  CONV_2D: convolutions(false),
  DEPTHWISE_CONV_2D: convolutions(true),
  FULLY_CONNECTED: connected,
  BATCH_MATMUL: products,
  TRANSPOSE_CONV: spreading,
  AVERAGE_POOL_2D: pools('AVERAGE_POOL_2D', KINDS, mean),
  MAX_POOL_2D: pools('MAX_POOL_2D', KINDS, (x) => Math.max(...x)),
  L2_POOL_2D: pools('L2_POOL_2D', ['float32'], (x) => Math.sqrt(mean(x.map((y) => y * y)))),
  RESIZE_BILINEAR: resized('RESIZE_BILINEAR', bilinear),
  RESIZE_NEAREST_NEIGHBOR: resized('RESIZE_NEAREST_NEIGHBOR', (x, y, col) =>
    pixel(x, Math.floor(y), Math.floor(col)),
  ),
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
  SVDF: [filtered],
  BUCKETIZE: bucketize,
}
