// Model file -> graph: finds each operator's definition, and infers every shape and type in order of execution.
// What the file declares for computed tensors is replaced by what is inferred, as TFLite does. Indices, order and sizes
// of constants were checked when the file was decoded.

import { type ErrorCode, LowbitError } from '../errors.js'
import type { ModelFile, OperatorRecord, TensorRecord } from '../model/model.js'
import type { Op } from '../ops/contract.js'
import { identity } from '../ops/variable.js'
import { elementCount, type Shape, sameShape, shapeText } from '../tensor/shape.js'
import { contextOf } from './context.js'
import { expand, IDENTITY } from './expand.js'
import type { Evaluate, Graph, Node, Value } from './graph.js'

/** Operators by their type in the schema (`CONV_2D`). */
export type OpsByType = ReadonlyMap<string, Op>

/** Which graph of a file, and what is not as the file says. */
export interface BuildOptions {
  /** Index of the subgraph; 0 by default. */
  readonly subgraph?: number
  /** Shapes of the inputs, where they are not the file's. */
  readonly shapes?: readonly Shape[]
  /** Implementations of custom operators, by their names. */
  readonly customOps?: OpsByType
  /** Most operators, those of called subgraphs included. */
  readonly operators?: number
  /** Only this operator of the subgraph (and what it calls), with the shapes that the file declares for what others compute. */
  readonly only?: number
  /** Runs nodes of few constant integers; without it only what `infer` knows becomes a constant. */
  readonly evaluate?: Evaluate
}

/** Tensors with this many elements or more are refused: element counts and indices stay within int32. */
const MAX_ELEMENTS = 2 ** 31

/** Elements that a tensor may have to be computed while building. */
const MAX_KNOWN = 256

/** Builtin code of all custom operators. */
const CUSTOM = 32

/** For tests and tools that build what they made themselves. */
const DEFAULT_OPERATORS = 2 ** 20

/**
 * Builds the graph of a subgraph. Value i of the graph is tensor i of the subgraph; those of called subgraphs follow.
 *
 * @throws {LowbitError} `OPERATOR_UNSUPPORTED` for an operator, or a form of one, that no definition in `ops` runs;
 *   `FILE_INVALID` if operands are missing or are declared with the wrong type; `SHAPE_MISMATCH` if shapes do not fit;
 *   `LIMIT_EXCEEDED` for a tensor of 2^31 elements or more, or calls that grow beyond `operators`.
 */
export function build(file: ModelFile, ops: OpsByType, options: BuildOptions = {}): Graph {
  const place = options.subgraph ?? 0
  if (file.subgraphs[place] === undefined) {
    throw new LowbitError('FILE_INVALID', 'the file has no subgraph')
  }
  const flat = expand(file, place, { operators: options.operators ?? DEFAULT_OPERATORS })
  const { tensors, inputs, outputs, operators } = flat
  const plain = tensors.map((record, index) => toValue(record, index, inputs))
  const values = plain.map((value, index) => withBlocks(value, tensors[index] as TensorRecord, plain))
  for (const [i, index] of inputs.entries()) {
    const shape = options.shapes?.[i]
    if (shape !== undefined) values[index] = { ...(values[index] as Value), shape }
    checkShape(values[index] as Value)
  }

  const nodes: Node[] = []
  for (const { record, origin, position, once, intermediates, ...operands } of operators) {
    if (options.only !== undefined && options.only !== position) continue
    const op = definitionOf(record, origin, ops, options.customOps)
    for (const [i, index] of [...operands.inputs, ...operands.outputs].entries()) {
      const isInput = i < operands.inputs.length
      const allowed = {
        state: isInput && (op.stateInputs?.includes(i) ?? false),
        blockwise: isInput && (op.blockwiseInputs?.includes(i) ?? false),
      }
      if (index >= 0) checkForm(tensors[index] as TensorRecord, values[index] as Value, allowed, origin)
    }
    const node: Node = {
      op: op.name,
      origin,
      attributes: attributesOf(op, record, origin),
      ...operands,
      ...(intermediates.length > 0 && { intermediates }),
      ...(once && { once }),
    }
    const inferred = inferOutputs(op, node, values)
    const results = options.evaluate ? known(node, inferred, values, options.evaluate) : inferred
    for (const [i, value] of results.entries()) values[node.outputs[i] as number] = value
    // A node without outputs changes state.
    if (results.length === 0 || !results.every(({ data }) => data !== undefined)) nodes.push(node)
  }
  return { values, nodes, inputs, outputs }
}

function toValue(record: TensorRecord, index: number, inputs: readonly number[]): Value {
  const { name, shape, dtype, quantization, data, isVariable } = record
  // As TFLite resets it: the zero point for int8, zero for all others.
  const fill = dtype === 'int8' ? (quantization?.zeroPoint[0] ?? 0) & 0xff : 0
  const isState = isVariable && data === undefined && !inputs.includes(index)
  return {
    name: name === '' ? `#${index}` : name,
    shape,
    dtype,
    ...(quantization && { quantization }),
    ...(data && { data }),
    ...(isState && { state: { fill } }),
  }
}

/** Blockwise quantisation names other tensors: they become part of the value. */
function withBlocks(value: Value, { blockwise }: TensorRecord, values: readonly Value[]): Value {
  if (blockwise === undefined) return value
  const zeroPoints = values[blockwise.zeroPoints]
  const { blockSize } = blockwise
  const scales = values[blockwise.scales] as Value
  return { ...value, blockwise: { scales, blockSize, ...(zeroPoints && { zeroPoints }) } }
}

/** A custom operator is no other operator, whatever its name. */
function knownAs(type: string, custom: boolean, ops: OpsByType): Op | undefined {
  const op = ops.get(type)
  return (op?.tflite.custom ?? false) === custom ? op : undefined
}

function definitionOf(
  { code, type, version }: OperatorRecord,
  operator: string,
  ops: OpsByType,
  customOps?: OpsByType,
): Op {
  const isCustom = code === CUSTOM
  const known = knownAs(type, isCustom, ops)
  const isIdentity = type === IDENTITY.type && code === IDENTITY.code
  const op = isIdentity ? identity : ((isCustom ? customOps?.get(type) : undefined) ?? known)
  if (op !== undefined) return op
  const message =
    code === CUSTOM
      ? `${operator} is a custom operator, and lowbit has no implementation of it (option customOps takes one)`
      : `${operator}: lowbit does not run the operator ${type} (version ${version})`
  throw new LowbitError('OPERATOR_UNSUPPORTED', message, { operator, actual: type })
}

function attributesOf(op: Op, record: OperatorRecord, operator: string): unknown {
  try {
    return op.tflite.read(record.options, record.customOptions)
  } catch (error) {
    if (!(error instanceof LowbitError) || error.operator !== undefined) throw error
    throw new LowbitError(error.code, `${operator}: ${error.message}`, { operator, cause: error })
  }
}

/** Refuses the ways to keep a tensor that no operator here knows. */
function checkForm(
  record: TensorRecord,
  value: Value,
  allowed: { readonly state: boolean; readonly blockwise: boolean },
  operator: string,
): void {
  const form = record.isSparse
    ? 'is stored sparse'
    : record.blockwise && !allowed.blockwise
      ? 'has blockwise quantisation'
      : record.isVariable && !(allowed.state && value.state !== undefined)
        ? 'keeps state between runs, as an operand'
        : undefined
  if (form !== undefined) {
    const message = `${operator}: tensor "${value.name}" ${form}, which lowbit does not run`
    throw new LowbitError('OPERATOR_UNSUPPORTED', message, { operator, tensor: value.name })
  }
  if (value.data !== undefined) checkShape(value, operator)
}

function inferOutputs(op: Op, node: Node, values: readonly Value[]): Value[] {
  const { origin: operator } = node
  const inferred = op.infer(contextOf(node, values))
  if (inferred.length !== node.outputs.length) {
    const [expected, actual] = [inferred.length, node.outputs.length]
    const message = `${operator}: it has ${actual} outputs, the operator gives ${expected}`
    throw new LowbitError('FILE_INVALID', message, { operator, expected, actual })
  }
  const isKnown = inferred.every(({ data }) => data !== undefined)
  return inferred.map(({ shape, dtype, data }, i) => {
    const declared = values[node.outputs[i] as number] as Value
    if (dtype !== declared.dtype) {
      const [tensor, expected, actual] = [declared.name, dtype, declared.dtype]
      const message = `${operator}: tensor "${tensor}" is declared ${actual}, the operator gives ${expected}`
      throw new LowbitError('FILE_INVALID', message, { operator, tensor, expected, actual })
    }
    const value = sameShape(shape, declared.shape) ? declared : { ...declared, shape }
    checkShape(value, operator)
    return isKnown && data !== undefined ? { ...value, data } : value
  })
}

/**
 * With their bytes, where the node has only constant operands and its results are few integers: such results come from
 * shapes (SHAPE, STRIDED_SLICE, PACK, …) and may decide shapes further on.
 */
function known(
  node: Node,
  results: readonly Value[],
  values: readonly Value[],
  evaluate: Evaluate,
): readonly Value[] {
  const operands = node.inputs.filter((index) => index >= 0).map((index) => values[index])
  const isSmall = ({ dtype, shape }: Value) =>
    (dtype === 'int32' || dtype === 'int64') && elementCount(shape) <= MAX_KNOWN
  if (results.every(({ data }) => data !== undefined) || !results.every(isSmall)) return results
  if (!operands.every((operand) => operand?.data !== undefined && isSmall(operand))) return results
  const placed = [...values]
  for (const [i, value] of results.entries()) placed[node.outputs[i] as number] = value
  const bytes = evaluate({ values: placed, nodes: [node], inputs: [], outputs: node.outputs })
  return results.map((value, i) => ({ ...value, data: bytes[i] as Uint8Array }))
}

/** Extents are integers >= 0, and there are fewer than 2^31 elements. */
function checkShape({ name, shape }: { name: string; shape: Shape }, operator?: string): void {
  const fail = (code: ErrorCode, what: string) => {
    const message = `${operator === undefined ? 'input ' : `${operator}: `}tensor "${name}" ${what}`
    const facts = { tensor: name, actual: shape, ...(operator !== undefined && { operator }) }
    return new LowbitError(code, message, facts)
  }
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw fail('SHAPE_MISMATCH', `would have the shape ${shapeText(shape)}`)
  }
  if (elementCount(shape) >= MAX_ELEMENTS || shape.some((extent) => extent >= MAX_ELEMENTS)) {
    throw fail('LIMIT_EXCEEDED', `of shape ${shapeText(shape)} has 2^31 elements or more`)
  }
}
