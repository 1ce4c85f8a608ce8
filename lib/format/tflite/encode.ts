// Writes a model as a .tflite file, which lowbit and any other TFLite runtime read.

import { Builder } from 'flatbuffers'
import { LowbitError } from '../../errors.js'
import type { ModelFile, OperatorRecord, Signature, Subgraph, TensorRecord } from '../../model/model.js'
import { sameShape } from '../../tensor/shape.js'
import { encodeOptions } from './encode-options.js'
import { bytesVector, type Offset, offsetsVector, vector } from './encode-vectors.js'
import {
  BLOCKWISE,
  BUFFER,
  BUILTIN_OPERATORS,
  CUSTOM_CODE,
  FILE_IDENTIFIER,
  METADATA,
  MODEL,
  OPERATOR,
  OPERATOR_CODE,
  QUANTIZATION,
  QUANTIZATION_DETAILS,
  SIGNATURE,
  SUBGRAPH,
  TENSOR,
  TENSOR_MAP,
  TENSOR_TYPES,
} from './schema.js'

/** `PLACEHOLDER_FOR_GREATER_OP_CODES`: what the old one-byte code holds for operators beyond it. */
const GREATER_CODES = 127
const BUFFER_ALIGNMENT = 16
/** The builder cannot grow beyond 2 GB, and doubles. */
const MAX_DATA = 2 ** 30 - 2 ** 26

/** Numbers a list of distinct things in the order of their first use. */
interface Pool<T> {
  readonly items: readonly T[]
  /** Place of a thing, added if new. */
  place(item: T): number
}

function pool<T>(key: (item: T) => string, first: readonly T[] = []): Pool<T> {
  const items = [...first]
  const places = new Map<string, number>()
  return {
    items,
    place: (item) => {
      const name = key(item)
      const known = places.get(name)
      if (known !== undefined) return known
      places.set(name, items.length)
      return items.push(item) - 1
    },
  }
}

/** Data views of the same bytes are one buffer in the file, as they were in the file they come from. */
function dataPool(): Pool<Uint8Array> {
  const owners = new Map<ArrayBufferLike, number>()
  const owner = (data: Uint8Array) => owners.get(data.buffer) ?? owners.set(data.buffer, owners.size).size - 1
  return pool(
    (data) => (data.length === 0 ? 'empty' : `${owner(data)}:${data.byteOffset}:${data.length}`),
    [new Uint8Array(0)],
  )
}

/**
 * Encode a model as a `.tflite` file.
 *
 * Constants are aligned to 16 bytes; tensors whose `data` is the same view share a buffer. `decode(encode(m))` equals
 * `m` but for `fileBytes`. What `ModelFile` does not hold is not written: label files behind the flatbuffer, the
 * converter's min and max.
 *
 * @returns The file's bytes. The model is not validated; `decode` does that.
 * @throws {LowbitError} `OPTION_INVALID` for an option that the operator lacks or that has another type, or a name
 *   that does not fit the operator's code; `OPERATOR_UNSUPPORTED` for an operator that the schema lacks;
 *   `DTYPE_UNSUPPORTED` for a sparse tensor, whose structure a `ModelFile` does not hold; `LIMIT_EXCEEDED` beyond
 *   1 GB of constants.
 */
export function encode(model: ModelFile): Uint8Array {
  const buffers = dataPool()
  const kinds = pool<OperatorRecord>(({ code, type, version }) => `${code} ${version} ${type}`)
  for (const { tensors } of model.subgraphs) {
    for (const { data } of tensors) if (data) buffers.place(data)
  }
  for (const { data } of model.metadata) buffers.place(data)
  const size = buffers.items.reduce((sum, data) => sum + data.length + 64, 0)
  if (size > MAX_DATA) {
    throw new LowbitError('LIMIT_EXCEEDED', `a model of ${size} bytes of constants cannot be written`)
  }

  const builder = new Builder(size + (1 << 14))
  const bufferTables = buffers.items.map((data) => encodeBuffer(builder, data))
  const subgraphs = model.subgraphs.map((subgraph) => encodeSubgraph(builder, subgraph, buffers, kinds))
  const metadata = model.metadata.map((entry) =>
    encodeMetadata(builder, entry.name, buffers.place(entry.data)),
  )
  const parts: readonly [number, Offset][] = [
    [
      MODEL.operatorCodes,
      offsetsVector(
        builder,
        kinds.items.map((kind) => encodeKind(builder, kind)),
      ),
    ],
    [MODEL.subgraphs, offsetsVector(builder, subgraphs)],
    [MODEL.description, builder.createString(model.description)],
    [MODEL.buffers, offsetsVector(builder, bufferTables)],
    ...(metadata.length === 0
      ? []
      : [[MODEL.metadata, offsetsVector(builder, metadata)] as [number, Offset]]),
    ...(model.signatures.length === 0 ? [] : [encodeSignatures(builder, model.signatures)]),
  ]
  builder.startObject(Object.keys(MODEL).length)
  builder.addFieldInt32(MODEL.version, model.version, 0)
  for (const [slot, offset] of parts) builder.addFieldOffset(slot, offset, 0)
  builder.finish(builder.endObject(), FILE_IDENTIFIER)
  return builder.asUint8Array().slice()
}

function encodeBuffer(builder: Builder, data: Uint8Array): Offset {
  const content = data.length === 0 ? 0 : bytesVector(builder, data, BUFFER_ALIGNMENT)
  builder.startObject(Object.keys(BUFFER).length)
  builder.addFieldOffset(BUFFER.data, content, 0)
  return builder.endObject()
}

function encodeKind(builder: Builder, { code, type, version }: OperatorRecord): Offset {
  const builtin = BUILTIN_OPERATORS[code]
  if (builtin === undefined) {
    throw new LowbitError(
      'OPERATOR_UNSUPPORTED',
      `operator ${type} has code ${code}, which lowbit does not know`,
    )
  }
  const isCustom = code === CUSTOM_CODE
  if (!isCustom && builtin.name !== type) {
    throw new LowbitError('OPTION_INVALID', `operator code ${code} is ${builtin.name}, its type says ${type}`)
  }
  const name = isCustom ? builder.createString(type) : 0
  builder.startObject(Object.keys(OPERATOR_CODE).length)
  builder.addFieldInt8(OPERATOR_CODE.deprecatedBuiltinCode, Math.min(code, GREATER_CODES), 0)
  builder.addFieldOffset(OPERATOR_CODE.customCode, name, 0)
  builder.addFieldInt32(OPERATOR_CODE.version, version, 1)
  builder.addFieldInt32(OPERATOR_CODE.builtinCode, code, 0)
  return builder.endObject()
}

function encodeSubgraph(
  builder: Builder,
  subgraph: Subgraph,
  buffers: Pool<Uint8Array>,
  kinds: Pool<OperatorRecord>,
): Offset {
  const tensors = subgraph.tensors.map((tensor) =>
    encodeTensor(builder, tensor, tensor.data === undefined ? 0 : buffers.place(tensor.data)),
  )
  const operators = subgraph.operators.map((operator, index) =>
    encodeOperator(builder, operator, index, kinds.place(operator)),
  )
  const parts: readonly [number, Offset][] = [
    [SUBGRAPH.tensors, offsetsVector(builder, tensors)],
    [SUBGRAPH.inputs, vector(builder, 'i32', subgraph.inputs)],
    [SUBGRAPH.outputs, vector(builder, 'i32', subgraph.outputs)],
    [SUBGRAPH.operators, offsetsVector(builder, operators)],
    [SUBGRAPH.name, builder.createString(subgraph.name)],
  ]
  builder.startObject(Object.keys(SUBGRAPH).length)
  for (const [slot, offset] of parts) builder.addFieldOffset(slot, offset, 0)
  return builder.endObject()
}

function encodeTensor(builder: Builder, tensor: TensorRecord, buffer: number): Offset {
  if (tensor.isSparse) {
    throw new LowbitError('DTYPE_UNSUPPORTED', `sparse tensor ${tensor.name} cannot be written`, {
      tensor: tensor.name,
    })
  }
  const { shape, shapeSignature } = tensor
  const shapes = vector(builder, 'i32', shape)
  const signature = sameShape(shape, shapeSignature) ? 0 : vector(builder, 'i32', shapeSignature)
  const name = builder.createString(tensor.name)
  const quantization = encodeQuantization(builder, tensor)
  builder.startObject(Object.keys(TENSOR).length)
  builder.addFieldOffset(TENSOR.shape, shapes, 0)
  builder.addFieldInt8(TENSOR.type, TENSOR_TYPES.indexOf(tensor.dtype), 0)
  builder.addFieldInt32(TENSOR.buffer, buffer, 0)
  builder.addFieldOffset(TENSOR.name, name, 0)
  builder.addFieldOffset(TENSOR.quantization, quantization, 0)
  builder.addFieldInt8(TENSOR.isVariable, Number(tensor.isVariable), 0)
  builder.addFieldOffset(TENSOR.shapeSignature, signature, 0)
  // An empty shape without this flag may also mean an unknown rank; readers take it for a scalar.
  builder.addFieldInt8(TENSOR.hasRank, Number(shape.length > 0), 0)
  return builder.endObject()
}

function encodeQuantization(builder: Builder, { quantization, blockwise }: TensorRecord): Offset {
  if (quantization === undefined && blockwise === undefined) return 0
  const scale = quantization ? vector(builder, 'f32', quantization.scale) : 0
  const zeroPoint = quantization ? vector(builder, 'i64', quantization.zeroPoint) : 0
  const details = blockwise ? encodeBlockwise(builder, blockwise) : 0
  builder.startObject(Object.keys(QUANTIZATION).length)
  builder.addFieldOffset(QUANTIZATION.scale, scale, 0)
  builder.addFieldOffset(QUANTIZATION.zeroPoint, zeroPoint, 0)
  const kind = blockwise ? QUANTIZATION_DETAILS.indexOf('blockwise') : 0
  builder.addFieldInt8(QUANTIZATION.detailsType, kind, 0)
  builder.addFieldOffset(QUANTIZATION.details, details, 0)
  builder.addFieldInt32(QUANTIZATION.quantizedDimension, quantization?.axis ?? 0, 0)
  return builder.endObject()
}

function encodeBlockwise(builder: Builder, blockwise: NonNullable<TensorRecord['blockwise']>): Offset {
  builder.startObject(Object.keys(BLOCKWISE).length)
  builder.addFieldInt32(BLOCKWISE.scales, blockwise.scales, 0)
  builder.addFieldInt32(BLOCKWISE.zeroPoints, blockwise.zeroPoints, 0)
  builder.addFieldInt32(BLOCKWISE.blockSize, blockwise.blockSize, 0)
  return builder.endObject()
}

function encodeOperator(builder: Builder, operator: OperatorRecord, index: number, opcode: number): Offset {
  const inputs = vector(builder, 'i32', operator.inputs)
  const outputs = vector(builder, 'i32', operator.outputs)
  const { intermediates, customOptions } = operator
  const inner = intermediates.length === 0 ? 0 : vector(builder, 'i32', intermediates)
  const custom = customOptions === undefined ? 0 : bytesVector(builder, customOptions, 1)
  const options = encodeOptions(builder, operator, `${operator.type} #${index}`)
  builder.startObject(Object.keys(OPERATOR).length)
  builder.addFieldInt32(OPERATOR.opcodeIndex, opcode, 0)
  builder.addFieldOffset(OPERATOR.inputs, inputs, 0)
  builder.addFieldOffset(OPERATOR.outputs, outputs, 0)
  builder.addFieldOffset(OPERATOR.intermediates, inner, 0)
  builder.addFieldOffset(OPERATOR.customOptions, custom, 0)
  if (options !== undefined) {
    const second = options.table.union === 2
    builder.addFieldInt8(
      second ? OPERATOR.builtinOptions2Type : OPERATOR.builtinOptionsType,
      options.table.code,
      0,
    )
    builder.addFieldOffset(second ? OPERATOR.builtinOptions2 : OPERATOR.builtinOptions, options.offset, 0)
  }
  return builder.endObject()
}

function encodeMetadata(builder: Builder, name: string, buffer: number): Offset {
  const text = builder.createString(name)
  builder.startObject(Object.keys(METADATA).length)
  builder.addFieldOffset(METADATA.name, text, 0)
  builder.addFieldInt32(METADATA.buffer, buffer, 0)
  return builder.endObject()
}

function encodeSignatures(builder: Builder, signatures: readonly Signature[]): [number, Offset] {
  const tables = signatures.map(({ name, subgraph, inputs, outputs }) => {
    const text = builder.createString(name)
    const from = offsetsVector(
      builder,
      inputs.map((entry) => encodeTensorMap(builder, entry)),
    )
    const to = offsetsVector(
      builder,
      outputs.map((entry) => encodeTensorMap(builder, entry)),
    )
    builder.startObject(Object.keys(SIGNATURE).length)
    builder.addFieldOffset(SIGNATURE.inputs, from, 0)
    builder.addFieldOffset(SIGNATURE.outputs, to, 0)
    builder.addFieldOffset(SIGNATURE.signatureKey, text, 0)
    builder.addFieldInt32(SIGNATURE.subgraphIndex, subgraph, 0)
    return builder.endObject()
  })
  return [MODEL.signatureDefs, offsetsVector(builder, tables)]
}

function encodeTensorMap(builder: Builder, { name, tensor }: Signature['inputs'][number]): Offset {
  const text = builder.createString(name)
  builder.startObject(Object.keys(TENSOR_MAP).length)
  builder.addFieldOffset(TENSOR_MAP.name, text, 0)
  builder.addFieldInt32(TENSOR_MAP.tensorIndex, tensor, 0)
  return builder.endObject()
}
