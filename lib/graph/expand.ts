// A subgraph -> a flat list of operators: those that only call a subgraph (STABLEHLO_COMPOSITE by its decomposition, CALL)
// are replaced by what they call, resource handles by the state that they name, and operators whose output is as long as
// their data say by themselves and a HEAD. IF, WHILE and CALL_ONCE say which subgraphs they call.

import { LowbitError } from '../errors.js'
import type { ModelFile, OperatorRecord, Subgraph, TensorRecord } from '../model/model.js'

/** A tensor of the flat list. */
export interface FlatTensor extends TensorRecord {
  /** Names the memory of a variable, in all subgraphs alike. */
  readonly key?: string
}

/** What is called by IF, WHILE or CALL_ONCE, and what it is given. */
export interface FlatCall {
  readonly subgraph: number
  /** Variables that the callee knows by handles that it is given, by its tensors. */
  readonly handles: ReadonlyMap<number, string>
}

export interface FlatOperator {
  readonly record: OperatorRecord
  /** For messages: `CONV_2D #12`, within a called subgraph `STABLEHLO_COMPOSITE #5 / CONV_2D #12`. */
  readonly origin: string
  /** Which operator of the subgraph it is, or is called by. */
  readonly position: number
  /** Indices of flat tensors; -1 for an absent operand. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly intermediates: readonly number[]
  readonly calls: readonly FlatCall[]
}

export interface FlatGraph {
  /** First the tensors of the subgraph, under their own indices. */
  readonly tensors: readonly FlatTensor[]
  readonly operators: readonly FlatOperator[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

/** What the flat lists of one model share. */
export interface ExpandOptions {
  /**
   * Operators that may still come, calls included: a chain of subgraphs that call the next one twice doubles at each
   * step.
   */
  readonly budget: { operators: number; readonly limit: number }
  /** Shapes and types of the variables with names, by their keys; found ones are added. */
  readonly variables: Map<string, VariableForm>
  /** Variables behind the handles that the subgraph is given, by its tensors. */
  readonly handles?: ReadonlyMap<number, string>
  /** Where it is called, for messages: `WHILE #3 / `. */
  readonly prefix?: string
}

/** How a variable looks: as the file reads it or writes to it for the first time. */
export type VariableForm = Pick<TensorRecord, 'shape' | 'shapeSignature' | 'dtype' | 'quantization'>

const MOST_DEPTH = 64
const MOST_CALLED_OPERANDS = 2 ** 20

/** Type of the operators that stand for the same value under another index. */
export const IDENTITY: OperatorRecord = {
  code: -1,
  type: 'LOWBIT_IDENTITY',
  version: 1,
  inputs: [],
  outputs: [],
  intermediates: [],
  options: {},
}

/** Type of the operators that give the first entries of their first operand, as many as their second one says. */
export const HEAD: OperatorRecord = { ...IDENTITY, code: -2, type: 'LOWBIT_HEAD' }

/** Operators of which output 0 has as many entries as a further output says: their definitions give both. */
const COUNTED = ['WHERE', 'UNIQUE']

/** The subgraphs that an operator runs as often as it will. */
const RUN: ReadonlyMap<string, readonly string[]> = new Map([
  ['IF', ['thenSubgraphIndex', 'elseSubgraphIndex']],
  ['WHILE', ['condSubgraphIndex', 'bodySubgraphIndex']],
  ['CALL_ONCE', ['initSubgraphIndex']],
])

/** The subgraph that a plain call runs in its place. */
const CALLED: ReadonlyMap<string, string> = new Map([
  ['STABLEHLO_COMPOSITE', 'decompositionSubgraphIndex'],
  ['CALL', 'subgraph'],
])

/**
 * @throws {LowbitError} `FILE_INVALID` if a call and what it calls do not fit; `LIMIT_EXCEEDED` for calls that grow
 *   beyond the limits; `OPERATOR_UNSUPPORTED` for handles that nothing before them names.
 */
export function expand(file: ModelFile, place: number, options: ExpandOptions): FlatGraph {
  const flat = new Expansion(file, options)
  const main = file.subgraphs[place] as Subgraph
  flat.tensors.push(...main.tensors.map((record, index) => withKey(record, place, index)))
  for (const [tensor, key] of options.handles ?? []) flat.name(tensor, key)
  flat.visit(place, (tensor) => tensor, options.prefix ?? '', 0)
  const given = (tensor: number) => !options.handles?.has(tensor)
  // Handles go in and out of called subgraphs as names alone.
  const isPlain = (tensor: number) =>
    options.handles === undefined || main.tensors[tensor]?.dtype !== 'resource'
  return {
    tensors: flat.tensors,
    operators: flat.operators,
    inputs: main.inputs.filter(given),
    outputs: main.outputs.filter(isPlain),
  }
}

type IndexOf = (tensor: number) => number

/** A flat list as it grows. */
class Expansion {
  readonly tensors: FlatTensor[] = []
  readonly operators: FlatOperator[] = []
  readonly #file: ModelFile
  readonly #options: ExpandOptions
  /** Constants and variables of called subgraphs, which all calls share. */
  readonly #shared = new Map<TensorRecord, number>()
  /** Tensors of the variables, by their keys. */
  readonly #states = new Map<string, number>()
  /** The key of the variable behind each resource tensor. */
  readonly #handles = new Map<number, string>()
  #operands = 0

  constructor(file: ModelFile, options: ExpandOptions) {
    this.#file = file
    this.#options = options
  }

  /** From here on a tensor is the handle of a variable. */
  name(tensor: number, key: string): void {
    this.#handles.set(tensor, key)
  }

  visit(place: number, indexOf: IndexOf, prefix: string, depth: number, caller?: number): void {
    const { operators, tensors } = this.#file.subgraphs[place] as Subgraph
    for (const [at, record] of operators.entries()) {
      const origin = `${prefix}${record.type} #${at}`
      this.#count(record, origin, depth)
      const site = { origin, position: caller ?? at, indexOf }
      const field = CALLED.get(record.type)
      const state = VARIABLES.includes(record.type)
      if (RUN.has(record.type)) this.#run(record, site)
      else if (field !== undefined && Number(record.options[field] ?? -1) >= 0)
        this.#inline(record, Number(record.options[field]), site, depth)
      else if (record.type === 'VAR_HANDLE') this.#handle(record, tensors, indexOf)
      else if (state) this.#variable(record, site)
      else if (COUNTED.includes(record.type)) this.#counted(record, site)
      else this.#emit(record, site, record.inputs.map(indexOf), record.outputs.map(indexOf))
    }
  }

  #emit(
    record: OperatorRecord,
    { origin, position, indexOf }: Site,
    inputs: readonly number[],
    outputs: readonly number[],
    calls: readonly FlatCall[] = [],
  ): void {
    const intermediates = record.intermediates.map(indexOf)
    this.operators.push({ record, origin, position, inputs, outputs, intermediates, calls })
  }

  #count({ inputs, outputs }: OperatorRecord, operator: string, depth: number): void {
    const { budget } = this.#options
    if (--budget.operators < 0) {
      const message = `${operator}: with what is called the model has more than ${budget.limit} operators (limits.steps)`
      throw new LowbitError('LIMIT_EXCEEDED', message, { operator, expected: budget.limit })
    }
    if (depth > 0) this.#operands += inputs.length + outputs.length
    if (depth > MOST_DEPTH || this.#operands > MOST_CALLED_OPERANDS) {
      const message = `${operator}: calls of subgraphs are nested too deeply, or grow too large`
      throw new LowbitError('LIMIT_EXCEEDED', message, { operator })
    }
  }

  /** IF, WHILE, CALL_ONCE: the operator stays, with what it calls. */
  #run(record: OperatorRecord, site: Site): void {
    const { origin, indexOf } = site
    const isLoop = record.type === 'WHILE'
    const args = record.inputs.slice(record.type === 'IF' ? 1 : 0).map(indexOf)
    const results = record.outputs.map(indexOf)
    if (args.includes(-1) || (isLoop && args.length !== results.length)) {
      const message = `${origin}: it has ${args.length} inputs and ${results.length} outputs, or one is absent`
      throw new LowbitError('FILE_INVALID', message, { operator: origin })
    }
    const calls = (RUN.get(record.type) ?? []).map((field, i): FlatCall => {
      const subgraph = Number(record.options[field] ?? 0)
      const outputs = isLoop && i === 0 ? 1 : results.length
      const { inputs } = calleeOf(this.#file, subgraph, record, origin, args.length, outputs)
      const handles = inputs.flatMap((tensor, k) => {
        const key = this.#handles.get(args[k] as number)
        return key === undefined ? [] : [[tensor, key] as const]
      })
      return { subgraph, handles: new Map(handles) }
    })
    if (isLoop) {
      for (const [i, result] of results.entries()) {
        const key = this.#handles.get(args[i] as number)
        if (key !== undefined) this.name(result, key)
      }
    }
    const isPlain = (tensor: number) => this.tensors[tensor]?.dtype !== 'resource'
    const isGiven = (tensor: number) => !this.#handles.has(tensor)
    const first = record.type === 'IF' ? [indexOf(record.inputs[0] ?? -1)] : []
    // Whether it has run is a variable, too.
    if (record.type === 'CALL_ONCE') first.push(this.#state(`once:${calls[0]?.subgraph}`, origin, DONE))
    this.#emit(record, site, [...first, ...args.filter(isGiven)], results.filter(isPlain), calls)
  }

  #inline(record: OperatorRecord, callee: number, site: Site, depth: number): void {
    const { origin, position, indexOf } = site
    const body = calleeOf(this.#file, callee, record, origin, record.inputs.length, record.outputs.length)
    const [inputs, outputs] = [record.inputs.map(indexOf), record.outputs.map(indexOf)]
    const inner = this.#mapping(callee, body, inputs, outputs)
    this.visit(callee, inner, `${origin} / `, depth + 1, position)
    // An output that is an input or a constant of the callee, or is listed twice.
    for (const [i, output] of outputs.entries()) {
      const from = inner(body.outputs[i] as number)
      if (from !== output) this.#emit(IDENTITY, site, [from], [output])
    }
  }

  #handle(
    { type, outputs, options }: OperatorRecord,
    tensors: readonly TensorRecord[],
    indexOf: IndexOf,
  ): void {
    const tensor = tensors[outputs[0] ?? -1]
    if (tensor?.dtype !== 'resource') {
      const message = `${type} gives a handle, and its output "${tensor?.name}" is ${tensor?.dtype}`
      const facts = { expected: 'resource', actual: tensor?.dtype }
      throw new LowbitError('FILE_INVALID', message, { operator: type, tensor: tensor?.name ?? '', ...facts })
    }
    const { container = '', sharedName = '' } = options
    const name = String(sharedName) || tensor.name
    this.name(indexOf(outputs[0] ?? -1), `variable:${String(container)}\0${name}`)
  }

  /** READ_VARIABLE and ASSIGN_VARIABLE: the handle becomes the variable. */
  #variable(record: OperatorRecord, site: Site): void {
    const { origin, indexOf } = site
    const key = this.#handles.get(indexOf(record.inputs[0] ?? -1))
    if (key === undefined) {
      const message = `${origin}: its variable is not named by a VAR_HANDLE before it, which lowbit does not run`
      throw new LowbitError('OPERATOR_UNSUPPORTED', message, { operator: origin })
    }
    const inputs = record.inputs.slice(1).map(indexOf)
    const outputs = record.outputs.map(indexOf)
    const form = this.tensors[inputs[0] ?? outputs[0] ?? -1]
    this.#emit(record, site, [this.#state(key, origin, form), ...inputs], outputs)
  }

  /** The tensor of a variable; its form is that of its first use in the model. */
  #state(key: string, operator: string, form: VariableForm | undefined): number {
    const { variables } = this.#options
    const known = this.#states.get(key)
    if (known !== undefined) return known
    const found = variables.get(key) ?? form
    if (found === undefined) {
      throw new LowbitError('FILE_INVALID', `${operator}: it reads or writes nothing`, { operator })
    }
    const { shape, shapeSignature, dtype, quantization } = found
    const own = { shape, shapeSignature, dtype, ...(quantization && { quantization }) }
    variables.set(key, own)
    const name = key.slice(key.lastIndexOf('\0') + 1)
    const state = this.tensors.push({ ...own, name, isVariable: true, isSparse: false, key }) - 1
    this.#states.set(key, state)
    return state
  }

  /** The operator gives as much as there can be, and how much there is. */
  #counted(record: OperatorRecord, site: Site): void {
    const outputs = record.outputs.map(site.indexOf)
    const declared = this.tensors[outputs[0] ?? -1]
    const { name = '', dtype = 'int32' } = declared ?? {}
    const plain = { isVariable: false, isSparse: false, shape: [], shapeSignature: [] }
    const whole = this.tensors.push({ ...plain, name: `${name}/whole`, dtype }) - 1
    const count = this.tensors.push({ ...plain, name: `${name}/count`, dtype: 'int32' }) - 1
    const rest = outputs.slice(1)
    this.#emit(record, site, record.inputs.map(site.indexOf), [whole, ...rest, count])
    this.#emit(HEAD, site, [whole, count], outputs.slice(0, 1))
  }

  /** Indices of a called subgraph's tensors in the flat list, made as they are asked for. */
  #mapping(place: number, body: Subgraph, inputs: readonly number[], outputs: readonly number[]): IndexOf {
    const known = new Map<number, number>()
    for (const [i, tensor] of body.inputs.entries()) known.set(tensor, inputs[i] ?? -1)
    for (const [i, tensor] of body.outputs.entries()) {
      const record = body.tensors[tensor] as TensorRecord
      const isComputed = record.data === undefined && !record.isVariable
      if (isComputed && !known.has(tensor)) known.set(tensor, outputs[i] ?? -1)
    }
    const inFlat = (tensor: number): number => {
      if (tensor < 0) return -1
      const index = known.get(tensor)
      if (index !== undefined) return index
      const record = body.tensors[tensor] as TensorRecord
      const isShared = record.data !== undefined || record.isVariable
      const { blockwise } = record
      const moved = withKey(record, place, tensor)
      const scaled =
        blockwise === undefined
          ? moved
          : {
              ...moved,
              blockwise: {
                scales: inFlat(blockwise.scales),
                zeroPoints: inFlat(blockwise.zeroPoints),
                blockSize: blockwise.blockSize,
              },
            }
      const fresh = (isShared ? this.#shared.get(record) : undefined) ?? this.tensors.push(scaled) - 1
      if (isShared) this.#shared.set(record, fresh)
      known.set(tensor, fresh)
      return fresh
    }
    return inFlat
  }
}

/** Operators of files that no graph has: flat lists have something else in their place. */
export const REPLACED: readonly string[] = [...CALLED.keys(), 'VAR_HANDLE']

/** Where an operator stands. */
interface Site {
  readonly origin: string
  readonly position: number
  readonly indexOf: IndexOf
}

const VARIABLES = ['READ_VARIABLE', 'ASSIGN_VARIABLE']

/** The form of the variable that tells whether a CALL_ONCE has run. */
const DONE: VariableForm = { shape: [], shapeSignature: [], dtype: 'bool' }

/** Variable tensors are the same memory whoever calls their subgraph. */
function withKey(record: TensorRecord, place: number, index: number): FlatTensor {
  return record.isVariable && record.data === undefined ? { ...record, key: `${place}:${index}` } : record
}

function calleeOf(
  file: ModelFile,
  callee: number,
  record: OperatorRecord,
  origin: string,
  inputs: number,
  outputs: number,
): Subgraph {
  const body = file.subgraphs[callee]
  if (body === undefined) {
    throw new LowbitError('FILE_INVALID', `${origin}: subgraph ${callee} does not exist`, {
      operator: origin,
      actual: callee,
    })
  }
  if (body.inputs.length !== inputs || body.outputs.length !== outputs) {
    const actual = `${inputs} inputs and ${outputs} outputs`
    const expected = `${body.inputs.length} and ${body.outputs.length}`
    const message = `${origin}: ${record.type} has ${actual}, the subgraph it calls ${expected}`
    throw new LowbitError('FILE_INVALID', message, { operator: origin, expected, actual })
  }
  return body
}
