// The kernels of fake quantisation. TensorFlow.js would take a pass over the data for each division, rounding and mask.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import { storedScale } from '../../quantize/weights/grid.js'
import type { CpuBackend } from '../backend/tfjs.js'
import { roundHalfAway } from './grid.js'

/** Inputs x, scale, zeroPoint (one, or one an innermost channel); attributes low, high. */
export const FAKE_QUANTIZE = 'LowbitFakeQuantize'
/** Besides dy: dx, which is dy where x is not clamped, else 0. */
export const FAKE_QUANTIZE_GRADIENT = 'LowbitFakeQuantizeGradient'
/**
 * Besides dy: what dy says of a number that all steps of a channel depend on, one sum a channel. Attributes `below` and
 * `above`: its effect on a clamped x; `within`: whether inside it acts as the scale does, else not at all.
 */
export const GRID_GRADIENT = 'LowbitGridGradient'
/** Input x; output its smallest and largest element. */
export const VALUE_RANGE = 'LowbitValueRange'

/** Input x; attributes channels, low, high. The smallest scale of each innermost channel that clamps nothing. */
export const CHANNEL_SCALES = 'LowbitChannelScales'

export interface ClampAttributes {
  readonly low: number
  readonly high: number
}

export interface GridAttributes extends ClampAttributes {
  readonly below: number
  readonly above: number
  readonly within: boolean
}

type Arrays = Readonly<Record<string, Float32Array>>

export interface ChannelAttributes extends ClampAttributes {
  readonly channels: number
}

export interface PlainKernel {
  readonly name: string
  /** Shape of the output, and its elements. */
  run(
    arrays: Arrays,
    attributes: GridAttributes & ChannelAttributes,
    shapes: Readonly<Record<string, readonly number[]>>,
  ): Result
}

interface Result {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

const take = (arrays: Arrays, name: string) => arrays[name] as Float32Array

/** Calls `visit` with each element, its channel and where it lies among the codes, before rounding. */
function eachPlace(arrays: Arrays, visit: (i: number, channel: number, steps: number, zero: number) => void) {
  const [x, scale, zeroPoint] = [take(arrays, 'x'), take(arrays, 'scale'), take(arrays, 'zeroPoint')]
  const channels = scale.length
  for (let i = 0, channel = 0; i < x.length; i++) {
    visit(
      i,
      channel,
      Math.fround((x[i] as number) / (scale[channel] as number)),
      zeroPoint[channel] as number,
    )
    if (++channel === channels) channel = 0
  }
}

const fakeQuantize: PlainKernel = {
  name: FAKE_QUANTIZE,
  run(arrays, { low, high }, shapes) {
    const scale = take(arrays, 'scale')
    const data = new Float32Array(take(arrays, 'x').length)
    eachPlace(arrays, (i, channel, steps, zero) => {
      const code = Math.min(Math.max(roundHalfAway(steps) + zero, low), high)
      data[i] = (scale[channel] as number) * (code - zero)
    })
    return { shape: shapes['x'] ?? [], data }
  },
}

const fakeQuantizeGradient: PlainKernel = {
  name: FAKE_QUANTIZE_GRADIENT,
  run(arrays, { low, high }, shapes) {
    const dy = take(arrays, 'dy')
    const data = new Float32Array(dy.length)
    eachPlace(arrays, (i, _, steps, zero) => {
      if (steps >= low - zero && steps <= high - zero) data[i] = dy[i] as number
    })
    return { shape: shapes['x'] ?? [], data }
  },
}

const gridGradient: PlainKernel = {
  name: GRID_GRADIENT,
  run(arrays, { low, high, below, above, within }, shapes) {
    const dy = take(arrays, 'dy')
    const sums = new Float64Array(take(arrays, 'scale').length)
    eachPlace(arrays, (i, channel, steps, zero) => {
      const effect =
        steps < low - zero
          ? below
          : steps > high - zero
            ? above
            : within
              ? Math.fround(roundHalfAway(steps) - steps)
              : 0
      sums[channel] = (sums[channel] as number) + (dy[i] as number) * effect
    })
    return { shape: shapes['scale'] ?? [], data: Float32Array.from(sums) }
  },
}

const valueRange: PlainKernel = {
  name: VALUE_RANGE,
  run(arrays) {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const value of take(arrays, 'x')) {
      // NaN for both if there is one.
      if (!(value >= min)) min = Number.isNaN(min) ? min : value
      if (!(value <= max)) max = Number.isNaN(max) ? max : value
    }
    return { shape: [2], data: Float32Array.of(min, max) }
  },
}

const channelScales: PlainKernel = {
  name: CHANNEL_SCALES,
  run(arrays, { low, high, channels }) {
    const x = take(arrays, 'x')
    const data = new Float32Array(channels)
    for (let i = 0, channel = 0; i < x.length; i++) {
      const value = x[i] as number
      const scale = value < 0 ? value / low : value / high
      if (scale > (data[channel] as number)) data[channel] = scale
      if (++channel === channels) channel = 0
    }
    return { shape: [channels], data: data.map(storedScale) }
  },
}

export const PLAIN_KERNELS: readonly PlainKernel[] = [
  fakeQuantize,
  fakeQuantizeGradient,
  gridGradient,
  valueRange,
  channelScales,
]

/** A kernel as TensorFlow.js calls it, on a backend whose tensors are arrays. */
export function onArrays(kernel: PlainKernel) {
  return ({ inputs, attrs, backend }: { inputs: object; attrs?: object; backend: unknown }): TensorInfo => {
    const { data } = backend as CpuBackend
    const entries = Object.entries(inputs as Record<string, TensorInfo>)
    const arrays = Object.fromEntries(
      entries.map(([name, tensor]) => [name, data.get(tensor.dataId).values as Float32Array]),
    )
    const shapes = Object.fromEntries(entries.map(([name, { shape }]) => [name, shape]))
    const result = kernel.run(arrays, attrs as GridAttributes & ChannelAttributes, shapes)
    const dataId = (backend as CpuBackend).write(result.data, [...result.shape], 'float32')
    return { dataId, shape: [...result.shape], dtype: 'float32' }
  }
}
