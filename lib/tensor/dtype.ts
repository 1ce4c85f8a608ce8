// Data types of tensors: their names, sizes and typed arrays.

import { elementCount, type Shape } from './shape.js'

export const DTYPES = [
  'bool',
  'int2',
  'int4',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
  'complex128',
  'string',
  'resource',
  'variant',
] as const
export type Dtype = (typeof DTYPES)[number]

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

/** Bits that one element takes as stored; undefined where elements have no fixed size. */
const BITS: Partial<Record<Dtype, number>> = {
  bool: 8,
  int2: 2,
  int4: 4,
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  float16: 16,
  bfloat16: 16,
  float32: 32,
  float64: 64,
  complex64: 64,
  complex128: 128,
}

export function bitsOf(dtype: Dtype): number | undefined {
  return BITS[dtype]
}

/** Bytes of a stored tensor: int4 and int2 are packed, the last byte padded. Undefined for strings, resources and variants. */
export function byteLength(dtype: Dtype, shape: Shape): number | undefined {
  const bits = BITS[dtype]
  return bits === undefined ? undefined : Math.ceil((elementCount(shape) * bits) / 8)
}

type ArrayClass = {
  new (length: number): TypedArray
  new (buffer: ArrayBufferLike, offset?: number, length?: number): TypedArray
}

/** The typed array that carries a dtype in the public API: one element an entry (int4 and int2 as Int8Array). */
const ARRAYS: Partial<Record<Dtype, ArrayClass>> = {
  bool: Uint8Array,
  int2: Int8Array,
  int4: Int8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
}

export function arrayOf(dtype: Dtype): ArrayClass | undefined {
  return ARRAYS[dtype]
}
