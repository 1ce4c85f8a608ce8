// int4 and int2 tensors: several codes a byte, lowest bits first, the last byte padded with zeros.

/** One signed code an entry. */
export function unpackCodes(bytes: Uint8Array, bits: 2 | 4, codes: Int8Array): void {
  const perByte = 8 / bits
  for (let i = 0; i < codes.length; i++) {
    const raw = (bytes[Math.floor(i / perByte)] as number) >> ((i % perByte) * bits)
    codes[i] = (raw << (32 - bits)) >> (32 - bits)
  }
}

/** Codes outside the range of `bits` keep their lowest bits; callers check ranges. */
export function packCodes(codes: Int8Array, bits: 2 | 4): Uint8Array {
  const perByte = 8 / bits
  const bytes = new Uint8Array(Math.ceil(codes.length / perByte))
  const mask = (1 << bits) - 1
  for (let i = 0; i < codes.length; i++) {
    const at = Math.floor(i / perByte)
    bytes[at] = (bytes[at] as number) | (((codes[i] as number) & mask) << ((i % perByte) * bits))
  }
  return bytes
}
