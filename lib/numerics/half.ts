// IEEE 754 binary16 and bfloat16, as the bits that typed arrays hold.

/** The number that 16 bits of binary16 stand for; exact. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The numbers of a bfloat16 array: the upper half of a float32 each; exact. */
export function fromBfloats(bits: ArrayLike<number>): Float32Array {
  const wide = new Uint32Array(bits.length)
  for (let i = 0; i < wide.length; i++) wide[i] = ((bits[i] as number) << 16) >>> 0
  return new Float32Array(wide.buffer)
}

const SINGLE = new Float32Array(1)
const SINGLE_BITS = new Uint32Array(SINGLE.buffer)

/** The binary16 nearest to a float32, ties to even; beyond its range infinity. */
export function toHalf(value: number): number {
  SINGLE[0] = value
  const bits = SINGLE_BITS[0] as number
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  // 65520 and more is nearer to 65536, which has no code.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  // Below 2^-14 steps are 2^-24: adding 2^-1 leaves them as the low bits of a float32, rounded.
  if (magnitude < 0x38800000) {
    SINGLE[0] = Math.abs(value) + 0.5
    return sign | ((SINGLE_BITS[0] as number) - 0x3f000000)
  }
  const odd = (magnitude >>> 13) & 1
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13)
}
