// Layers with weights, and windows over pictures.

import type { TensorSpec } from '../../helpers/model-builder.js'
import {
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
  spread,
  type Table,
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

const VOLUMES = [
  { taps: [2, 3, 2], stride: [1, 1, 1], dilation: [1, 1, 1], same: true },
  { taps: [2, 3, 2], stride: [2, 1, 2], dilation: [1, 2, 1], same: false },
  { taps: [7, 5, 6], stride: [1, 2, 1], dilation: [3, 1, 2], same: true },
] as const

/** A convolution over depth, height and width. */
const volumes: readonly Case[] = VOLUMES.map(({ taps, stride, dilation, same: isSame }) => {
  const [image, filter] = [
    [1, 4, 5, 4, 2],
    [...taps, 2, 3],
  ] as const
  const starts: number[] = []
  const extents = [0, 1, 2].map((d) => {
    const [extent = 0, taps = 0, step = 1, reach = 1] = [image[d + 1], filter[d], stride[d], dilation[d]]
    const span = (taps - 1) * reach + 1
    const count = Math.ceil((isSame ? extent : extent - span + 1) / step)
    starts.push(isSame ? -Math.floor(Math.max(0, (count - 1) * step + span - extent) / 2) : 0)
    return count
  })
  const weights = weightsOf('float32', filter, 4)
  const shape = [1, ...extents, 3]
  return realCase(
    `filter ${taps}, stride ${stride}${isSame ? ', same' : ''}`,
    {
      type: 'CONV_3D',
      inputs: [f32(...image), weights.spec, constant('float32', [3], [0.5, -1, 2])],
      outputs: [f32(...shape)],
      options: {
        ...{ padding: isSame ? 0 : 1, strideD: stride[0], strideH: stride[1], strideW: stride[2] },
        ...{ dilationDFactor: dilation[0], dilationHFactor: dilation[1], dilationWFactor: dilation[2] },
        fusedActivationFunction: 1,
      },
    },
    [spread(elements(image), -1, 1)],
    (x = []) => [
      indicesOf(shape).map(([, ...index]) => {
        const unit = index[3] as number
        let sum = [0.5, -1, 2][unit] as number
        for (const [z = 0, y = 0, col = 0, c = 0] of indicesOf(filter.slice(0, 4))) {
          const place = [z, y, col].map(
            (tap, d) =>
              (starts[d] as number) +
              (index[d] as number) * (stride[d] as number) +
              tap * (dilation[d] as number),
          )
          if (place.some((at_, d) => at_ < 0 || at_ >= (image[d + 1] as number))) continue
          sum += at(image, x, [0, ...place, c]) * at(filter, weights.reals, [z, y, col, c, unit])
        }
        return Math.max(0, sum)
      }),
    ],
    64 * FEW_ULPS,
  )
})

export const LAYERS: Table = {
  CONV_3D: volumes,
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
  SVDF: [filtered],
}
