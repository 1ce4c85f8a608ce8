// Between the arrays of callers and the bytes of native code: one port for each input and output of a model.

import { LowbitError } from '../errors.js'
import { quantizeAffine } from '../numerics/affine.js'
import { arrayOf, byteLength, type Dtype, type TypedArray } from '../tensor/dtype.js'
import { packCodes, unpackCodes } from '../tensor/packed.js'
import { elementCount, shapeText } from '../tensor/shape.js'
import type { TensorInfo } from '../tensor/tensor.js'

/**
 * Elements of an input, row-major, in the typed array that its type has (`Tensor.data` lists them). A quantised input
 * (int4, int8, uint8, int16, with one scale) also takes a Float32Array of real values, which are rounded as TFLite's
 * QUANTIZE does.
 */
export type TensorData = TypedArray

/** What a run needs to know of one input or output; made once a model. */
export interface Port {
  readonly info: TensorInfo
  readonly elements: number
  /** Name of the class of its arrays (`Int8Array`), which arrays of other realms have too. */
  readonly tag: string
  /** Bits of a code where native code keeps several in a byte. */
  readonly packed: 2 | 4 | undefined
  /** Of native code's form, aligned to nothing. */
  readonly bytes: number
  /** A new array, or one over a buffer. */
  create(buffer?: ArrayBuffer, offset?: number): TypedArray
}

const typedArray = Object.getPrototypeOf(Int8Array.prototype) as object
const getterOf = (key: PropertyKey) =>
  Object.getOwnPropertyDescriptor(typedArray, key)?.get as (this: unknown) => unknown
/** Undefined for all that is no typed array. */
const tagGetter = getterOf(Symbol.toStringTag)
const lengthGetter = getterOf('length')

/** Elements of an array as they are now, whatever properties of its own it has; undefined for all that is no typed array. */
export const lengthOf = (array: unknown) =>
  tagGetter.call(array) === undefined ? undefined : lengthGetter.call(array)

/** Lowest and highest code of the types that real values can be rounded to. */
const CODES: Partial<Record<Dtype, readonly [number, number]>> = {
  int2: [-2, 1],
  int4: [-8, 7],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
}

/** @throws {LowbitError} `DTYPE_UNSUPPORTED` for types without typed arrays (strings, resources). */
export function portOf(info: TensorInfo): Port {
  const { name, dtype, shape } = info
  const Elements = arrayOf(dtype)
  const bytes = byteLength(dtype, shape)
  if (Elements === undefined || bytes === undefined) {
    const message = `tensor "${name}" is of type ${dtype}, which lowbit does not run`
    throw new LowbitError('DTYPE_UNSUPPORTED', message, { tensor: name, actual: dtype })
  }
  const packed = dtype === 'int4' ? 4 : dtype === 'int2' ? 2 : undefined
  // Complex numbers are two entries each.
  const elements = packed === undefined ? bytes / new Elements(0).BYTES_PER_ELEMENT : elementCount(shape)
  const create = (buffer?: ArrayBuffer, offset?: number) =>
    buffer === undefined ? new Elements(elements) : new Elements(buffer, offset, elements)
  return { info, elements, bytes, tag: Elements.name, packed, create }
}

/**
 * The bytes that native code reads for an input: the caller's own array where it fits as it is.
 *
 * @throws {LowbitError} `DTYPE_MISMATCH` for another class of array, `SHAPE_MISMATCH` for another length, `NOT_FINITE`
 *   for NaN where codes are wanted, `OPTION_INVALID` for no array at all, a resizable buffer or codes out of range.
 */
export function inputView(port: Port, data: TensorData): ArrayBufferView {
  if (port.packed === undefined && fits(port, data)) return data
  return convert(port, data)
}

/** The slow way: everything that is not an array of the right class over an ordinary buffer. */
function convert(port: Port, data: TensorData): ArrayBufferView {
  const { info, tag, elements } = port
  const given = tagOf(port, data, 'input')
  const codes = given === 'Float32Array' && tag !== 'Float32Array' ? codesOf(info) : undefined
  if (given !== tag && codes === undefined) {
    const wanted = codesOf(info) === undefined ? tag : `${tag}, or Float32Array of real values,`
    const message = `input "${info.name}" is ${info.dtype}: ${wanted} expected, ${given} given`
    throw new LowbitError('DTYPE_MISMATCH', message, { tensor: info.name, expected: tag, actual: given })
  }
  checkLength(port, data, 'input')
  if (isResizable(data.buffer)) throw resizable(info, 'input')
  let array = port.create()
  if (codes === undefined) {
    // Copies what lies in shared memory once, so that other threads cannot change it between check and use.
    array = new (array.constructor as new (from: TypedArray) => TypedArray)(data)
  } else {
    try {
      quantizeAffine(data as Float32Array, codes, array as Int8Array)
    } catch (error) {
      if (!(error instanceof LowbitError)) throw error
      const message = `input "${info.name}": ${error.message}`
      throw new LowbitError(error.code, message, { tensor: info.name, actual: error.actual })
    }
  }
  if (array.length !== elements) throw wrongLength(port, 'input', array.length)
  return port.packed === undefined ? array : pack(port, array as Int8Array, port.packed)
}

/**
 * Checks an array that a caller gives for an output.
 *
 * @throws {LowbitError} `DTYPE_MISMATCH`, `SHAPE_MISMATCH`; `OPTION_INVALID` for a shared or resizable buffer.
 */
export function checkOutput(port: Port, data: TypedArray): void {
  if (fits(port, data)) return
  const { info, tag } = port
  const given = tagOf(port, data, 'output')
  if (given !== tag) {
    const message = `output "${info.name}" is ${info.dtype}: ${tag} expected, ${given} given`
    throw new LowbitError('DTYPE_MISMATCH', message, { tensor: info.name, expected: tag, actual: given })
  }
  checkLength(port, data, 'output')
  if (isResizable(data.buffer)) throw resizable(info, 'output')
  if (Object.prototype.toString.call(data.buffer) === '[object SharedArrayBuffer]') {
    const message = `output "${info.name}": its buffer is shared between threads; an ordinary one expected`
    throw new LowbitError('OPTION_INVALID', message, { tensor: info.name })
  }
}

/** An array of the right class and length over an ordinary buffer, whatever properties of its own it has. */
function fits({ tag, elements }: Port, data: TypedArray): boolean {
  if (tagGetter.call(data) !== tag || lengthGetter.call(data) !== elements) return false
  const { buffer } = data as { buffer: ArrayBuffer & { resizable?: boolean } }
  // Shared memory has no such property; nor have ArrayBuffers of old.
  return buffer.resizable === false || (buffer.resizable === undefined && buffer instanceof ArrayBuffer)
}

/** Where native code writes an output: the array itself, or room for packed codes. */
export function outputView({ packed, elements }: Port, array: TypedArray): ArrayBufferView {
  return packed === undefined ? array : new Uint8Array(Math.ceil((elements * packed) / 8))
}

/** Brings packed codes from native code's view into the array. */
export function finishOutput({ packed }: Port, view: ArrayBufferView, array: TypedArray): void {
  if (packed !== undefined) unpackCodes(view as Uint8Array, packed, array as Int8Array)
}

function codesOf({ dtype, quantization }: TensorInfo) {
  const range = CODES[dtype]
  const scale = quantization?.scale[0]
  if (range === undefined || scale === undefined || quantization?.scale.length !== 1) return undefined
  return { scale, zeroPoint: quantization.zeroPoint[0] ?? 0, low: range[0], high: range[1] }
}

function pack({ info }: Port, codes: Int8Array, bits: 2 | 4): Uint8Array {
  const [low, high] = CODES[info.dtype] as readonly [number, number]
  const stray = codes.find((code) => code < low || code > high)
  if (stray !== undefined) {
    const message = `input "${info.name}" is ${info.dtype}: codes from ${low} to ${high} expected, ${stray} given`
    throw new LowbitError('OPTION_INVALID', message, { tensor: info.name, actual: stray })
  }
  return packCodes(codes, bits)
}

function tagOf({ info, tag }: Port, data: unknown, role: string): string {
  const given = tagGetter.call(data)
  if (given !== undefined) return given as string
  const message = `${role} "${info.name}": a typed array (${tag}) expected`
  const actual = Array.isArray(data) ? 'array' : typeof data
  throw new LowbitError('OPTION_INVALID', message, { tensor: info.name, expected: tag, actual })
}

function checkLength(port: Port, data: TypedArray, role: string): void {
  const length = lengthGetter.call(data) as number
  if (length !== port.elements) throw wrongLength(port, role, length)
}

function wrongLength({ info, elements }: Port, role: string, actual: number): LowbitError {
  const detached = actual === 0 ? ' (empty, or its buffer was transferred)' : ''
  const message = `${role} "${info.name}" of shape ${shapeText(info.shape)}: ${elements} elements expected, ${actual} given${detached}`
  return new LowbitError('SHAPE_MISMATCH', message, { tensor: info.name, expected: elements, actual })
}

function resizable({ name }: TensorInfo, role: string): LowbitError {
  const message = `${role} "${name}": its buffer can change its size; one of fixed size expected`
  return new LowbitError('OPTION_INVALID', message, { tensor: name })
}

/** Resizable ArrayBuffers and growable SharedArrayBuffers. */
function isResizable(buffer: ArrayBufferLike): boolean {
  const { resizable, growable } = buffer as { resizable?: boolean; growable?: boolean }
  return resizable === true || growable === true
}
