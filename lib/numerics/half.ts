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
