// Constants of a file as numbers, and back.

import { LowbitError } from '../errors.js'
import type { TensorRecord } from '../model/model.js'
import { dequantizeChannels, quantizeAffine } from '../numerics/affine.js'
import { fromBfloats, fromHalf } from '../numerics/half.js'
import { unpackCodes } from '../tensor/packed.js'
import { elementCount } from '../tensor/shape.js'
import { type Affine, CODE_RANGES, type CodeType } from './rules.js'

/** The bytes of a typed array, as files hold them. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice()
}

/** A float32 constant as numbers, in memory of its own. */
export function floatsOf(tensor: TensorRecord): Float32Array {
  const { data } = tensor
  if (data === undefined || tensor.dtype !== 'float32') {
    throw new LowbitError('INTERNAL', `tensor "${tensor.name}" is no float32 constant`)
  }
  return new Float32Array(data.slice().buffer)
}

/**
 * The real values of a constant: float16 and bfloat16 widened, codes dequantised by their scale, or by one for each
 * block.
 *
 * @param tensors Of the same subgraph: they hold the scales of blocks.
 */
export function realValues(tensor: TensorRecord, tensors: readonly TensorRecord[]): Float32Array {
  const { dtype, data, quantization, blockwise } = tensor
  if (data === undefined) throw new LowbitError('INTERNAL', `tensor "${tensor.name}" is no constant`)
  if (dtype === 'float32') return floatsOf(tensor)
  const bytes = data.slice()
  if (dtype === 'float16') return Float32Array.from(new Uint16Array(bytes.buffer), fromHalf)
  if (dtype === 'bfloat16') return fromBfloats(new Uint16Array(bytes.buffer))
  const codes = codesOf(tensor, bytes)
  if (blockwise !== undefined) return blockValues(codes, blockwise, tensors)
  if (quantization === undefined) throw new LowbitError('INTERNAL', `tensor "${tensor.name}" has no scale`)
  const { scale, zeroPoint, axis } = quantization
  const inner = scale.length === 1 ? codes.length : elementCount(tensor.shape.slice(axis + 1))
  return dequantizeChannels(codes, { scale, zeroPoint, inner })
}

function codesOf({ name, dtype, shape }: TensorRecord, bytes: Uint8Array): ArrayLike<number> {
  switch (dtype) {
    case 'int8':
      return new Int8Array(bytes.buffer)
    case 'uint8':
      return bytes
    case 'int16':
      return new Int16Array(bytes.buffer)
    case 'int32':
      return new Int32Array(bytes.buffer)
    case 'int4':
    case 'int2': {
      const codes = new Int8Array(elementCount(shape))
      unpackCodes(bytes, dtype === 'int4' ? 4 : 2, codes)
      return codes
    }
    default: {
      const message = `constant "${name}" is ${dtype}, which has no real values`
      throw new LowbitError('DTYPE_UNSUPPORTED', message, { tensor: name, actual: dtype })
    }
  }
}

function blockValues(
  codes: ArrayLike<number>,
  { scales, zeroPoints, blockSize }: NonNullable<TensorRecord['blockwise']>,
  tensors: readonly TensorRecord[],
): Float32Array {
  const [steps, zeros] = [tensors[scales], tensors[zeroPoints]]
  if (steps === undefined) throw new LowbitError('INTERNAL', 'blocks without scales')
  const scale = realValues(steps, tensors)
  const zero = zeros?.data && codesOf(zeros, zeros.data.slice())
  return Float32Array.from(codes, (code, i) => {
    const block = Math.floor(i / blockSize)
    return (scale[block] as number) * (code - (zero?.[block] ?? 0))
  })
}

/** A float32 constant as codes. */
export function codesOfConstant(
  tensor: TensorRecord,
  { type, scale, zeroPoint }: { readonly type: CodeType } & Affine,
): TensorRecord {
  const values = floatsOf(tensor)
  const codes = new ARRAYS[type](values.length)
  quantizeAffine(values, { scale, zeroPoint, ...CODE_RANGES[type] }, codes)
  return {
    ...tensor,
    name: `${tensor.name}_${type}`,
    dtype: type,
    data: bytesOf(codes),
    quantization: { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint), axis: 0 },
  }
}

const ARRAYS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array } as const
