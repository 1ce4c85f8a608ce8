// Reads files of zip archives.
// Format: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end record).

import type { LowbitError } from '../errors.js'

const END_SIGNATURE = 0x06054b50
const END_BYTES = 22
const MAX_COMMENT = 0xffff
const ENTRY_SIGNATURE = 0x02014b50
const ENTRY_BYTES = 46
const LOCAL_SIGNATURE = 0x04034b50
const LOCAL_BYTES = 30
const STORED = 0
const DEFLATED = 8

/** Loaded for files with an archive alone. */
const zlib = () => process.getBuiltinModule('node:zlib')

/** Makes the error of a broken archive. */
export type Broken = (message: string, offset: number, cause?: unknown) => LowbitError

interface Entry {
  readonly method: number
  readonly isEncrypted: boolean
  readonly crc: number
  /** Bytes as stored and as unpacked. */
  readonly packed: number
  readonly unpacked: number
  /** Where its local header lies in the file. */
  readonly at: number
}

export interface Zip {
  /** Of its files, in the order of its directory. */
  readonly names: readonly string[]
  /** Offset of the end record. */
  readonly end: number
  /**
   * A file's content; undefined if there is none of the name.
   *
   * @param limit Most bytes that it may unpack to.
   */
  read(name: string, limit: number): Uint8Array | undefined
}

/**
 * The archive that ends where the bytes end; other things may stand before it.
 *
 * @param broken Gives what is thrown for a broken archive, and for a file that is packed in an unknown way or is larger
 *   than its limit.
 * @returns Undefined if there is no archive.
 */
export function openZip(bytes: Uint8Array, broken: Broken): Zip | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = findEnd(view)
  if (end === undefined) return undefined
  const entries = readDirectory(bytes, view, end, broken)
  return {
    names: [...entries.keys()],
    end,
    read(name, limit) {
      const entry = entries.get(name)
      return entry && unpack(bytes, view, entry, limit, broken)
    },
  }
}

/** The end record: its comment runs to the last byte of the file. */
function findEnd(view: DataView): number | undefined {
  const first = Math.max(0, view.byteLength - END_BYTES - MAX_COMMENT)
  for (let at = view.byteLength - END_BYTES; at >= first; at--) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue
    if (at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength) return at
  }
  return undefined
}

function readDirectory(
  bytes: Uint8Array,
  view: DataView,
  end: number,
  broken: Broken,
): ReadonlyMap<string, Entry> {
  const count = view.getUint16(end + 10, true)
  const size = view.getUint32(end + 12, true)
  const start = end - size
  // Offsets count from the start of the file or of the archive, as the tool likes; the directory ends where the end
  // record starts, which tells by how much they are shifted.
  const shift = start - view.getUint32(end + 16, true)
  if (start < 0 || shift < 0) throw broken('its directory lies outside the file', end)
  const entries = new Map<string, Entry>()
  let at = start
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY_SIGNATURE) {
      throw broken(`entry ${i} of its directory is none`, at)
    }
    const nameEnd = at + ENTRY_BYTES + view.getUint16(at + 28, true)
    const next = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    if (next > end) throw broken(`entry ${i} of its directory runs beyond it`, at)
    const name = new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, nameEnd))
    if (!entries.has(name)) {
      entries.set(name, {
        method: view.getUint16(at + 10, true),
        isEncrypted: (view.getUint16(at + 8, true) & 1) !== 0,
        crc: view.getUint32(at + 16, true),
        packed: view.getUint32(at + 20, true),
        unpacked: view.getUint32(at + 24, true),
        at: view.getUint32(at + 42, true) + shift,
      })
    }
    at = next
  }
  return entries
}

function unpack(bytes: Uint8Array, view: DataView, entry: Entry, limit: number, broken: Broken): Uint8Array {
  const { at, packed, unpacked, method } = entry
  if (at + LOCAL_BYTES > bytes.length || view.getUint32(at, true) !== LOCAL_SIGNATURE) {
    throw broken('a file does not start where the directory says', at)
  }
  if (entry.isEncrypted) throw broken('a file is encrypted', at)
  if (unpacked > limit) throw broken(`a file has ${unpacked} bytes, at most ${limit} are read`, at)
  const start = at + LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true)
  if (start + packed > bytes.length) throw broken('a file runs beyond the end', at)
  const content = bytes.subarray(start, start + packed)
  const data =
    method === STORED ? content : method === DEFLATED ? inflate(content, limit, at, broken) : undefined
  if (data === undefined) throw broken(`a file is packed by method ${method}; 0 and 8 are known`, at)
  if (data.length !== unpacked) throw broken(`a file has ${data.length} bytes, ${unpacked} announced`, at)
  if (zlib().crc32(data) !== entry.crc) throw broken('a file does not have the checksum announced', at)
  return data
}

function inflate(content: Uint8Array, limit: number, at: number, broken: Broken): Uint8Array {
  try {
    return zlib().inflateRawSync(content, { maxOutputLength: limit })
  } catch (cause) {
    throw broken('a file cannot be unpacked', at, cause)
  }
}
