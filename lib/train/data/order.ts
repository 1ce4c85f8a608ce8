// The order that examples come in: drawn by a seed, the same everywhere.

import { xorshift32 } from '../../numerics/random.js'

/** The numbers below `count` in an order that the seed says (Fisher and Yates; Knuth, "The Art of Computer Programming", 3.4.2). */
export function shuffled(count: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i)
  const next = xorshift32(seed)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((next() / 2 ** 32) * (i + 1))
    const last = order[i] as number
    order[i] = order[j] as number
    order[j] = last
  }
  return order
}
