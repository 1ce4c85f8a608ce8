// Reads a .tflite file into plain data and checks all of it, so that nothing later has to doubt an index, a size or an
// order. Constants stay views of the given bytes.

import type { ModelFile, OperatorRecord, Signature, Subgraph, TensorRecord } from '../../model/model.js'
import { elementCount } from '../../tensor/shape.js'
import { checkCalls, checkFlow } from './check-graph.js'
import {
  broken,
  openRoot,
  outsideBytes,
  readBytes,
  readString,
  readTables,
  readUint32,
  readUint64,
  type Table,
} from './cursor.js'
import { decodeIndices, decodeKind, decodeOperator, type OperatorKind } from './decode-operator.js'
import { decodeTensor } from './decode-tensor.js'
import {
  BUFFER,
  FILE_IDENTIFIER,
  METADATA,
  MODEL,
  SCHEMA_VERSION,
  SIGNATURE,
  SUBGRAPH,
  TENSOR_MAP,
} from './schema.js'

/**
 * Decode and validate a `.tflite` file.
 *
 * Time and memory are at most proportional to the length of the file, whatever it says.
 *
 * @param bytes The whole file. Constants of the result are views of it: it must not change afterwards.
 * @returns What the file says. Every index in it is in range, every operator comes after those it reads from, every
 *   constant has the size that its type and shape need, and no subgraph calls itself.
 * @throws {LowbitError} `FILE_TRUNCATED` if the bytes end before what they announce; `FILE_INVALID` for anything else
 *   that the format forbids; `NOT_FINITE` for scales; `DTYPE_UNSUPPORTED` for data types and kinds of quantisation
 *   that lowbit does not know. Errors name operator, tensor and byte where these are known.
 * @see tensorflow/compiler/mlir/lite/schema/schema.fbs, version 3.
 */
export function decode(bytes: Uint8Array): ModelFile {
  const model = openRoot(bytes, FILE_IDENTIFIER, 'file')
  const version = readUint32(model, MODEL.version)
  if (version !== SCHEMA_VERSION) throw broken(model, `schema version ${version}, ${SCHEMA_VERSION} expected`)
  const buffers = readTables(model, MODEL.buffers).map(decodeBuffer)
  if (buffers[0] !== undefined) throw broken(model, 'buffer 0 has data, it must be empty')
  const kinds = readTables(model, MODEL.operatorCodes).map(decodeKind)
  const raw = readTables(model, MODEL.subgraphs)
  if (raw.length === 0) throw broken(model, 'it has no subgraph')
  const subgraphs = raw.map((table) => decodeSubgraph(table, buffers, kinds, raw.length))
  subgraphs.forEach(checkFlow)
  checkCalls(subgraphs)
  return {
    version,
    description: readString(model, MODEL.description) ?? '',
    subgraphs,
    signatures: decodeSignatures(model, subgraphs),
    metadata: readTables(model, MODEL.metadata).map((entry) => decodeMetadata(entry, buffers)),
    fileBytes: bytes.length,
  }
}

/** Data of a buffer; undefined if it has none. */
function decodeBuffer(table: Table): Uint8Array | undefined {
  const offset = readUint64(table, BUFFER.offset)
  const size = readUint64(table, BUFFER.size)
  const data =
    readBytes(table, BUFFER.data) ??
    (offset > 1 ? outsideBytes(table.source, offset, size, table.facts) : undefined)
  return data === undefined || data.length === 0 ? undefined : data
}

function decodeSubgraph(
  table: Table,
  buffers: readonly (Uint8Array | undefined)[],
  kinds: readonly OperatorKind[],
  subgraphs: number,
): Subgraph {
  const rawTensors = readTables(table, SUBGRAPH.tensors, (index) => ({ tensor: `#${index}` }))
  const tensors = rawTensors.map((raw, index) => decodeTensor(raw, index, buffers, rawTensors.length))
  const bounds = { tensors: tensors.length, subgraphs }
  const inputs = decodeIndices(table, SUBGRAPH.inputs, 'graph input', 0, tensors.length)
  const operators = readTables(table, SUBGRAPH.operators, (index) => ({ operator: `#${index}` })).map(
    (raw, index) => decodeOperator(raw, index, kinds, bounds),
  )
  return {
    name: readString(table, SUBGRAPH.name) ?? '',
    tensors: withEmptyConstants(tensors, inputs, operators),
    inputs,
    outputs: decodeIndices(table, SUBGRAPH.outputs, 'graph output', 0, tensors.length),
    operators,
  }
}

/** Tensors without elements that nothing computes (the shape operand of a reshape to a scalar) are constants of no bytes. */
function withEmptyConstants(
  tensors: readonly TensorRecord[],
  inputs: readonly number[],
  operators: readonly OperatorRecord[],
): readonly TensorRecord[] {
  const computed = new Set(inputs)
  for (const operator of operators) {
    for (const tensor of operator.outputs) computed.add(tensor)
  }
  return tensors.map((tensor, index) => {
    const isEmpty = tensor.data === undefined && elementCount(tensor.shape) === 0
    const constant = isEmpty && !tensor.isVariable && !computed.has(index)
    return constant ? { ...tensor, data: new Uint8Array(0) } : tensor
  })
}

function decodeSignatures(model: Table, subgraphs: readonly Subgraph[]): readonly Signature[] {
  const known = subgraphs.map(({ inputs, outputs }) => ({
    inputs: new Set(inputs),
    outputs: new Set(outputs),
  }))
  const signatures = readTables(model, MODEL.signatureDefs).map((table) => decodeSignature(table, known))
  const twice = firstTwice(signatures.map((signature) => signature.name))
  if (twice !== undefined) throw broken(model, `two signatures are called "${twice}"`)
  return signatures
}

/** Graph inputs and outputs of a subgraph, made once for all signatures. */
interface Ends {
  readonly inputs: ReadonlySet<number>
  readonly outputs: ReadonlySet<number>
}

function decodeSignature(table: Table, subgraphs: readonly Ends[]): Signature {
  const name = readString(table, SIGNATURE.signatureKey) ?? ''
  const place = readUint32(table, SIGNATURE.subgraphIndex)
  const subgraph = subgraphs[place]
  if (subgraph === undefined) {
    throw broken(
      table,
      `signature "${name}": subgraph ${place} does not exist, the file has ${subgraphs.length}`,
    )
  }
  return {
    name,
    subgraph: place,
    inputs: decodeTensorMap(table, SIGNATURE.inputs, `signature "${name}": input`, subgraph.inputs),
    outputs: decodeTensorMap(table, SIGNATURE.outputs, `signature "${name}": output`, subgraph.outputs),
  }
}

function decodeTensorMap(
  table: Table,
  slot: number,
  role: string,
  known: ReadonlySet<number>,
): Signature['inputs'] {
  const entries = readTables(table, slot).map((entry) => ({
    name: readString(entry, TENSOR_MAP.name) ?? '',
    tensor: readUint32(entry, TENSOR_MAP.tensorIndex),
  }))
  const stray = entries.find((entry) => !known.has(entry.tensor))
  if (stray !== undefined) {
    throw broken(
      table,
      `${role} "${stray.name}" is tensor ${stray.tensor}, which the subgraph has not as one`,
    )
  }
  const twice = firstTwice(entries.map((entry) => entry.name))
  if (twice !== undefined) throw broken(table, `${role} "${twice}" comes twice`)
  return entries
}

function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

function decodeMetadata(
  table: Table,
  buffers: readonly (Uint8Array | undefined)[],
): ModelFile['metadata'][number] {
  const name = readString(table, METADATA.name) ?? ''
  const buffer = readUint32(table, METADATA.buffer)
  if (buffer >= buffers.length) {
    throw broken(table, `metadata "${name}": buffer ${buffer} does not exist, the file has ${buffers.length}`)
  }
  return { name, data: buffers[buffer] ?? new Uint8Array(0) }
}
