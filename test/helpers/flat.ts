// Writes any flatbuffer, sound or not, for tests of those who read them. A node given twice is written once, so that
// tests can share parts as no honest writer would.

import { Builder } from 'flatbuffers'

export type Flat =
  | { readonly kind: 'i8' | 'i32' | 'f32'; readonly value: number }
  | { readonly kind: 'i64'; readonly value: bigint }
  | { readonly kind: 'table'; readonly fields: Readonly<Record<number, Flat | undefined>> }
  | { readonly kind: 'tables'; readonly items: readonly Flat[] }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'words'; readonly bytes: Uint8Array; readonly size: 4 | 8 }

export const i8 = (value: number): Flat => ({ kind: 'i8', value })
export const i32 = (value: number): Flat => ({ kind: 'i32', value })
export const f32 = (value: number): Flat => ({ kind: 'f32', value })
export const i64 = (value: bigint): Flat => ({ kind: 'i64', value })
/** Fields by slot; undefined leaves one out. */
export const table = (fields: Readonly<Record<number, Flat | undefined>>): Flat => ({ kind: 'table', fields })
export const tables = (...items: readonly Flat[]): Flat => ({ kind: 'tables', items })
export const bytes = (...values: readonly number[]): Flat => ({
  kind: 'bytes',
  bytes: Uint8Array.from(values),
})
export const text = (value: string): Flat => ({ kind: 'bytes', bytes: new TextEncoder().encode(value) })
const words = (array: Int32Array | Float32Array | BigInt64Array): Flat => ({
  kind: 'words',
  bytes: new Uint8Array(array.buffer),
  size: array.BYTES_PER_ELEMENT as 4 | 8,
})
export const i32s = (...values: readonly number[]): Flat => words(Int32Array.from(values))
export const f32s = (...values: readonly number[]): Flat => words(Float32Array.from(values))
export const i64s = (...values: readonly number[]): Flat => words(BigInt64Array.from(values.map(BigInt)))

export function write(root: Flat, identifier: string): Uint8Array {
  const builder = new Builder(1024)
  builder.finish(place(builder, root, new Map()), identifier)
  return builder.asUint8Array().slice()
}

/** Offset of a node that is not a scalar. */
function place(builder: Builder, node: Flat, done: Map<Flat, number>): number {
  const offset = done.get(node) ?? create(builder, node, done)
  done.set(node, offset)
  return offset
}

function create(builder: Builder, node: Flat, done: Map<Flat, number>): number {
  switch (node.kind) {
    case 'bytes':
      return builder.createByteVector(node.bytes)
    case 'words': {
      builder.startVector(node.size, node.bytes.length / node.size, node.size)
      for (const byte of node.bytes.toReversed()) builder.writeInt8(byte)
      return builder.endVector()
    }
    case 'tables': {
      const offsets = node.items.map((item) => place(builder, item, done))
      builder.startVector(4, offsets.length, 4)
      for (const offset of offsets.toReversed()) builder.addOffset(offset)
      return builder.endVector()
    }
    case 'table': {
      const fields = Object.entries(node.fields).flatMap(([slot, field]) =>
        field === undefined
          ? []
          : [{ slot: Number(slot), field, offset: isScalar(field) ? 0 : place(builder, field, done) }],
      )
      builder.startObject(Math.max(0, ...fields.map(({ slot }) => slot + 1)))
      for (const { slot, field, offset } of fields) {
        if (field.kind === 'i8') builder.addFieldInt8(slot, field.value, null)
        else if (field.kind === 'i32') builder.addFieldInt32(slot, field.value, null)
        else if (field.kind === 'f32') builder.addFieldFloat32(slot, field.value, null)
        else if (field.kind === 'i64') builder.addFieldInt64(slot, field.value, null)
        else builder.addFieldOffset(slot, offset, 0)
      }
      return builder.endObject()
    }
    default:
      throw new Error(`a ${node.kind} has no place of its own`)
  }
}

function isScalar(node: Flat): boolean {
  return node.kind === 'i8' || node.kind === 'i32' || node.kind === 'f32' || node.kind === 'i64'
}
