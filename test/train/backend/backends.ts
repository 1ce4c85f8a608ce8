// The backend `lowbit` and the CPU backend that it must agree with, side by side.

import type { Tensor, TypedArray } from '@tensorflow/tfjs-core'
import type { NativeKernel } from '#lib/train/backend/backend.js'
import { KERNELS } from '#lib/train/backend/kernels.js'
import { type CoreModule, requireTfjs } from '#lib/train/backend/tfjs.js'
import '#lib/train.js'

export const tf = requireTfjs<CoreModule>('core')

const ran = new Set<string>()
for (const kernel of KERNELS as readonly { -readonly [K in keyof NativeKernel]: NativeKernel[K] }[]) {
  const { run } = kernel
  kernel.run = (...args) => {
    ran.add(kernel.name)
    return run(...args)
  }
}

/** The names of native kernels that ran meanwhile. */
export function kernelsOf(work: () => void): string[] {
  ran.clear()
  work()
  return [...ran]
}

export type BackendName = 'cpu' | 'lowbit'

/** What `work` gives on a backend, as arrays; its tensors are freed. */
export function on(backend: BackendName, work: () => Tensor | Tensor[]): TypedArray[] {
  tf.setBackend(backend)
  return tf.tidy(() => [work()].flat().map((tensor) => tensor.dataSync().slice()))
}

/** Numbers in (-1, 1), the same for a seed. */
export function numbers(count: number, seed: number, size = 1): Float32Array {
  let state = seed >>> 0
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return size * (state / 2 ** 31 - 1)
  })
}

/** Numbers at which functions turn, end or overflow. */
export const EDGES = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2.5,
  -2.5,
  6,
  7,
  -7,
  1e-40,
  3e38,
  -3e38,
  Infinity,
  -Infinity,
  NaN,
]

export const sizeOf = (shape: readonly number[]) => shape.reduce((count, extent) => count * extent, 1)

/**
 * The largest |got - want| / (|want| + floor); infinite where one is NaN and the other not, or infinities differ.
 */
export function distance(got: TypedArray, want: TypedArray, floor = 0): number {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY
  let most = 0
  for (const [i, w] of want.entries()) {
    const g = got[i] as number
    if (Object.is(g, w) || g === w) continue
    const apart = Math.abs(g - w) / (Math.abs(w) + floor)
    most = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(most, apart)
  }
  return most
}
