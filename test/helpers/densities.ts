// Seeded numbers of the densities that weights have.

import { xorshift32 } from '#lib/numerics/random.js'

const uniforms = (seed: number) => {
  const next = xorshift32(seed)
  return () => (next() + 0.5) / 2 ** 32
}

/** Mean 0, deviation 1 (Box and Muller 1958). */
export function normals(seed: number, count: number): Float32Array {
  const next = uniforms(seed)
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()),
  )
}

/** Mean 0, deviation 1, by the inverse of the distribution. */
export function laplacians(seed: number, count: number): Float32Array {
  const next = uniforms(seed)
  return Float32Array.from({ length: count }, () => {
    const side = next() - 0.5
    return (-Math.sign(side) * Math.log(1 - 2 * Math.abs(side))) / Math.SQRT2
  })
}
