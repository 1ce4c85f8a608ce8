// Seeded random numbers: the same seed gives the same numbers everywhere.

/** A source of whole numbers in [0, 2^32). Marsaglia 2003, "Xorshift RNGs", the triple (13, 17, 5). */
export function xorshift32(seed: number): () => number {
  // The state must not be 0; the multiplier spreads small seeds over all bits.
  let state = Math.imul(seed | 0, 0x9e3779b1) || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/** Whole numbers from `low` to `high`, both included; the range spans at most 2^32 numbers. */
export function randomIntegers(seed: number, count: number, low: number, high: number): Float64Array {
  const next = xorshift32(seed)
  const span = high - low + 1
  return Float64Array.from({ length: count }, () => low + Math.floor((next() / 2 ** 32) * span))
}
