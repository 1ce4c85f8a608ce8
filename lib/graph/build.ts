// Model file -> graph: finds each operator's definition, and infers every shape and type in order of execution.
// What the file declares for computed tensors is replaced by what is inferred, as TFLite does. Indices, order and sizes
// of constants were checked when the file was decoded.
//
// Building may have to stop: before an operator whose shapes depend on a value that only a run computes, or at an IF or
// WHILE that no native steps run. It goes on from there once the run has come so far.

import { LowbitError } from '../errors.js'
import type { ModelFile, OperatorRecord, TensorRecord } from '../model/model.js'
import { NeedsValue, type Op, ShapesDiffer } from '../ops/contract.js'
import { head } from '../ops/head.js'
import { identity } from '../ops/variable.js'
import type { Dtype } from '../tensor/dtype.js'
import { type Shape, sameShape } from '../tensor/shape.js'
import { checkForms, checkShape } from './checks.js'
import { contextOf } from './context.js'
import {
  expand,
  type FlatGraph,
  type FlatOperator,
  type FlatTensor,
  HEAD,
  IDENTITY,
  type VariableForm,
} from './expand.js'
import { type Evaluate, type Graph, isCustom, isFoldable, type Node, type Value } from './graph.js'

/** Operators by their type in the schema (`CONV_2D`). */
export type OpsByType = ReadonlyMap<string, Op>

/** What the graphs of a model share. */
export interface BuildOptions {
  readonly ops: OpsByType
  /** Implementations of custom operators, by their names. */
  readonly customOps?: OpsByType
  /** Most operators, those of called subgraphs included. */
  readonly operators?: number
  /** Only this operator of the subgraph (and what it calls), with the shapes that the file declares for what others compute. */
  readonly only?: number
  /** Computes values that shapes depend on, where they follow from constants; else building stops there. */
  readonly evaluate?: Evaluate
  /** Forms of the variables with names; those that are found first are added. */
  readonly variables?: Map<string, VariableForm>
}

/** Which graph of a file, and what is not as the file says. */
export interface Start {
  readonly subgraph: number
  /** Inputs whose shape, or more than that, is known better than by the file. */
  readonly inputs?: readonly (Given | undefined)[]
  /** Variables behind the handles that it is given, by its tensors. */
  readonly handles?: ReadonlyMap<number, string>
  /** Where it is called, for messages: `WHILE #3 / `. */
  readonly prefix?: string
}

export interface Given {
  readonly shape: Shape
  readonly dtype?: Dtype
  /** The bytes, where they are always these. */
  readonly data?: Uint8Array
}

/** Where building stands: before an operator of the flat list. */
export interface Cursor {
  readonly subgraph: number
  readonly flat: FlatGraph
  /** Tensors of the flat list, with what is known of them. */
  readonly values: readonly Value[]
  readonly next: number
}

/** Why building stopped. */
export type Stop =
  /** An operator needs to know the value. */
  | { readonly kind: 'value'; readonly value: number; readonly error: LowbitError }
  /** The operator is an IF or WHILE whose shapes, or operators, are for the run to decide. */
  | { readonly kind: 'call'; readonly operator: FlatOperator }

/** A stretch of nodes. */
export interface Piece {
  readonly nodes: readonly Node[]
  /** After the nodes. */
  readonly end: Cursor
  /** Undefined where the subgraph is complete. */
  readonly stop?: Stop
}

/** Graphs that call graphs are nested so deeply at most. */
export const MOST_DEPTH = 32

/** Builtin code of all custom operators. */
const CUSTOM = 32

/** For tests and tools that build what they made themselves. */
const DEFAULT_OPERATORS = 2 ** 20

/** For tests and tools: the graph of a subgraph, which must not depend on what runs compute. */
export function build(
  file: ModelFile,
  ops: OpsByType,
  options: Omit<BuildOptions, 'ops'> & Partial<Start> = {},
): Graph {
  const all = { ...options, ops }
  const { nodes, end, stop } = advance(file, open(file, all, { subgraph: 0, ...options }), all)
  if (stop?.kind === 'value') throw stop.error
  if (stop !== undefined) {
    const { origin } = stop.operator
    throw new LowbitError('OPERATOR_UNSUPPORTED', `${origin}: its shapes are decided in the run`, {
      operator: origin,
    })
  }
  return graphOf(end, nodes)
}

/** The whole graph, where one piece is all of it. Value i of the graph is tensor i of the subgraph; others follow. */
export function graphOf({ subgraph, flat, values }: Cursor, nodes: readonly Node[]): Graph {
  const inputs = flat.inputs.filter((index) => values[index]?.data === undefined)
  return { values, nodes, inputs, outputs: flat.outputs, subgraph }
}

/**
 * The beginning of a subgraph.
 *
 * @throws {LowbitError} What `expand` throws, and as `advance` for shapes of inputs.
 */
export function open(file: ModelFile, options: BuildOptions, start: Start): Cursor {
  const { subgraph } = start
  if (file.subgraphs[subgraph] === undefined) {
    throw new LowbitError('FILE_INVALID', 'the file has no subgraph')
  }
  const limit = options.operators ?? DEFAULT_OPERATORS
  return openIn(file, start, contextFor(options, { operators: limit, limit }))
}

/**
 * Builds on from a cursor, as far as shapes can be known.
 *
 * @throws {LowbitError} `OPERATOR_UNSUPPORTED` for an operator, or a form of one, that no definition in `ops` runs;
 *   `FILE_INVALID` if operands are missing or are declared with the wrong type; `SHAPE_MISMATCH` if shapes do not fit;
 *   `LIMIT_EXCEEDED` for a tensor of 2^31 elements or more, or calls that grow beyond `operators`.
 */
export function advance(file: ModelFile, cursor: Cursor, options: BuildOptions): Piece {
  const limit = options.operators ?? DEFAULT_OPERATORS
  return advanceIn(file, cursor, contextFor(options, { operators: limit, limit }))
}

/** Options, and what the graphs that call each other share. */
interface Context extends BuildOptions {
  readonly budget: { operators: number; readonly limit: number }
  readonly variables: Map<string, VariableForm>
  readonly depth: number
}

function contextFor(options: BuildOptions, budget: Context['budget']): Context {
  return { ...options, budget, variables: options.variables ?? new Map(), depth: 0 }
}

function openIn(file: ModelFile, start: Start, context: Context): Cursor {
  const { subgraph, inputs: given = [] } = start
  const flat = expand(file, subgraph, { ...context, ...start })
  const { tensors, inputs } = flat
  const plain = tensors.map((record, index) => toValue(record, index, inputs))
  const values = plain.map((value, index) => withBlocks(value, tensors[index] as TensorRecord, plain))
  for (const [i, index] of inputs.entries()) {
    const value = { ...(values[index] as Value), ...given[i] }
    if (value.dtype !== plain[index]?.dtype) throw wrongInput(start, plain[index] as Value, value.dtype)
    values[index] = value
    checkShape(value)
  }
  return { subgraph, flat, values, next: 0 }
}

function advanceIn(file: ModelFile, cursor: Cursor, context: Context): Piece {
  const { flat } = cursor
  const values = [...cursor.values]
  const nodes: Node[] = []
  const at = (next: number): Cursor => ({ ...cursor, values, next })
  for (let next = cursor.next; next < flat.operators.length; next++) {
    const operator = flat.operators[next] as FlatOperator
    if (context.only !== undefined && context.only !== operator.position) continue
    const op = definitionOf(operator.record, operator.origin, context)
    checkForms(op, operator, flat.tensors, values)
    let node: Node | undefined
    try {
      node = nodeOf(file, op, operator, values, context)
      if (node === undefined) return { nodes, end: at(next), stop: { kind: 'call', operator } }
      const results = inferOutputs(op, node, values)
      for (const [i, value] of results.entries()) values[node.outputs[i] as number] = value
      // A node without outputs changes state.
      if (results.length === 0 || !results.every(({ data }) => data !== undefined)) nodes.push(node)
    } catch (error) {
      if (error instanceof ShapesDiffer) return { nodes, end: at(next), stop: { kind: 'call', operator } }
      if (!(error instanceof NeedsValue) || node === undefined) throw error
      const index = node.inputs.find((input) => values[input] === error.operand) ?? -1
      if (index < 0) throw error
      const known = evaluated(graphOf(at(next), nodes), index, context.evaluate)
      if (known === undefined) return { nodes, end: at(next), stop: { kind: 'value', value: index, error } }
      for (const [output, data] of known.results) values[output] = { ...(values[output] as Value), data }
      nodes.splice(nodes.indexOf(known.node), 1)
      next--
    }
  }
  return { nodes, end: at(flat.operators.length) }
}

/** Runs a node of a graph, if its results follow from constants; a value that it computes names it. */
function evaluated(
  graph: Graph,
  value: number,
  evaluate: Evaluate | undefined,
): { readonly node: Node; readonly results: readonly (readonly [number, Uint8Array])[] } | undefined {
  const node = graph.nodes.find(({ outputs }) => outputs.includes(value))
  if (node === undefined || evaluate === undefined) return undefined
  const needed = new Set(node.outputs)
  const nodes: Node[] = []
  for (const one of graph.nodes.toReversed()) {
    if (!one.outputs.some((index) => needed.has(index))) continue
    if (!isFoldable(one, graph.values)) return undefined
    nodes.push(one)
    for (const index of one.inputs) needed.add(index)
  }
  const made = new Set(nodes.flatMap(({ outputs }) => outputs))
  const isKnown = (index: number) => index < 0 || made.has(index) || graph.values[index]?.data !== undefined
  if (![...needed].every(isKnown)) return undefined
  const bytes = evaluate({ ...graph, nodes: nodes.reverse(), inputs: [], outputs: node.outputs })
  return { node, results: node.outputs.map((index, i) => [index, bytes[i] as Uint8Array]) }
}

/** Undefined for a call that no steps of this graph can be. */
function nodeOf(
  file: ModelFile,
  op: Op,
  operator: FlatOperator,
  values: readonly Value[],
  context: Context,
): Node | undefined {
  const { record, origin, inputs, outputs, intermediates, calls } = operator
  const node: Node = {
    op: op.name,
    origin,
    attributes: attributesOf(op, record, origin),
    inputs,
    outputs,
    ...(intermediates.length > 0 && { intermediates }),
  }
  if (calls.length === 0) return node
  if (context.depth >= MOST_DEPTH) {
    const message = `${origin}: calls of subgraphs are nested more than ${MOST_DEPTH} deep`
    throw new LowbitError('LIMIT_EXCEEDED', message, { operator: origin })
  }
  const fixed = fixedArguments(operator, values)
  const graphs: Graph[] = []
  for (const { subgraph, handles } of calls) {
    const args = argumentsOf(operator).map((index): Given => {
      const { shape, dtype, data } = values[index] as Value
      return { shape, dtype, ...(data && fixed.has(index) && { data }) }
    })
    const inner = { ...context, depth: context.depth + 1 }
    const cursor = openIn(file, { subgraph, inputs: args, handles, prefix: `${origin} / ` }, inner)
    const { only: _, ...whole } = inner
    const { nodes, end, stop } = advanceIn(file, cursor, whole)
    if (stop !== undefined || nodes.some(isCustom)) {
      if (record.type !== 'CALL_ONCE') return undefined
      const message = `${origin}: what it calls has custom operators, or shapes that a run decides, which lowbit does not run`
      throw new LowbitError('OPERATOR_UNSUPPORTED', message, { operator: origin })
    }
    graphs.push(graphOf(end, nodes))
  }
  return { ...node, inputs: inputs.filter((index) => !fixed.has(index)), graphs }
}

/** Operands that the called subgraphs are given. */
export function argumentsOf({ record, inputs }: FlatOperator): readonly number[] {
  return record.type === 'WHILE' ? inputs : inputs.slice(1)
}

/** Arguments that a branch may take as constants. Those of a loop change. */
function fixedArguments(operator: FlatOperator, values: readonly Value[]): ReadonlySet<number> {
  if (operator.record.type !== 'IF') return new Set()
  const args = argumentsOf(operator).filter((index) => values[index]?.data !== undefined)
  return new Set(args.filter((index) => index !== operator.inputs[0]))
}

function wrongInput({ prefix = '' }: Start, { name, dtype }: Value, actual: Dtype): LowbitError {
  const message = `${prefix}input "${name}" is ${dtype}, the subgraph is called with ${actual}`
  return new LowbitError('FILE_INVALID', message, { tensor: name, expected: dtype, actual })
}

function toValue(record: FlatTensor, index: number, inputs: readonly number[]): Value {
  const { name, shape, dtype, quantization, data, key } = record
  // As TFLite resets it: the zero point for int8, zero for all others.
  const fill = dtype === 'int8' ? (quantization?.zeroPoint[0] ?? 0) & 0xff : 0
  const isState = key !== undefined && !inputs.includes(index)
  return {
    name: name === '' ? `#${index}` : name,
    shape,
    dtype,
    ...(quantization && { quantization }),
    ...(data && { data }),
    ...(isState && { state: { key, fill } }),
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
  { ops, customOps }: BuildOptions,
): Op {
  if (type === IDENTITY.type && code === IDENTITY.code) return identity
  if (type === HEAD.type && code === HEAD.code) return head
  const isCustom = code === CUSTOM
  const op = (isCustom ? customOps?.get(type) : undefined) ?? knownAs(type, isCustom, ops)
  if (op !== undefined) return op
  const message = isCustom
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
