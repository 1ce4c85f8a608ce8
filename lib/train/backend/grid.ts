// Fake quantisation, its gradients and the ranges of tensors as native steps. A tensor is seen as rows of columns, each
// of which has a grid: a grid of the whole tensor, or of a few channels, is repeated, so that rows fill vectors.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from './backend.js'
import { type Attrs, type Inputs, sizeOf, take } from './kernel.js'
import type { Dense } from './steps.js'

/** What rows of repeated grids have at most. */
const WIDTH = 32

/** Numbers that the grid hangs on: see `native/kernels/grid_f32`. */
export interface GridEffect {
  readonly below: number
  readonly above: number
  readonly within: number
}

/** Whether native steps take these inputs: one number a channel of x for each but dy. */
export function hasGrids(inputs: Inputs): boolean {
  const { length } = Object.values(inputs).filter(({ dtype }) => dtype !== 'float32')
  const count = sizeOf(take(inputs, 'x').shape)
  const channels = sizeOf((inputs['scale'] ?? { shape: [1] }).shape)
  return length === 0 && count > 0 && channels > 0 && count % channels === 0
}

/** The shape that steps see: rows are whole repetitions of the channels. */
function matrixOf({ shape }: TensorInfo, channels: number): [number, number] {
  const count = sizeOf(shape)
  for (let repeats = Math.floor(WIDTH / channels); repeats > 1; repeats--)
    if (count % (repeats * channels) === 0) return [count / (repeats * channels), repeats * channels]
  return [count / channels, channels]
}

interface Laid {
  readonly matrix: [number, number]
  readonly channels: number
  readonly grid: Dense
}

function layGrids(inputs: Inputs, attrs: Attrs, backend: NativeBackend): Laid {
  const [scales, zeroPoints] = [take(inputs, 'scale'), take(inputs, 'zeroPoint')].map(
    (tensor) => backend.dense(tensor).data,
  ) as [Float32Array, Float32Array]
  const { low, high } = attrs as { low: number; high: number }
  const matrix = matrixOf(take(inputs, 'x'), scales.length)
  const [, columns] = matrix
  const data = new Float32Array(3 * columns)
  for (let column = 0; column < columns; column++) {
    const channel = column % scales.length
    const zeroPoint = zeroPoints[channel] as number
    data[column] = scales[channel] as number
    data[columns + column] = low - zeroPoint
    data[2 * columns + column] = high - zeroPoint
  }
  return { matrix, channels: scales.length, grid: { shape: [3, columns], data } }
}

/** `x` on its grids. */
export function quantizeNatively(inputs: Inputs, attrs: Attrs, backend: NativeBackend): TensorInfo[] {
  const { matrix, grid } = layGrids(inputs, attrs, backend)
  const x = take(inputs, 'x')
  return [backend.run('fake_quantize', {}, [grid, backend.dense(x, matrix)], x.shape, matrix)]
}

/** The gradient that passes, and for each effect its sums times `factor`. */
export function gradientNatively(inputs: Inputs, attrs: Attrs, backend: NativeBackend): TensorInfo[] {
  const { effects, factor } = attrs as unknown as { effects: readonly GridEffect[]; factor: number }
  const { matrix, channels, grid } = layGrids(inputs, attrs, backend)
  const x = take(inputs, 'x')
  const operands = [grid, backend.dense(x, matrix), backend.dense(take(inputs, 'dy'), matrix)]
  const dx = { shape: x.shape, seen: matrix }
  if (effects.length === 0) return backend.runInto('grid_gradient', {}, operands, [dx])
  const data = Float32Array.from(effects.flatMap(({ below, above, within }) => [below, above, within]))
  const [, columns] = matrix
  const [passed, sums] = backend.runInto(
    'grid_gradient',
    {},
    [...operands, { shape: [effects.length, 3], data }],
    [dx, { shape: [effects.length, columns] }],
  ) as [TensorInfo, TensorInfo]
  const all = backend.dense(sums).data as Float32Array
  const folded = effects.map((_, effect) => {
    const part = new Float64Array(channels)
    for (let column = 0; column < columns; column++)
      part[column % channels] =
        (part[column % channels] as number) + (all[effect * columns + column] as number)
    return tensorOf(
      backend,
      Float32Array.from(part, (sum) => factor * sum),
      take(inputs, 'scale').shape,
    )
  })
  backend.disposeData(sums.dataId)
  return [passed, ...folded]
}

/** Smallest elements of the channels, then the largest; never -0. */
export function rangeNatively(inputs: Inputs, attrs: Attrs, backend: NativeBackend): TensorInfo[] {
  const { channels } = attrs as { channels: number }
  const x = take(inputs, 'x')
  const matrix = matrixOf(x, channels)
  const [, columns] = matrix
  const ends = backend.run('column_range', {}, [backend.dense(x, matrix)], [2, columns])
  const all = backend.dense(ends).data as Float32Array
  const data = new Float32Array(2 * channels)
  for (let channel = 0; channel < channels; channel++) {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let column = channel; column < columns; column += channels) {
      least = Math.min(least, all[column] as number)
      most = Math.max(most, all[columns + column] as number)
    }
    data[channel] = least + 0
    data[channels + channel] = most + 0
  }
  backend.disposeData(ends.dataId)
  return [tensorOf(backend, data, [2, channels])]
}

function tensorOf(backend: NativeBackend, data: Float32Array, shape: readonly number[]): TensorInfo {
  return { dataId: backend.write(data, [...shape], 'float32'), shape: [...shape], dtype: 'float32' }
}
