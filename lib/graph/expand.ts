// Subgraphs -> one flat list of operators: those that only call a subgraph (STABLEHLO_COMPOSITE by its decomposition,
// CALL_ONCE) are replaced by what they call, and resource handles by the state that they name.

import { LowbitError } from '../errors.js'
import type { ModelFile, OperatorRecord, Subgraph, TensorRecord } from '../model/model.js'

/** A tensor of the flat list. */
export interface FlatTensor extends TensorRecord {
  /** Memory that operators share under one name; its shape and type are those with which it is read or written. */
  readonly variable?: boolean
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
  /** Part of what runs before the first run only. */
  readonly once: boolean
}

export interface FlatGraph {
  /** First the tensors of the subgraph, under their own indices. */
  readonly tensors: readonly FlatTensor[]
  readonly operators: readonly FlatOperator[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

/** Bounds on what calls may grow into, since a chain of subgraphs that call the next one twice doubles at each step. */
export interface ExpandLimits {
  /** Operators, calls included. */
  readonly operators: number
}

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

/** The subgraph that a plain call runs in its place. */
const CALLED: Readonly<Record<string, string>> = {
  STABLEHLO_COMPOSITE: 'decompositionSubgraphIndex',
  CALL: 'subgraph',
}

/**
 * @throws {LowbitError} `FILE_INVALID` if a call and what it calls do not fit; `LIMIT_EXCEEDED` for calls that grow
 *   beyond the limits; `OPERATOR_UNSUPPORTED` for handles that are not of this subgraph.
 */
export function expand(file: ModelFile, place: number, limits: ExpandLimits): FlatGraph {
  const main = file.subgraphs[place] as Subgraph
  const tensors: FlatTensor[] = [...main.tensors]
  const first: FlatOperator[] = []
  const rest: FlatOperator[] = []
  const begun = new Set<number>()
  /** Constants and variables of called subgraphs, which all calls share. */
  const shared = new Map<TensorRecord, number>()
  const states = new Map<string, number>()
  /** What each resource tensor is the handle of. */
  const handles = new Map<number, number>()
  let count = 0
  let operands = 0

  const stateOf = (origin: string, handle: number | undefined): number => {
    const state = handles.get(handle ?? -1)
    if (state !== undefined) return state
    const message = `${origin}: its variable is not named by a VAR_HANDLE before it, which lowbit does not run`
    throw new LowbitError('OPERATOR_UNSUPPORTED', message, { operator: origin })
  }
  /** The state takes the form in which the file reads it or writes to it for the first time. */
  const giveForm = (state: number, from: number | undefined): void => {
    const form = tensors[from ?? -1]
    if (form === undefined || !tensors[state]?.variable || tensors[state]?.dtype !== 'resource') return
    const { shape, shapeSignature, dtype, quantization } = form
    const { name } = tensors[state] as FlatTensor
    tensors[state] = {
      name,
      shape,
      shapeSignature,
      dtype,
      ...(quantization && { quantization }),
      isVariable: true,
      isSparse: false,
      variable: true,
    }
  }

  const visit = (
    { operators, tensors: own }: Subgraph,
    indexOf: (tensor: number) => number,
    prefix: string,
    once: boolean,
    depth: number,
    caller?: number,
  ): void => {
    for (const [at, record] of operators.entries()) {
      const position = caller ?? at
      const origin = `${prefix}${record.type} #${at}`
      if (++count > limits.operators) {
        const message = `${origin}: with what is called the model has more than ${limits.operators} operators (limits.steps)`
        throw new LowbitError('LIMIT_EXCEEDED', message, { operator: origin, expected: limits.operators })
      }
      if (depth > 0) operands += record.inputs.length + record.outputs.length
      if (depth > MOST_DEPTH || operands > MOST_CALLED_OPERANDS) {
        const message = `${origin}: calls of subgraphs are nested too deeply, or grow too large`
        throw new LowbitError('LIMIT_EXCEEDED', message, { operator: origin })
      }
      const emit = (type: OperatorRecord, inputs: readonly number[], outputs: readonly number[]) => {
        const intermediates = record.intermediates.map((tensor) => (depth > 0 ? indexOf(tensor) : tensor))
        ;(once ? first : rest).push({ record: type, origin, position, inputs, outputs, intermediates, once })
      }
      const field = CALLED[record.type]
      if (record.type === 'CALL_ONCE') {
        const callee = Number(record.options['initSubgraphIndex'] ?? 0)
        const body = calleeOf(file, callee, record, origin, 0, 0)
        // However many operators call it, it runs once.
        if (begun.has(callee)) continue
        begun.add(callee)
        visit(body, mapping(body, [], []), `${origin} / `, true, depth + 1, position)
      } else if (field !== undefined && Number(record.options[field] ?? -1) >= 0) {
        const callee = Number(record.options[field])
        const body = calleeOf(file, callee, record, origin, record.inputs.length, record.outputs.length)
        const [inputs, outputs] = [record.inputs.map(indexOf), record.outputs.map(indexOf)]
        const inner = mapping(body, inputs, outputs)
        visit(body, inner, `${origin} / `, once, depth + 1, position)
        // An output that is an input or a constant of the callee, or is listed twice.
        for (const [i, output] of outputs.entries()) {
          const from = inner(body.outputs[i] as number)
          if (from !== output) emit(IDENTITY, [from], [output])
        }
      } else if (record.type === 'VAR_HANDLE') {
        const handle = indexOf(record.outputs[0] ?? -1)
        const [container, sharedName] = [record.options['container'], record.options['sharedName']]
        const key = `${String(container ?? '')}\0${String(sharedName ?? '')}`
        const name = String(sharedName ?? '') || (own[record.outputs[0] ?? -1]?.name ?? '')
        const state = states.get(key) ?? tensors.push(unformed(name)) - 1
        states.set(key, state)
        handles.set(handle, state)
      } else if (record.type === 'READ_VARIABLE') {
        const state = stateOf(origin, indexOf(record.inputs[0] ?? -1))
        const outputs = record.outputs.map(indexOf)
        giveForm(state, outputs[0])
        emit(record, [state], outputs)
      } else if (record.type === 'ASSIGN_VARIABLE') {
        const state = stateOf(origin, indexOf(record.inputs[0] ?? -1))
        const value = record.inputs.slice(1).map(indexOf)
        giveForm(state, value[0])
        emit(record, [state, ...value], record.outputs.map(indexOf))
      } else {
        emit(record, record.inputs.map(indexOf), record.outputs.map(indexOf))
      }
    }
  }

  /** Indices of a called subgraph's tensors in the flat list, made as they are asked for. */
  const mapping = (body: Subgraph, inputs: readonly number[], outputs: readonly number[]) => {
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
      const moved =
        blockwise === undefined
          ? record
          : {
              ...record,
              blockwise: {
                scales: inFlat(blockwise.scales),
                zeroPoints: inFlat(blockwise.zeroPoints),
                blockSize: blockwise.blockSize,
              },
            }
      const fresh = (isShared ? shared.get(record) : undefined) ?? tensors.push(moved) - 1
      if (isShared) shared.set(record, fresh)
      known.set(tensor, fresh)
      return fresh
    }
    return inFlat
  }

  visit(main, (tensor) => tensor, '', false, 0)
  return { tensors, operators: [...first, ...rest], inputs: main.inputs, outputs: main.outputs }
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

/** A variable of which only the name is known yet. */
function unformed(name: string): FlatTensor {
  return {
    name,
    shape: [],
    shapeSignature: [],
    dtype: 'resource',
    isVariable: true,
    isSparse: false,
    variable: true,
  }
}
