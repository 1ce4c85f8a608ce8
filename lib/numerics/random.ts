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

/** One seed of several numbers: every one of them, and their order, changes all bits (the last step of MurmurHash3, Appleby 2011). */
export function mixedSeed(...parts: readonly number[]): number {
  let hash = 0
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 0x9e3779b1) + 0x6d2b79f5
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return hash >>> 0
}
