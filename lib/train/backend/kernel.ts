// What the native kernels share: how one is made, and names of its parts.

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { NativeBackend, NativeKernel } from './backend.js'
import type { Attributes, Dense } from './steps.js'
import type { CoreModule } from './tfjs.js'

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

/** A clamp as layers have it. */
export const REAL = (clamp: Float32Array): Attributes => ({
  lowReal: clamp.slice(0, 1),
  highReal: clamp.slice(1),
})

const areFloats = (inputs: Inputs) =>
  Object.values(inputs).every((tensor) => tensor === undefined || tensor.dtype === 'float32')
export const take = (inputs: Inputs, name: string) => inputs[name] as TensorInfo
/** Inputs as steps see them. */
export const denseOf = (backend: NativeBackend, inputs: Inputs, ...names: readonly string[]): Dense[] =>
  names.map((name) => backend.dense(take(inputs, name)))
export const sizeOf = (shape: readonly number[]) => shape.reduce((count, extent) => count * extent, 1)
const hasElements = (inputs: Inputs) =>
  Object.values(inputs).every((tensor) => tensor === undefined || sizeOf(tensor.shape) > 0)

/** A kernel for float32 alone. */
export function kernel(
  name: string,
  run: NativeKernel['run'],
  fits: (inputs: Inputs, attrs: Attrs, core: CoreModule) => boolean = () => true,
): NativeKernel {
  return {
    name,
    run,
    fits: (inputs, attrs, _backend, core) =>
      areFloats(inputs) && hasElements(inputs) && fits(inputs, attrs, core),
  }
}
