// The kernels of fake quantisation. TensorFlow.js would take a pass over the data for each division, rounding and mask.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import { storedScale } from '../../quantize/weights/grid.js'
import type { NativeBackend } from '../backend/backend.js'
import { isOneGrid, quantizeNatively } from '../backend/grid.js'
import type { CpuBackend } from '../backend/tfjs.js'

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

// The loops are written out, channel by channel: a call for each element would take several times as long.

const fakeQuantize: PlainKernel = {
  name: FAKE_QUANTIZE,
  run(arrays, { low, high }, shapes) {
    const [x, scale, zeroPoint] = [take(arrays, 'x'), take(arrays, 'scale'), take(arrays, 'zeroPoint')]
    const [count, channels] = [x.length, scale.length]
    const data = new Float32Array(count)
    for (let channel = 0; channel < channels; channel++) {
      const step = scale[channel] as number
      const least = low - (zeroPoint[channel] as number)
      const most = high - (zeroPoint[channel] as number)
      for (let i = channel; i < count; i += channels) {
        const steps = Math.min(Math.max(Math.fround((x[i] as number) / step), least), most)
        // Half away from zero; adding 0 makes -0 the 0 that a code stands for.
        data[i] = step * ((steps < 0 ? Math.ceil(steps - 0.5) : Math.floor(steps + 0.5)) + 0)
      }
    }
    return { shape: shapes['x'] ?? [], data }
  },
}

const fakeQuantizeGradient: PlainKernel = {
  name: FAKE_QUANTIZE_GRADIENT,
  run(arrays, { low, high }, shapes) {
    const [x, scale, zeroPoint] = [take(arrays, 'x'), take(arrays, 'scale'), take(arrays, 'zeroPoint')]
    const dy = take(arrays, 'dy')
    const [count, channels] = [x.length, scale.length]
    const data = new Float32Array(count)
    for (let channel = 0; channel < channels; channel++) {
      const step = scale[channel] as number
      const least = low - (zeroPoint[channel] as number)
      const most = high - (zeroPoint[channel] as number)
      for (let i = channel; i < count; i += channels) {
        const steps = Math.fround((x[i] as number) / step)
        data[i] = steps >= least && steps <= most ? (dy[i] as number) : 0
      }
    }
    return { shape: shapes['x'] ?? [], data }
  },
}

const gridGradient: PlainKernel = {
  name: GRID_GRADIENT,
  run(arrays, { low, high, below, above, within }, shapes) {
    const [x, scale, zeroPoint] = [take(arrays, 'x'), take(arrays, 'scale'), take(arrays, 'zeroPoint')]
    const dy = take(arrays, 'dy')
    const [count, channels, inside] = [x.length, scale.length, within ? 1 : 0]
    const data = new Float32Array(channels)
    for (let channel = 0; channel < channels; channel++) {
      const step = scale[channel] as number
      const least = low - (zeroPoint[channel] as number)
      const most = high - (zeroPoint[channel] as number)
      let sum = 0
      for (let i = channel; i < count; i += channels) {
        const steps = Math.fround((x[i] as number) / step)
        const rounded = steps < 0 ? Math.ceil(steps - 0.5) : Math.floor(steps + 0.5)
        sum += (dy[i] as number) * (steps < least ? below : steps > most ? above : inside * (rounded - steps))
      }
      data[channel] = sum
    }
    return { shape: shapes['scale'] ?? [], data }
  },
}

const valueRange: PlainKernel = {
  name: VALUE_RANGE,
  run(arrays) {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const x = take(arrays, 'x')
    for (let i = 0; i < x.length; i++) {
      const value = x[i] as number
      if (value < min) min = value
      if (value > max) max = value
      if (Number.isNaN(value)) return { shape: [2], data: Float32Array.of(Number.NaN, Number.NaN) }
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

const ON_ONE_GRID: readonly string[] = [FAKE_QUANTIZE, FAKE_QUANTIZE_GRADIENT]

/** The same on the backend `lowbit`: natively where there is a step for it. */
export function onLowbit(kernel: PlainKernel): ReturnType<typeof onArrays> {
  const plain = onArrays(kernel)
  if (!ON_ONE_GRID.includes(kernel.name)) return plain
  return (params) => {
    const inputs = params.inputs as Readonly<Record<string, TensorInfo>>
    if (!isOneGrid(inputs)) return plain(params)
    return quantizeNatively(inputs, params.attrs as never, params.backend as NativeBackend)
  }
}
