// TensorFlow.js for the tests of training, on the backend `lowbit`.

import { createRequire } from 'node:module'
import type * as Core from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import '#lib/train.js'

const require = createRequire(import.meta.url)
export const tf = require('@tensorflow/tfjs-core') as typeof Core
export const tfl = require('@tensorflow/tfjs-layers') as typeof Layers
await tf.setBackend('lowbit')

/** Numbers from -1 to 1, the same at each call with the same seed. */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}
