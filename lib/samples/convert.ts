// Numbers of a file as the data of an input.

import type { NpyArray } from '../data/npy.js'
import { LowbitError } from '../errors.js'
import { fromHalf } from '../numerics/half.js'
import { arrayOf, type TypedArray } from '../tensor/dtype.js'
import { elementCount, shapeText } from '../tensor/shape.js'
import type { TensorInfo } from '../tensor/tensor.js'

/** How many inputs of this shape an array holds. */
export function samplesIn(array: NpyArray, info: TensorInfo, name: string): number {
  const size = elementCount(info.shape)
  const samples = array.data.length / size
  if (!Number.isInteger(samples) || samples === 0) {
    const message = `${name}: an array ${shapeText(array.shape)} holds no inputs "${info.name}" of shape ${shapeText(info.shape)}`
    throw new LowbitError('SHAPE_MISMATCH', message, { expected: info.shape, actual: array.shape })
  }
  return samples
}

/**
 * Sample `index` of an array. Elements of the input's own type are taken as they are; of another type they are real values,
 * which a quantised input rounds to its codes when it is run.
 *
 * @throws {LowbitError} `NOT_FINITE`; `DTYPE_MISMATCH` for an input that takes neither these numbers nor real ones.
 */
export function sampleOf(array: NpyArray, index: number, info: TensorInfo, name: string): TypedArray {
  const size = elementCount(info.shape)
  const data = array.data.subarray(index * size, (index + 1) * size)
  const where = `${name}, sample ${index}`
  if (array.dtype === info.dtype) {
    if (data instanceof Float32Array) checkFinite(data, where)
    return data
  }
  if (info.dtype === 'float32' || info.quantization !== undefined) {
    const reals = realsOf(data, array.dtype === 'float16')
    checkFinite(reals, where)
    return reals
  }
  return wholeNumbers(data, info, where)
}

function realsOf(data: TypedArray, isHalf: boolean): Float32Array {
  if (isHalf) return Float32Array.from(data as Uint16Array, fromHalf)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Float32Array.from(data as BigInt64Array, Number)
  }
  return Float32Array.from(data)
}

/** @throws {LowbitError} `NOT_FINITE` for NaN and infinities. */
export function checkFinite(data: Float32Array, where: string): void {
  const at = data.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return
  const message = `${where}: element ${at} is ${data[at]}, a finite number expected`
  throw new LowbitError('NOT_FINITE', message, { actual: data[at] })
}

/** For inputs of indices: the same numbers in another type, if it has them. */
function wholeNumbers(data: TypedArray, info: TensorInfo, where: string): TypedArray {
  const Elements = arrayOf(info.dtype) as (new (length: number) => TypedArray) | undefined
  if (Elements === undefined) throw mismatch(data, info, where)
  const result = new Elements(data.length)
  const isBig = result instanceof BigInt64Array || result instanceof BigUint64Array
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number | bigint
    if (!Number.isInteger(Number(value))) throw mismatch(data, info, where)
    result[i] = isBig ? BigInt(value) : Number(value)
    if (Number(result[i]) !== Number(value)) throw mismatch(data, info, where)
  }
  return result
}

function mismatch(data: TypedArray, { name, dtype }: TensorInfo, where: string): LowbitError {
  const message = `${where}: input "${name}" is ${dtype} and has no place for these numbers (${data.constructor.name})`
  return new LowbitError('DTYPE_MISMATCH', message, { tensor: name, expected: dtype })
}
