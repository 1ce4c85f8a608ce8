// Reads and checks one tensor of a .tflite file: shape, type, constant data, quantisation.

import type { Quantization, TensorRecord } from '../../model/model.js'
import { byteLength, type Dtype } from '../../tensor/dtype.js'
import { elementCount, MAX_RANK, type Shape, shapeText } from '../../tensor/shape.js'
import {
  broken,
  has,
  readBool,
  readCopy,
  readInt8,
  readInt32,
  readInt32s,
  readInt64s,
  readString,
  readTable,
  readUint8,
  readUint32,
  spend,
  type Table,
  withFacts,
} from './cursor.js'
import { BLOCKWISE, QUANTIZATION, QUANTIZATION_DETAILS, TENSOR, TENSOR_TYPES } from './schema.js'

const ZEROS = Buffer.alloc(1 << 15)

/** Codes that a quantised type can hold, and so its zero points. Other types carry no scales. */
const CODE_RANGES: Partial<Record<Dtype, readonly [number, number]>> = {
  int2: [-2, 1],
  int4: [-8, 7],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 31), 2 ** 31 - 1],
}

/** How errors call a tensor: by its name, or `#7`. */
export function tensorLabel(name: string, index: number): string {
  return name === '' ? `#${index}` : name
}

/**
 * Reads a tensor.
 *
 * @param index Its place in the subgraph, for messages.
 * @param buffers Data of the model's buffers; those without data are undefined.
 * @param tensors Number of tensors in the subgraph, which bounds the tensors that quantisation details name.
 * @throws {LowbitError} `FILE_INVALID`, `FILE_TRUNCATED`; `NOT_FINITE` for a scale; `DTYPE_UNSUPPORTED` for types and
 *   quantisation details that lowbit does not know.
 */
export function decodeTensor(
  raw: Table,
  index: number,
  buffers: readonly (Uint8Array | undefined)[],
  tensors: number,
): TensorRecord {
  const name = readString(raw, TENSOR.name) ?? ''
  const table = withFacts(raw, { tensor: tensorLabel(name, index) })
  const dtype = decodeType(table)
  const shape = decodeShape(table, dtype)
  const isVariable = readBool(table, TENSOR.isVariable)
  const isSparse = has(table, TENSOR.sparsity)
  const data = decodeData(table, buffers)
  if (data !== undefined) {
    if (isVariable) throw broken(table, 'a variable tensor has constant data')
    if (!isSparse) checkData(table, dtype, shape, data)
  }
  const quantization = readTable(table, TENSOR.quantization)
  const details = quantization && decodeDetails(quantization, tensors)
  const scales = quantization && details === undefined ? decodeScales(quantization, dtype, shape) : undefined
  return {
    name,
    shape,
    shapeSignature: decodeSignature(table, shape),
    dtype,
    ...(data && { data }),
    isVariable,
    ...(scales && { quantization: scales }),
    ...(details && { blockwise: details }),
    isSparse,
  }
}

function decodeType(table: Table): Dtype {
  const code = readInt8(table, TENSOR.type)
  if (code < 0 || code >= TENSOR_TYPES.length) throw broken(table, `type ${code} does not exist`)
  const dtype = TENSOR_TYPES[code]
  if (dtype === undefined) throw broken(table, `lowbit does not know type ${code}`, 'DTYPE_UNSUPPORTED')
  return dtype
}

function decodeShape(table: Table, dtype: Dtype): Shape {
  const shape = readInt32s(table, TENSOR.shape)
  if (shape.length > MAX_RANK) throw broken(table, `rank is ${shape.length}, at most ${MAX_RANK} is allowed`)
  if (shape.some((extent) => extent < 0))
    throw broken(table, `shape ${shapeText(shape)} has a negative extent`)
  // A zero must not hide a product that overflows, since a later shape may lack the zero.
  const count = elementCount(shape.map((extent) => Math.max(extent, 1)))
  const bytes = byteLength(dtype, shape) ?? 0
  if (count > Number.MAX_SAFE_INTEGER || bytes > Number.MAX_SAFE_INTEGER) {
    throw broken(table, `shape ${shapeText(shape)} has more than 2^53 elements or bytes`)
  }
  return shape
}

function decodeSignature(table: Table, shape: Shape): Shape {
  const signature = readInt32s(table, TENSOR.shapeSignature)
  if (signature.length === 0) return shape
  const fits =
    signature.length === shape.length &&
    signature.every((extent, axis) => extent === -1 || extent === shape[axis])
  if (!fits) {
    const text = signature.length > MAX_RANK ? `of rank ${signature.length}` : shapeText(signature)
    throw broken(table, `shape signature ${text} does not fit shape ${shapeText(shape)}`)
  }
  return signature
}

function decodeData(table: Table, buffers: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
  if (readUint32(table, TENSOR.externalBuffer) !== 0) {
    throw broken(table, 'its data lies in another file, which cannot be read from here')
  }
  const buffer = readUint32(table, TENSOR.buffer)
  if (buffer !== 0 && buffer >= buffers.length) {
    throw broken(table, `buffer ${buffer} does not exist, the file has ${buffers.length}`)
  }
  return buffers[buffer]
}

function checkData(table: Table, dtype: Dtype, shape: Shape, data: Uint8Array): void {
  if (dtype === 'string') {
    checkStrings(table, elementCount(shape), data)
    return
  }
  const needed = byteLength(dtype, shape)
  if (needed === undefined) throw broken(table, `a ${dtype} tensor has constant data`)
  if (needed !== data.length) {
    const what = `${dtype} ${shapeText(shape)}`
    throw broken(table, `${what} needs ${needed} bytes of data, its buffer has ${data.length}`)
  }
}

/**
 * String tensors: int32 count, then count + 1 int32 offsets from the start of the data, the last being its end, then
 * the bytes (tensorflow/lite/string_util.h).
 */
function checkStrings(table: Table, count: number, data: Uint8Array): void {
  spend(table.source, 4 * count, table.at, table.facts)
  const head = 4 * (count + 2)
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (data.length < head || view.getInt32(0, true) !== count) {
    throw broken(table, `its data is no table of ${count} strings`)
  }
  let last = head
  for (let i = 0; i <= count; i++) {
    const offset = view.getInt32(4 + 4 * i, true)
    if (offset < last || offset > data.length || (i === 0 && offset !== head)) {
      throw broken(table, `string ${i} starts at ${offset} of ${data.length} bytes of data`)
    }
    last = offset
  }
}

function decodeDetails(table: Table, tensors: number): TensorRecord['blockwise'] {
  const kind = readUint8(table, QUANTIZATION.detailsType)
  if (kind === 0) return undefined
  const name = QUANTIZATION_DETAILS[kind]
  if (name === undefined) throw broken(table, `quantisation details of kind ${kind} do not exist`)
  if (name !== 'blockwise') {
    throw broken(table, `lowbit does not know ${name} quantisation details`, 'DTYPE_UNSUPPORTED')
  }
  const details = readTable(table, QUANTIZATION.details)
  if (details === undefined) throw broken(table, 'blockwise quantisation has no details')
  const scales = readInt32(details, BLOCKWISE.scales)
  const zeroPoints = readInt32(details, BLOCKWISE.zeroPoints)
  const blockSize = readInt32(details, BLOCKWISE.blockSize)
  if (has(details, BLOCKWISE.blockShape) && readInt32s(details, BLOCKWISE.blockShape).length > 0) {
    throw broken(table, 'lowbit does not know blocks of more than one dimension', 'DTYPE_UNSUPPORTED')
  }
  if (scales < 0 || scales >= tensors)
    throw broken(table, `the tensor of its scales, ${scales}, does not exist`)
  if (zeroPoints < -1 || zeroPoints >= tensors) {
    throw broken(table, `the tensor of its zero points, ${zeroPoints}, does not exist`)
  }
  if (blockSize <= 0) throw broken(table, `its block size is ${blockSize}`)
  return { scales, zeroPoints, blockSize }
}

/** Scales of tensors of types that are not quantised (floats with a range for the converter) say nothing: undefined. */
function decodeScales(table: Table, dtype: Dtype, shape: Shape): Quantization | undefined {
  const range = CODE_RANGES[dtype]
  if (range === undefined) return undefined
  const scale = new Float32Array(readCopy(table, QUANTIZATION.scale, 4))
  const zeroPoint = decodeZeroPoints(table, dtype, range)
  const axis = readInt32(table, QUANTIZATION.quantizedDimension)
  if (scale.length === 0) return undefined
  if (zeroPoint.length !== 0 && zeroPoint.length !== scale.length) {
    throw broken(table, `it has ${scale.length} scales and ${zeroPoint.length} zero points`)
  }
  if (scale.length > 1) {
    const extent = axis < 0 ? undefined : shape[axis]
    if (extent === undefined)
      throw broken(table, `quantised dimension ${axis} is not one of ${shapeText(shape)}`)
    if (extent !== scale.length) {
      throw broken(
        table,
        `it has ${scale.length} scales, dimension ${axis} of ${shapeText(shape)} needs ${extent}`,
      )
    }
  }
  const infinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].find((value) =>
    scale.includes(value),
  )
  if (infinite !== undefined) throw broken(table, `it has a scale of ${infinite}`, 'NOT_FINITE')
  return {
    scale,
    zeroPoint: zeroPoint.length === 0 ? new Int32Array(scale.length) : zeroPoint,
    axis: scale.length > 1 ? axis : 0,
  }
}

function decodeZeroPoints(
  table: Table,
  dtype: Dtype,
  [lowest, highest]: readonly [number, number],
): Int32Array {
  const bytes = readCopy(table, QUANTIZATION.zeroPoint, 8)
  const zeroPoint = new Int32Array(bytes.byteLength / 8)
  if (isZero(bytes)) return zeroPoint
  // Pairs of words, the lower one first: what a 64-bit number adds to 32 bits is their sign.
  const words = new Int32Array(bytes)
  for (let i = 0; i < zeroPoint.length; i++) {
    const value = words[2 * i] as number
    if (words[2 * i + 1] !== value >> 31 || value < lowest || value > highest) {
      const outside = readInt64s(table, QUANTIZATION.zeroPoint)[i]
      throw broken(table, `zero point ${outside} is no ${dtype} in ${lowest}..${highest}`)
    }
    zeroPoint[i] = value
  }
  return zeroPoint
}

/** Compared as a whole: there are as many zero points as channels, nearly all of them 0. */
function isZero(bytes: ArrayBuffer): boolean {
  return (
    bytes.byteLength <= ZEROS.length &&
    ZEROS.compare(new Uint8Array(bytes), 0, bytes.byteLength, 0, bytes.byteLength) === 0
  )
}
