// TensorFlow.js, found when it is first needed: its packages are optional.

import { createRequire } from 'node:module'
import type * as Core from '@tensorflow/tfjs-core'
import { LowbitError } from '../../errors.js'

const require = createRequire(import.meta.url)

/** What is used of `@tensorflow/tfjs-backend-cpu`. */
export interface CpuModule {
  readonly MathBackendCPU: new () => CpuBackend
}

/** What a backend knows of a tensor. */
export interface Held {
  values: unknown
  refCount: number
}

/** The part of its `MathBackendCPU` that lowbit's backend builds on. */
export interface CpuBackend extends Core.KernelBackend {
  readonly data: { get(id: object): Held; has(id: object): boolean }
  firstUse: boolean
}

export type CoreModule = typeof Core

/**
 * The package, as the user's own code gets it.
 *
 * @throws {LowbitError} `PEER_MISSING` when it is not installed.
 */
export function requireTfjs<T>(name: 'core' | 'layers' | 'backend-cpu'): T {
  try {
    return require(`@tensorflow/tfjs-${name}`) as T
  } catch (cause) {
    throw new LowbitError(
      'PEER_MISSING',
      `lowbit/train needs TensorFlow.js: npm install @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu (${name} could not be loaded: ${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    )
  }
}
