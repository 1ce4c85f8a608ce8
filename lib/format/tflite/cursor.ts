// A reader of flatbuffers that trusts nothing: each offset, length and size is checked before it is followed.
// Format: "FlatBuffers internals" of the flatbuffers project. Alignment is not asked for, since nothing here reads
// through aligned views.

import { type ErrorCode, type ErrorFacts, LowbitError } from '../../errors.js'

/** Bytes being read, and how much may still be made of them. */
export interface Source {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** What the bytes are, as messages call them. */
  readonly name: string
  /** What is left of it changes while reading; see `spend`. */
  readonly budget: { left: number }
  /** Where defects are collected; undefined where the first one ends the reading. See `attempt`. */
  readonly defects: LowbitError[] | undefined
}

/** A checked table: its own bytes and its vtable lie inside the source. */
export interface Table {
  readonly source: Source
  readonly at: number
  /** Bytes of the table itself, from `at`. */
  readonly size: number
  readonly vtable: number
  /** Fields that the vtable has an entry for. */
  readonly slots: number
  /** What an error about this table tells beside its message. */
  readonly facts: ErrorFacts
}

interface Vector {
  /** Offset of the first element. */
  readonly at: number
  readonly length: number
}

/**
 * Units of work that reading a table, or a vector or string beside its bytes, costs, and units that a file of n bytes
 * may use: `UNITS_PER_BYTE * n + UNITS_FREE`. Real files use up to 2.5 a byte (offsets, vtables and constants cost
 * nothing or little); only parts that many others share go beyond, and without a bound they would make a small
 * file grow to any size as it is read.
 */
const TABLE_UNITS = 64
const VECTOR_UNITS = 16
const UNITS_PER_BYTE = 8
const UNITS_FREE = 1 << 16

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `file: CONV_2D #3: tensor weights: … (at byte 120)`: what is read, where, what is wrong. */
function failure(
  source: Source,
  code: ErrorCode,
  message: string,
  offset: number,
  facts: ErrorFacts,
): LowbitError {
  const { operator, tensor } = facts
  const where = [source.name, operator, tensor === undefined ? undefined : `tensor ${tensor}`]
  const text = [...where.filter((part) => part !== undefined), message].join(': ')
  return new LowbitError(code, `${text} (at byte ${offset})`, { ...facts, offset })
}

/** `FILE_INVALID`, about the bytes at `offset`. */
export function invalid(
  source: Source,
  message: string,
  offset: number,
  facts: ErrorFacts = {},
): LowbitError {
  return failure(source, 'FILE_INVALID', message, offset, facts)
}

/** An error about a table that says something impossible. */
export function broken(table: Table, message: string, code: ErrorCode = 'FILE_INVALID'): LowbitError {
  return failure(table.source, code, message, table.at, table.facts)
}

/** `FILE_TRUNCATED`: `what` would end at byte `end`. */
function truncated(
  source: Source,
  what: string,
  end: number,
  offset: number,
  facts: ErrorFacts,
): LowbitError {
  const length = source.bytes.length
  const message = `${what} ends at byte ${end}, the ${source.name} at byte ${length}`
  return failure(source, 'FILE_TRUNCATED', message, offset, { ...facts, expected: end, actual: length })
}

/** Uses up units of the budget, before the memory that they stand for is taken. */
export function spend(source: Source, units: number, offset: number, facts: ErrorFacts = {}): void {
  source.budget.left -= units
  if (source.budget.left < 0) throw overspent(source, offset, facts)
}

function overspent(source: Source, offset: number, facts: ErrorFacts): LowbitError {
  const message = 'the same bytes are used over and over, more often than any honest file'
  return invalid(source, message, offset, facts)
}

/**
 * Opens the root table.
 *
 * @param identifier The four characters that must stand at byte 4.
 * @param name What the bytes are, for messages.
 * @param defects Takes the errors of records that are read by `attempt`.
 * @throws {LowbitError} `FILE_TRUNCATED`, or `FILE_INVALID` for another identifier.
 */
export function openRoot(
  bytes: Uint8Array,
  identifier: string,
  name: string,
  defects?: LowbitError[],
): Table {
  const source: Source = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    name,
    budget: { left: bytes.length * UNITS_PER_BYTE + UNITS_FREE },
    defects,
  }
  if (bytes.length < 8) throw truncated(source, 'the header', 8, 0, {})
  const found = String.fromCharCode(...bytes.subarray(4, 8))
  if (found !== identifier) {
    throw invalid(source, `identifier "${identifier}" expected, ${JSON.stringify(found)} came`, 4)
  }
  return openTable(source, source.view.getUint32(0, true), {})
}

/** The same table, its errors telling more. */
export function withFacts(table: Table, facts: ErrorFacts): Table {
  return { ...table, facts: { ...table.facts, ...facts } }
}

function openTable(source: Source, at: number, facts: ErrorFacts): Table {
  const { view } = source
  const length = source.bytes.length
  source.budget.left -= TABLE_UNITS // by hand, as in `locateVector`: small functions this hot go to V8's optimiser
  if (source.budget.left < 0) throw overspent(source, at, facts)
  if (at + 4 > length) throw truncated(source, 'a table', at + 4, at, facts)
  const vtable = at - view.getInt32(at, true)
  if (vtable < 0) throw invalid(source, `a vtable lies at byte ${vtable}, before the file`, at, facts)
  if (vtable + 4 > length) throw truncated(source, 'a vtable', vtable + 4, at, facts)
  const vtableSize = view.getUint16(vtable, true)
  if (vtableSize < 4 || vtableSize % 2 !== 0) {
    throw invalid(source, `a vtable has ${vtableSize} bytes, an even number from 4 is needed`, vtable, facts)
  }
  if (vtable + vtableSize > length) throw truncated(source, 'a vtable', vtable + vtableSize, vtable, facts)
  const size = view.getUint16(vtable + 2, true)
  if (size < 4) throw invalid(source, `a table has ${size} bytes, at least 4 are needed`, vtable, facts)
  if (at + size > length) throw truncated(source, 'a table', at + size, at, facts)
  return { source, at, size, vtable, slots: (vtableSize - 4) / 2, facts }
}

/** Offset of a field in the file; 0 if the table lacks it. */
function locate(table: Table, slot: number, bytes: number): number {
  if (slot >= table.slots) return 0
  const entry = table.vtable + 4 + 2 * slot
  const offset = table.source.view.getUint16(entry, true)
  if (offset === 0) return 0
  if (offset < 4 || offset + bytes > table.size) {
    const where = `field ${slot} of ${bytes} bytes lies at ${offset} in a table of ${table.size} bytes`
    throw invalid(table.source, where, entry, table.facts)
  }
  return table.at + offset
}

export function has(table: Table, slot: number): boolean {
  return locate(table, slot, 1) !== 0
}

export function readBool(table: Table, slot: number, fallback = false): boolean {
  const at = locate(table, slot, 1)
  return at === 0 ? fallback : table.source.view.getUint8(at) !== 0
}

export function readInt8(table: Table, slot: number, fallback = 0): number {
  const at = locate(table, slot, 1)
  return at === 0 ? fallback : table.source.view.getInt8(at)
}

export function readUint8(table: Table, slot: number): number {
  const at = locate(table, slot, 1)
  return at === 0 ? 0 : table.source.view.getUint8(at)
}

export function readInt32(table: Table, slot: number, fallback = 0): number {
  const at = locate(table, slot, 4)
  return at === 0 ? fallback : table.source.view.getInt32(at, true)
}

export function readUint32(table: Table, slot: number): number {
  const at = locate(table, slot, 4)
  return at === 0 ? 0 : table.source.view.getUint32(at, true)
}

export function readFloat32(table: Table, slot: number, fallback = 0): number {
  const at = locate(table, slot, 4)
  return at === 0 ? fallback : table.source.view.getFloat32(at, true)
}

/** Any signed 64-bit integer. */
export function readBigInt64(table: Table, slot: number): bigint {
  const at = locate(table, slot, 8)
  return at === 0 ? 0n : table.source.view.getBigInt64(at, true)
}

/** A signed 64-bit integer that a number holds exactly. */
export function readInt64(table: Table, slot: number): number {
  const at = locate(table, slot, 8)
  return at === 0 ? 0 : safe(table, table.source.view.getBigInt64(at, true), at)
}

/** An unsigned 64-bit integer that a number holds exactly. */
export function readUint64(table: Table, slot: number): number {
  const at = locate(table, slot, 8)
  return at === 0 ? 0 : safe(table, table.source.view.getBigUint64(at, true), at)
}

function safe(table: Table, value: bigint, at: number): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw invalid(table.source, `${value} is beyond 2^53`, at, table.facts)
}

/** Follows the offset that stands at `at`. */
function follow(source: Source, at: number, what: string, facts: ErrorFacts): number {
  const offset = source.view.getUint32(at, true)
  if (offset === 0) throw invalid(source, `the offset of ${what} is 0`, at, facts)
  if (at + offset + 4 > source.bytes.length) throw truncated(source, what, at + offset + 4, at, facts)
  return at + offset
}

/** A field that is a table; undefined if absent. */
export function readTable(table: Table, slot: number): Table | undefined {
  const at = locate(table, slot, 4)
  if (at === 0) return undefined
  return openTable(table.source, follow(table.source, at, 'a table', table.facts), table.facts)
}

function vectorAt(source: Source, at: number, bytes: number, what: string, facts: ErrorFacts): Vector {
  const length = source.view.getUint32(at, true)
  const end = at + 4 + length * bytes
  if (end > source.bytes.length) throw truncated(source, what, end, at, facts)
  return { at: at + 4, length }
}

/** A field that is a vector of elements of `bytes` bytes, which will be copied. */
function locateVector(table: Table, slot: number, bytes: number): Vector | undefined {
  const at = locate(table, slot, 4)
  if (at === 0) return undefined
  const { source, facts } = table
  const vector = vectorAt(source, follow(source, at, 'a vector', facts), bytes, 'a vector', facts)
  source.budget.left -= VECTOR_UNITS + vector.length * bytes
  if (source.budget.left < 0) throw overspent(source, vector.at, facts)
  return vector
}

/**
 * Reads something that means something by itself: where defects are collected, its error is one of them, and `instead`
 * the result. A file that has used up its budget is not read on.
 */
export function attempt<T>({ source: { defects, budget } }: Table, read: () => T, instead: T): T {
  if (defects === undefined) return read()
  try {
    return read()
  } catch (error) {
    if (!(error instanceof LowbitError) || budget.left < 0) throw error
    defects.push(error)
    return instead
  }
}

/** A defect that keeps nothing from being read: one of those collected, or the end of the reading. */
export function report({ source: { defects } }: Table, error: LowbitError): void {
  if (defects === undefined) throw error
  defects.push(error)
}

/** Elements of a vector of tables. */
export function readCount(table: Table, slot: number): number {
  const at = locate(table, slot, 4)
  if (at === 0) return 0
  const { source, facts } = table
  return vectorAt(source, follow(source, at, 'a vector', facts), 4, 'a vector', facts).length
}

/** The tables of a vector as `read` has them, each by itself an `attempt`. */
export function readRecords<T>(
  table: Table,
  slot: number,
  read: (record: Table, index: number) => T,
  instead: T,
  facts: (index: number) => ErrorFacts = () => ({}),
): readonly T[] {
  const { source } = table
  const vector = locateVector(table, slot, 4)
  return Array.from({ length: vector?.length ?? 0 }, (_, index) => {
    const all = { ...table.facts, ...facts(index) }
    const open = () => openTable(source, follow(source, (vector?.at ?? 0) + 4 * index, 'a table', all), all)
    return attempt(table, () => read(open(), index), instead)
  })
}

/** The tables of a vector, opened. */
export function readTables(table: Table, slot: number): readonly Table[] {
  const { source, facts } = table
  const vector = locateVector(table, slot, 4)
  return Array.from({ length: vector?.length ?? 0 }, (_, index) =>
    openTable(source, follow(source, (vector?.at ?? 0) + 4 * index, 'a table', facts), facts),
  )
}

/** A copy of a vector; empty if absent. `read` gets the offset of each element. */
function copy<T>(table: Table, slot: number, bytes: number, read: (view: DataView, at: number) => T): T[] {
  const vector = locateVector(table, slot, bytes)
  if (vector === undefined) return []
  const { view } = table.source
  const elements = new Array<T>(vector.length)
  for (let i = 0; i < elements.length; i++) elements[i] = read(view, vector.at + bytes * i)
  return elements
}

export function readBools(table: Table, slot: number): readonly number[] {
  return copy(table, slot, 1, (view, at) => (view.getUint8(at) === 0 ? 0 : 1))
}

export function readInt32s(table: Table, slot: number): readonly number[] {
  return copy(table, slot, 4, (view, at) => view.getInt32(at, true))
}

export function readInt64s(table: Table, slot: number): readonly number[] {
  return copy(table, slot, 8, (view, at) => safe(table, view.getBigInt64(at, true), at))
}

export function readFloat32s(table: Table, slot: number): readonly number[] {
  return copy(table, slot, 4, (view, at) => view.getFloat32(at, true))
}

/** A copy of the bytes of a vector, whose elements have `bytes` bytes: for long ones, of an entry for each channel. */
export function readCopy(table: Table, slot: number, bytes: number): ArrayBuffer {
  const vector = locateVector(table, slot, bytes)
  if (vector === undefined) return new ArrayBuffer(0)
  const { at, length } = vector
  return new Uint8Array(table.source.bytes.subarray(at, at + length * bytes)).buffer
}

/** A vector of bytes as a view, not copied; undefined if absent. */
export function readBytes(table: Table, slot: number): Uint8Array | undefined {
  const at = locate(table, slot, 4)
  if (at === 0) return undefined
  const { source, facts } = table
  const vector = vectorAt(source, follow(source, at, 'a byte vector', facts), 1, 'a byte vector', facts)
  return source.bytes.subarray(vector.at, vector.at + vector.length)
}

/** Bytes that lie outside the flatbuffer proper, as files beyond 2 GB keep them; `at` is where they are announced. */
export function outsideBytes(source: Source, offset: number, size: number, facts: ErrorFacts): Uint8Array {
  if (offset + size > source.bytes.length) {
    throw truncated(source, 'data outside the flatbuffer', offset + size, offset, facts)
  }
  return source.bytes.subarray(offset, offset + size)
}

/** A string; undefined if absent. */
export function readString(table: Table, slot: number): string | undefined {
  const vector = locateVector(table, slot, 1)
  if (vector === undefined) return undefined
  const { source, facts } = table
  try {
    return UTF8.decode(source.bytes.subarray(vector.at, vector.at + vector.length))
  } catch (cause) {
    throw invalid(source, 'a string is not UTF-8', vector.at, { ...facts, cause })
  }
}
