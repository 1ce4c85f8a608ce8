// Reads the scalars of a FlexBuffer map: the options of custom operators. Every offset is checked, since the bytes are a
// stranger's.
//
// Source: FlatBuffers' own description, "FlexBuffers" (docs, internals): values are addressed backwards from where an
// offset stands; the last three bytes are the root, its packed type and its width.

import { LowbitError } from '../errors.js'

/** Numbers of the types that are read here. */
const TYPE = {
  null: 0,
  int: 1,
  uint: 2,
  float: 3,
  indirectInt: 6,
  indirectUint: 7,
  indirectFloat: 8,
  map: 9,
  bool: 26,
} as const

/** Entries beyond this are refused, as no operator here has as many options. */
const MOST_ENTRIES = 1024
const MOST_NAME = 256

/**
 * Names and values of the entries of a map that are numbers or booleans; others are left out.
 *
 * @throws {LowbitError} `FILE_INVALID` if the bytes are no map, or an offset leads out of them.
 */
export function readFlexMap(bytes: Uint8Array): ReadonlyMap<string, number | boolean> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const broken = (what: string) => new LowbitError('FILE_INVALID', `custom options: ${what}`)
  const check = (at: number, size: number): void => {
    if (at < 0 || size < 0 || at + size > bytes.length) throw broken(`byte ${at} lies outside of them`)
  }
  const uint = (at: number, width: number): number => {
    check(at, width)
    if (width === 1) return view.getUint8(at)
    if (width === 2) return view.getUint16(at, true)
    if (width === 4) return view.getUint32(at, true)
    return Number(view.getBigUint64(at, true))
  }
  const int = (at: number, width: number): number => {
    check(at, width)
    if (width === 1) return view.getInt8(at)
    if (width === 2) return view.getInt16(at, true)
    if (width === 4) return view.getInt32(at, true)
    return Number(view.getBigInt64(at, true))
  }
  const float = (at: number, width: number): number => {
    check(at, width)
    if (width === 4) return view.getFloat32(at, true)
    if (width === 8) return view.getFloat64(at, true)
    throw broken(`a real number of ${width} bytes`)
  }
  /** Where the offset at some place leads. */
  const follow = (at: number, width: number): number => {
    const target = at - uint(at, width)
    check(target, 1)
    return target
  }
  const widthOf = (packed: number) => 1 << (packed & 3)

  if (bytes.length < 3) throw broken('they are too short')
  const rootWidth = uint(bytes.length - 1, 1)
  if (![1, 2, 4, 8].includes(rootWidth)) throw broken(`a root of ${rootWidth} bytes`)
  const rootType = uint(bytes.length - 2, 1)
  if (rootType >> 2 !== TYPE.map) throw broken('they are no map')
  const values = follow(bytes.length - 2 - rootWidth, rootWidth)
  const width = widthOf(rootType)
  const count = uint(values - width, width)
  const keyWidth = uint(values - 2 * width, width)
  const keys = follow(values - 3 * width, width)
  if (count > MOST_ENTRIES) throw broken(`${count} entries`)
  if (![1, 2, 4, 8].includes(keyWidth)) throw broken(`names of ${keyWidth} bytes`)

  const name = (at: number): string => {
    const end = bytes.indexOf(0, at)
    if (end < 0 || end - at > MOST_NAME) throw broken('a name has no end')
    return new TextDecoder().decode(bytes.subarray(at, end))
  }
  const entries = new Map<string, number | boolean>()
  for (let i = 0; i < count; i++) {
    const at = values + i * width
    const packed = uint(values + count * width + i, 1)
    const read = (): number | boolean | undefined => {
      switch (packed >> 2) {
        case TYPE.int:
          return int(at, width)
        case TYPE.uint:
          return uint(at, width)
        case TYPE.float:
          return float(at, width)
        case TYPE.bool:
          return uint(at, width) !== 0
        case TYPE.indirectInt:
          return int(follow(at, width), widthOf(packed))
        case TYPE.indirectUint:
          return uint(follow(at, width), widthOf(packed))
        case TYPE.indirectFloat:
          return float(follow(at, width), widthOf(packed))
        default:
          return undefined
      }
    }
    const value = read()
    if (value !== undefined) entries.set(name(follow(keys + i * keyWidth, keyWidth)), value)
  }
  return entries
}
