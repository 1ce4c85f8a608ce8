// NumPy's .npy files, versions 1 to 3: one array each.

import { LowbitError } from '../errors.js'
import type { Dtype, TypedArray } from '../tensor/dtype.js'
import { elementCount, type Shape, shapeText } from '../tensor/shape.js'

export interface NpyArray {
  readonly shape: Shape
  readonly dtype: Dtype
  /** Row-major, in this machine's byte order. float16 as bits, bool as 0 and 1. */
  readonly data: TypedArray
}

const MAGIC = '\x93NUMPY'

/** By NumPy's letter and bytes an element. */
const TYPES = {
  b1: ['bool', Uint8Array],
  i1: ['int8', Int8Array],
  u1: ['uint8', Uint8Array],
  i2: ['int16', Int16Array],
  u2: ['uint16', Uint16Array],
  i4: ['int32', Int32Array],
  u4: ['uint32', Uint32Array],
  i8: ['int64', BigInt64Array],
  u8: ['uint64', BigUint64Array],
  f2: ['float16', Uint16Array],
  f4: ['float32', Float32Array],
  f8: ['float64', Float64Array],
} as const satisfies Record<string, readonly [Dtype, unknown]>

/**
 * Reads an array.
 *
 * @param name For messages.
 * @throws {LowbitError} `DATA_INVALID` for what is no such file, is cut short, or is of another type or order of
 *   elements (objects, texts, complex numbers; Fortran's order of more than one dimension).
 * @see numpy.lib.format: magic, version, length of the header, a Python dictionary, the elements.
 */
export function readNpy(bytes: Uint8Array, name: string): NpyArray {
  const fail = (message: string, actual?: unknown) =>
    new LowbitError('DATA_INVALID', `${name}: ${message}`, { actual })
  const latin1 = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1')
  if (latin1(0, 6) !== MAGIC) throw fail('it is no .npy file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const major = bytes[6] ?? 0
  if (major < 1 || major > 3) throw fail(`version ${major} of the format; 1 to 3 are read`, major)
  const start = major === 1 ? 10 : 12
  if (bytes.length < start) throw fail('it ends in its header')
  const end = start + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (end > bytes.length) throw fail('it ends in its header')
  const { descr, isFortran, shape } = readHeader(latin1(start, end), fail)

  const [, order = '', kind = ''] = /^([<>|=])([a-z]\d{1,2})$/.exec(descr) ?? []
  const type = TYPES[kind as keyof typeof TYPES]
  if (type === undefined) throw fail(`elements of type ${descr}; numbers and booleans are read`, descr)
  if (isFortran && shape.filter((extent) => extent !== 1).length > 1) {
    throw fail("its elements are in Fortran's order; numpy.ascontiguousarray turns them", 'fortran_order')
  }
  const [dtype, Elements] = type
  const count = elementCount(shape)
  const size = Elements.BYTES_PER_ELEMENT
  if (!Number.isSafeInteger(count * size) || count * size > bytes.length - end) {
    throw fail(`${bytes.length - end} bytes hold no ${shapeText(shape)} of ${dtype}`, bytes.length - end)
  }
  // A copy: also of a Buffer, whose own `slice` makes none.
  const stored = new Uint8Array(bytes.subarray(end, end + count * size))
  const isLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
  if (size > 1 && ((order === '>' && isLittle) || (order === '<' && !isLittle))) {
    for (let at = 0; at < stored.length; at += size) stored.subarray(at, at + size).reverse()
  }
  return { shape, dtype, data: new Elements(stored.buffer, 0, count) }
}

/** The three entries of `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }`, in any order. */
function readHeader(text: string, fail: (message: string, actual?: unknown) => LowbitError) {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1]
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1]
  const shape = /'shape'\s*:\s*\(([\d,\sL]*)\)/.exec(text)?.[1]
  if (descr === undefined || fortran === undefined || shape === undefined) {
    throw fail('its header does not say type, order and shape', text.slice(0, 80))
  }
  const extents = shape
    .split(',')
    .map((extent) => extent.trim())
    .filter((extent) => extent !== '')
    .map((extent) => Number(extent.replace(/L$/, '')))
  if (!extents.every(Number.isSafeInteger)) throw fail('its header has a shape that is none', shape)
  return { descr, isFortran: fortran === 'True', shape: extents }
}
