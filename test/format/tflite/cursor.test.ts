// Damage to the flatbuffer itself: header, vtables, offsets, lengths.

import test from 'ava'
import { type ErrorCode, LowbitError } from '#lib/errors.js'
import { BUFFER, MODEL, SUBGRAPH } from '#lib/format/tflite/schema.js'
import { errorOf } from './defect.js'
import { rawFile } from './sample.js'

const root = (view: DataView) => view.getUint32(0, true)
const vtable = (view: DataView, table: number) => table - view.getInt32(table, true)
/** Where a vtable says how far from its table a field lies. */
const entry = (view: DataView, table: number, slot: number) => vtable(view, table) + 4 + 2 * slot
const field = (view: DataView, table: number, slot: number) =>
  table + view.getUint16(entry(view, table, slot), true)
const target = (view: DataView, at: number) => at + view.getUint32(at, true)
/** Where the length of a vector stands that is a field of the root. */
const rootVector = (view: DataView, slot: number) => target(view, field(view, root(view), slot))
const subgraph = (view: DataView) => target(view, rootVector(view, MODEL.subgraphs) + 4)

type Damage = readonly [title: string, damage: (view: DataView) => void, code: ErrorCode]

const DAMAGES: readonly Damage[] = [
  ['another identifier', (v) => v.setUint8(4, 0x58), 'FILE_INVALID'],
  ['no identifier', (v) => v.setUint32(4, 0), 'FILE_INVALID'],
  ['root offset beyond', (v) => v.setUint32(0, v.byteLength, true), 'FILE_TRUNCATED'],
  ['root offset at the last bytes', (v) => v.setUint32(0, v.byteLength - 3, true), 'FILE_TRUNCATED'],
  ['root offset of 2^32 - 1', (v) => v.setUint32(0, 0xffffffff, true), 'FILE_TRUNCATED'],
  ['vtable before the file', (v) => v.setInt32(root(v), root(v) + 1, true), 'FILE_INVALID'],
  ['vtable beyond the file', (v) => v.setInt32(root(v), root(v) - v.byteLength, true), 'FILE_TRUNCATED'],
  ['vtable of 2 bytes', (v) => v.setUint16(vtable(v, root(v)), 2, true), 'FILE_INVALID'],
  ['vtable of odd size', (v) => v.setUint16(vtable(v, root(v)), 7, true), 'FILE_INVALID'],
  ['vtable of 65534 bytes', (v) => v.setUint16(vtable(v, root(v)), 0xfffe, true), 'FILE_TRUNCATED'],
  ['table of 3 bytes', (v) => v.setUint16(vtable(v, root(v)) + 2, 3, true), 'FILE_INVALID'],
  ['table of 65535 bytes', (v) => v.setUint16(vtable(v, root(v)) + 2, 0xffff, true), 'FILE_TRUNCATED'],
  [
    'field over the table offset',
    (v) => v.setUint16(entry(v, root(v), MODEL.version), 2, true),
    'FILE_INVALID',
  ],
  [
    'field outside its table',
    (v) => v.setUint16(entry(v, root(v), MODEL.version), 0x100, true),
    'FILE_INVALID',
  ],
  [
    'field half outside its table',
    (v) => v.setUint16(entry(v, root(v), MODEL.version), v.getUint16(vtable(v, root(v)) + 2, true) - 2, true),
    'FILE_INVALID',
  ],
  ['offset 0', (v) => v.setUint32(field(v, root(v), MODEL.buffers), 0, true), 'FILE_INVALID'],
  ['offset beyond', (v) => v.setUint32(field(v, root(v), MODEL.buffers), 0xfffffff0, true), 'FILE_TRUNCATED'],
  [
    'vector of 2^32 - 1',
    (v) => v.setUint32(rootVector(v, MODEL.buffers), 0xffffffff, true),
    'FILE_TRUNCATED',
  ],
  [
    'vector of 2^30, whose bytes wrap',
    (v) => v.setUint32(rootVector(v, MODEL.buffers), 2 ** 30, true),
    'FILE_TRUNCATED',
  ],
  [
    'table of a vector beyond',
    (v) => v.setUint32(rootVector(v, MODEL.subgraphs) + 4, 2 ** 31, true),
    'FILE_TRUNCATED',
  ],
  ['table of a vector at 0', (v) => v.setUint32(rootVector(v, MODEL.subgraphs) + 4, 0, true), 'FILE_INVALID'],
  [
    'string beyond',
    (v) => v.setUint32(target(v, field(v, subgraph(v), SUBGRAPH.name)), v.byteLength, true),
    'FILE_TRUNCATED',
  ],
  [
    'buffer beyond',
    (v) => {
      const buffer = target(v, rootVector(v, MODEL.buffers) + 8)
      v.setUint32(target(v, field(v, buffer, BUFFER.data)), v.byteLength, true)
    },
    'FILE_TRUNCATED',
  ],
]

const isRefused = test.macro<[Damage]>({
  exec(t, [, damage, code]) {
    const file = rawFile()
    damage(new DataView(file.buffer, file.byteOffset, file.byteLength))
    const error = errorOf(file)
    if (!(error instanceof LowbitError)) return t.fail('the file was accepted')
    t.is(error.code, code, error.message)
    t.true(Number.isSafeInteger(error.offset), error.message)
  },
  title: (_, [title]) => `damage: ${title}`,
})
for (const damage of DAMAGES) test(isRefused, damage)

test('files too short for a header', (t) => {
  for (let length = 0; length < 8; length++) {
    const error = errorOf(rawFile().subarray(0, length))
    t.true(error instanceof LowbitError && error.code === 'FILE_TRUNCATED', `${length} bytes`)
  }
})

test('a file that starts anywhere in its ArrayBuffer is read alike', (t) => {
  const file = rawFile()
  for (const shift of [1, 2, 3, 5]) {
    const moved = new Uint8Array(file.length + shift + 9).subarray(shift, shift + file.length)
    moved.set(file)
    t.deepEqual(errorOf(moved), errorOf(file))
    t.false(errorOf(moved) instanceof LowbitError)
  }
})
