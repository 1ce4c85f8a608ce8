// Records of CIFAR-10's binary batches.

/** A plain picture; the red of row 1, column 1 is 7. */
export function cifarRecord(label: number, colours: readonly [number, number, number]): Uint8Array {
  const bytes = new Uint8Array(3073)
  bytes[0] = label
  for (const [c, value] of colours.entries()) bytes.fill(value, 1 + 1024 * c, 1025 + 1024 * c)
  bytes[1 + 33] = 7
  return bytes
}
