// Reads a .tflite file into plain data and checks all of it, so that nothing later has to doubt an index, a size or an
// order. Constants stay views of the given bytes.

import { LowbitError } from '../../errors.js'
import type { ModelFile, OperatorRecord, Signature, Subgraph, TensorRecord } from '../../model/model.js'
import { elementCount } from '../../tensor/shape.js'
import { checkCalls, checkFlow } from './check-graph.js'
import {
  attempt,
  broken,
  openRoot,
  outsideBytes,
  readBytes,
  readCount,
  readRecords,
  readString,
  readTables,
  readUint32,
  readUint64,
  report,
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
  return decodeModel(openRoot(bytes, FILE_IDENTIFIER, 'file'))
}

/**
 * All that `decode` would refuse, each defect once. What several records say together (who produces a tensor, who calls
 * whom, what signatures name) is looked at only where each of them is sound.
 *
 * @returns Empty for a file that `decode` takes. Time and memory as there.
 */
export function defectsOf(bytes: Uint8Array): readonly LowbitError[] {
  const defects: LowbitError[] = []
  try {
    decodeModel(openRoot(bytes, FILE_IDENTIFIER, 'file', defects))
  } catch (error) {
    if (!(error instanceof LowbitError)) throw error
    defects.push(error)
  }
  return defects
}

// What stands in for records with defects, where these are collected; no other record is checked against it.
const NO_KIND: OperatorKind = { code: -1, type: 'UNREADABLE', version: 1 }
const NO_TENSOR: TensorRecord = {
  name: '',
  shape: [],
  shapeSignature: [],
  dtype: 'bool',
  isVariable: false,
  isSparse: false,
}
const NO_OPERATOR: OperatorRecord = { ...NO_KIND, inputs: [], outputs: [], intermediates: [], options: {} }
const NO_SIGNATURE: Signature = { name: '', subgraph: 0, inputs: [], outputs: [] }
const NO_METADATA = { name: '', data: new Uint8Array(0) }
const NO_SUBGRAPH: Subgraph = { name: '', tensors: [], inputs: [], outputs: [], operators: [] }

function decodeModel(model: Table): ModelFile {
  const version = readUint32(model, MODEL.version)
  if (version !== SCHEMA_VERSION) throw broken(model, `schema version ${version}, ${SCHEMA_VERSION} expected`)
  const buffers = readRecords(model, MODEL.buffers, decodeBuffer, undefined)
  expect(model, buffers[0] === undefined, 'buffer 0 has data, it must be empty')
  const kinds = readRecords(model, MODEL.operatorCodes, decodeKind, NO_KIND)
  const isSound = () => (model.source.defects?.length ?? 0) === 0
  const known = { buffers, kinds, subgraphs: readCount(model, MODEL.subgraphs), isSound: isSound() }
  expect(model, known.subgraphs > 0, 'it has no subgraph')
  const subgraphs = readRecords(
    model,
    MODEL.subgraphs,
    (table, place) => decodeSubgraph(table, place, known),
    NO_SUBGRAPH,
  )
  if (isSound()) attempt(model, () => checkCalls(subgraphs), undefined)
  return {
    version,
    description: attempt(model, () => readString(model, MODEL.description), undefined) ?? '',
    subgraphs,
    signatures: isSound() ? decodeSignatures(model, subgraphs) : [],
    metadata: readRecords(model, MODEL.metadata, (entry) => decodeMetadata(entry, buffers), NO_METADATA),
    fileBytes: model.source.bytes.length,
  }
}

function expect(table: Table, isRight: boolean, message: string): void {
  if (!isRight) report(table, broken(table, message))
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

/** What subgraphs refer to. */
interface Known {
  readonly buffers: readonly (Uint8Array | undefined)[]
  readonly kinds: readonly OperatorKind[]
  readonly subgraphs: number
  /** Whether buffers and kinds have no defects. */
  readonly isSound: boolean
}

function decodeSubgraph(
  table: Table,
  place: number,
  { buffers, kinds, subgraphs, isSound }: Known,
): Subgraph {
  const before = table.source.defects?.length
  const bounds = { tensors: readCount(table, SUBGRAPH.tensors), subgraphs }
  const tensors = readRecords(
    table,
    SUBGRAPH.tensors,
    (raw, index) => decodeTensor(raw, index, buffers, bounds.tensors),
    NO_TENSOR,
    (index) => ({ tensor: `#${index}` }),
  )
  const ends = (slot: number, role: string) =>
    attempt(table, () => decodeIndices(table, slot, role, 0, bounds.tensors), [])
  const inputs = ends(SUBGRAPH.inputs, 'graph input')
  const operators = readRecords(
    table,
    SUBGRAPH.operators,
    (raw, index) => decodeOperator(raw, index, kinds, bounds),
    NO_OPERATOR,
    (index) => ({ operator: `#${index}` }),
  )
  const subgraph = {
    name: readString(table, SUBGRAPH.name) ?? '',
    tensors: withEmptyConstants(tensors, inputs, operators),
    inputs,
    outputs: ends(SUBGRAPH.outputs, 'graph output'),
    operators,
  }
  if (isSound && table.source.defects?.length === before)
    checkFlow(subgraph, place, (error) => report(table, error))
  return subgraph
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
  const before = model.source.defects?.length
  const read = (table: Table) => decodeSignature(table, known)
  const signatures = readRecords(model, MODEL.signatureDefs, read, NO_SIGNATURE)
  const twice = firstTwice(signatures.map((signature) => signature.name))
  const areSound = model.source.defects?.length === before
  if (areSound && twice !== undefined) report(model, broken(model, `two signatures are called "${twice}"`))
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
