// Layers of TensorFlow.js draw random numbers without asking for a seed (dropout), and so do initialisers.

import { xorshift32 } from '../../numerics/random.js'

/** Calls `work`, for which Math.random gives the numbers of a seed. It must end before it returns: no promises. */
export function withSeed<T>(seed: number, work: () => T): T {
  const { random } = Math
  const next = xorshift32(seed)
  Math.random = () => next() / 2 ** 32
  try {
    return work()
  } finally {
    Math.random = random
  }
}
