// The kernels of fake quantisation. TensorFlow.js would take a pass over the data for each division, rounding and mask.
// What is written here runs on its CPU backend, and says what the native steps of lowbit's must give.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend } from '../backend/backend.js'
import {
  type GridEffect,
  gradientNatively,
  hasGrids,
  quantizeNatively,
  rangeNatively,
} from '../backend/grid.js'
import type { CpuBackend } from '../backend/tfjs.js'

/** Inputs x, scale, zeroPoint (one, or one an innermost channel); attributes low, high. */
export const FAKE_QUANTIZE = 'LowbitFakeQuantize'
/**
 * Besides dy: dx, which is dy where x is not clamped, else 0; then, for each of the attribute `effects`, what dy says of
 * a number that all steps of a channel depend on: one sum a channel, times `factor`.
 */
export const FAKE_QUANTIZE_GRADIENT = 'LowbitFakeQuantizeGradient'
/** Input x, attribute channels; output [2, channels]: smallest elements of the innermost channels, then the largest. */
export const VALUE_RANGE = 'LowbitValueRange'

export interface ClampAttributes {
  readonly low: number
  readonly high: number
}

export interface GradientAttributes extends ClampAttributes {
  readonly effects: readonly GridEffect[]
  readonly factor: number
}

export interface RangeAttributes {
  readonly channels: number
}

type Arrays = Readonly<Record<string, Float32Array>>
type Shapes = Readonly<Record<string, readonly number[]>>

interface Result {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

interface GridKernel {
  readonly name: string
  run(arrays: Arrays, attributes: GradientAttributes & RangeAttributes, shapes: Shapes): readonly Result[]
  /** The same on the backend `lowbit`. */
  readonly native: typeof quantizeNatively
}

const take = (arrays: Arrays, name: string) => arrays[name] as Float32Array

// The loops are written out, channel by channel: a call for each element would take several times as long.

const fakeQuantize: GridKernel = {
  name: FAKE_QUANTIZE,
  native: quantizeNatively,
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
    return [{ shape: shapes['x'] ?? [], data }]
  },
}

const fakeQuantizeGradient: GridKernel = {
  name: FAKE_QUANTIZE_GRADIENT,
  native: gradientNatively,
  run(arrays, { low, high, effects, factor }, shapes) {
    const [x, scale, zeroPoint] = [take(arrays, 'x'), take(arrays, 'scale'), take(arrays, 'zeroPoint')]
    const dy = take(arrays, 'dy')
    const [count, channels] = [x.length, scale.length]
    const dx = new Float32Array(count)
    const sums = effects.map(() => new Float64Array(channels))
    for (let channel = 0; channel < channels; channel++) {
      const step = scale[channel] as number
      const least = low - (zeroPoint[channel] as number)
      const most = high - (zeroPoint[channel] as number)
      for (let i = channel; i < count; i += channels) {
        const steps = Math.fround((x[i] as number) / step)
        dx[i] = steps >= least && steps <= most ? (dy[i] as number) : 0
      }
      for (const [e, { below, above, within }] of effects.entries()) {
        let sum = 0
        for (let i = channel; i < count; i += channels) {
          const steps = Math.fround((x[i] as number) / step)
          const rounded = steps < 0 ? Math.ceil(steps - 0.5) : Math.floor(steps + 0.5)
          const slope = steps < least ? below : steps > most ? above : within * (rounded - steps)
          sum += (dy[i] as number) * slope
        }
        ;(sums[e] as Float64Array)[channel] = factor * sum
      }
    }
    const shape = shapes['scale'] ?? []
    return [
      { shape: shapes['x'] ?? [], data: dx },
      ...sums.map((sum) => ({ shape, data: Float32Array.from(sum) })),
    ]
  },
}

const valueRange: GridKernel = {
  name: VALUE_RANGE,
  native: rangeNatively,
  run(arrays, { channels }) {
    const x = take(arrays, 'x')
    const data = new Float32Array(2 * channels)
    for (let channel = 0; channel < channels; channel++) {
      let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
      for (let i = channel; i < x.length; i += channels) {
        least = Math.min(least, x[i] as number)
        most = Math.max(most, x[i] as number)
      }
      data[channel] = least + 0 // never -0
      data[channels + channel] = most + 0
    }
    return [{ shape: [2, channels], data }]
  },
}

export const GRID_KERNELS: readonly GridKernel[] = [fakeQuantize, fakeQuantizeGradient, valueRange]

interface Call {
  readonly inputs: object
  readonly attrs?: object
  readonly backend: unknown
}

/** A kernel as TensorFlow.js calls it, on a backend whose tensors are arrays. */
export function onArrays(kernel: GridKernel): (call: Call) => TensorInfo[] {
  return ({ inputs, attrs, backend }) => {
    const { data } = backend as CpuBackend
    const entries = Object.entries(inputs as Record<string, TensorInfo>)
    const arrays = Object.fromEntries(
      entries.map(([name, tensor]) => [name, data.get(tensor.dataId).values as Float32Array]),
    )
    const shapes = Object.fromEntries(entries.map(([name, { shape }]) => [name, shape]))
    return kernel.run(arrays, attrs as GradientAttributes & RangeAttributes, shapes).map((result) => {
      const dataId = (backend as CpuBackend).write(result.data, [...result.shape], 'float32')
      return { dataId, shape: [...result.shape], dtype: 'float32' }
    })
  }
}

/** The same on the backend `lowbit`. */
export function onLowbit(kernel: GridKernel): (call: Call) => TensorInfo[] {
  const plain = onArrays(kernel)
  return (call) => {
    const inputs = call.inputs as Readonly<Record<string, TensorInfo>>
    if (!hasGrids(inputs)) return plain(call)
    return kernel.native(inputs, call.attrs as never, call.backend as NativeBackend)
  }
}
