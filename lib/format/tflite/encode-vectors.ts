// Vectors of a flatbuffer being written. The builder writes from the end, hence the backward loops.

import type { Builder } from 'flatbuffers'

/** Where a finished table, vector or string lies, as the builder counts; 0 for none. */
export type Offset = number

const SIZES = { bool: 1, i32: 4, i64: 8, f32: 4 } as const

export function vector(builder: Builder, kind: keyof typeof SIZES, values: ArrayLike<number>): Offset {
  builder.startVector(SIZES[kind], values.length, SIZES[kind])
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i] ?? 0
    if (kind === 'bool') builder.addInt8(value)
    else if (kind === 'i32') builder.addInt32(value)
    else if (kind === 'i64') builder.addInt64(BigInt(value))
    else builder.addFloat32(value)
  }
  return builder.endVector()
}

export function offsetsVector(builder: Builder, offsets: readonly Offset[]): Offset {
  builder.startVector(4, offsets.length, 4)
  for (const offset of offsets.toReversed()) builder.addOffset(offset)
  return builder.endVector()
}

/** Bytes whose first element lies at a multiple of `alignment` in the file. */
export function bytesVector(builder: Builder, bytes: Uint8Array, alignment: number): Offset {
  builder.prep(alignment, bytes.length)
  return builder.createByteVector(bytes)
}
