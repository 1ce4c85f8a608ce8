// Tensors as the public API shows them: facts about a model's inputs and outputs, and results with their data.

import { LowbitError } from '../errors.js'
import { dequantizeAffine, dequantizeChannels } from '../numerics/affine.js'
import { fromBfloats, fromHalf } from '../numerics/half.js'
import type { Dtype, TypedArray } from './dtype.js'
import { elementCount, type Shape } from './shape.js'

/** real = scale[c] * (code - zeroPoint[c]): one entry for the tensor, or one for each index of `axis`. */
export interface TensorQuantization {
  readonly scale: Float32Array
  readonly zeroPoint: Int32Array
  /** Dimension that keeps its own scale; 0 when there is one scale only. */
  readonly axis: number
}

/** An input or output of a model. */
export interface TensorInfo {
  readonly name: string
  readonly shape: Shape
  /** As `shape`, with -1 where the file leaves the extent free. */
  readonly shapeSignature: Shape
  readonly dtype: Dtype
  readonly quantization?: TensorQuantization
}

/** One output of a run. Its fields cannot be changed, the elements of `data` can. */
export class Tensor {
  readonly name: string
  readonly shape: Shape
  readonly dtype: Dtype
  /**
   * Elements, row-major: Int8Array for int8, Uint8Array for uint8 and bool, BigInt64Array for int64, Uint16Array of the
   * bits for float16, Int8Array with one code an entry for int4, and so on.
   */
  readonly data: TypedArray
  readonly #quantization: TensorQuantization | undefined

  constructor({ name, shape, dtype, quantization }: TensorInfo, data: TypedArray) {
    this.name = name
    this.shape = shape
    this.dtype = dtype
    this.data = data
    this.#quantization = quantization
    Object.freeze(this)
  }

  /**
   * The real values, as a new array: codes are dequantised, scale * (code - zeroPoint); other numbers are converted.
   *
   * @throws {LowbitError} `DTYPE_UNSUPPORTED` for complex numbers.
   */
  toFloat32(): Float32Array {
    const { data, dtype, shape } = this
    if (dtype === 'complex64' || dtype === 'complex128') {
      const message = `tensor "${this.name}" is ${dtype}, which has no float32 form`
      throw new LowbitError('DTYPE_UNSUPPORTED', message, { tensor: this.name, actual: dtype })
    }
    if (dtype === 'float16') return Float32Array.from(data as Uint16Array, fromHalf)
    if (dtype === 'bfloat16') return fromBfloats(data as Uint16Array)
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      return Float32Array.from(data as BigInt64Array, Number)
    }
    if (dtype.startsWith('float') || this.#quantization === undefined) return Float32Array.from(data)
    const { scale, zeroPoint, axis } = this.#quantization
    if (scale.length !== 1) {
      const inner = elementCount(shape.slice(axis + 1))
      return dequantizeChannels(data, { scale, zeroPoint, inner })
    }
    return dequantizeAffine(data, { scale: scale[0] as number, zeroPoint: zeroPoint[0] ?? 0 })
  }
}
