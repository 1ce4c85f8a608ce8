// What the native kernels share: how one is made, and names of its parts.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeKernel } from './backend.js'

export type Inputs = Readonly<Record<string, TensorInfo>>
export type Attrs = Readonly<Record<string, unknown>>
export type Shape4 = [number, number, number, number]

/** No clamp. */
export const FREE = Float32Array.of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
/** Activations that are clamps, by their names. */
export const CLAMPS: Readonly<Record<string, Float32Array>> = {
  linear: FREE,
  relu: Float32Array.of(0, Number.POSITIVE_INFINITY),
  relu6: Float32Array.of(0, 6),
}

const areFloats = (inputs: Inputs) =>
  Object.values(inputs).every((tensor) => tensor === undefined || tensor.dtype === 'float32')
export const take = (inputs: Inputs, name: string) => inputs[name] as TensorInfo
export const sizeOf = (shape: readonly number[]) => shape.reduce((count, extent) => count * extent, 1)
const hasElements = (inputs: Inputs) =>
  Object.values(inputs).every((tensor) => tensor === undefined || sizeOf(tensor.shape) > 0)

/** A kernel for float32 alone. */
export function kernel(
  name: string,
  run: NativeKernel['run'],
  fits: (inputs: Inputs, attrs: Attrs) => boolean = () => true,
): NativeKernel {
  return {
    name,
    run,
    fits: (inputs, attrs) => areFloats(inputs) && hasElements(inputs) && fits(inputs, attrs),
  }
}
