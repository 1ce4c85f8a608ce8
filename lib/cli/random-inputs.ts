// Inputs for timing: the same numbers every time, any type.

import { LowbitError } from '../errors.js'
import { xorshift32 } from '../numerics/random.js'
import { arrayOf, byteLength, type TypedArray } from '../tensor/dtype.js'
import { elementCount } from '../tensor/shape.js'
import type { TensorInfo } from '../tensor/tensor.js'

/**
 * Codes over the whole range of 8- and 16-bit types; floats in [-1, 1); 0 and 1 for booleans and for wider integers,
 * which are indices more often than numbers.
 */
export function randomInput({ name, dtype, shape }: TensorInfo, seed: number): TypedArray {
  const Elements = arrayOf(dtype)
  if (Elements === undefined || byteLength(dtype, shape) === undefined) {
    throw new LowbitError('DTYPE_UNSUPPORTED', `input "${name}" is ${dtype}: no random data for it`, {
      tensor: name,
      actual: dtype,
    })
  }
  const data = new Elements(elementCount(shape))
  const next = xorshift32(seed)
  for (let i = 0; i < data.length; i++) {
    const bits = next() >>> 8
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(bits & 1)
    else if (dtype.startsWith('float')) data[i] = dtype === 'float16' ? 0x3800 : bits / 2 ** 23 - 1
    else if (dtype === 'int4') data[i] = (bits & 15) - 8
    else if (dtype === 'int2') data[i] = (bits & 3) - 2
    else if (dtype === 'bool' || data.BYTES_PER_ELEMENT > 2) data[i] = bits & 1
    else data[i] = bits
  }
  return data
}

/** The shape of an output, for an int32 vector that has as many entries; undefined where there is none. */
export function shapeInput({ dtype, shape }: TensorInfo, outputs: readonly TensorInfo[]) {
  if (dtype !== 'int32' || shape.length !== 1) return undefined
  const output = outputs.find((info) => info.shape.length === shape[0])
  return output && Int32Array.from(output.shape)
}
