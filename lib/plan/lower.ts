// Graph -> steps over numbered tensors, in order of execution, before anything is placed in memory.

import { LowbitError } from '../errors.js'
import { contextOf } from '../graph/context.js'
import type { Graph } from '../graph/graph.js'
import type { Op, Operand, Step } from '../ops/contract.js'
import { byteLength } from '../tensor/dtype.js'
import type { PlannedStep } from './plan.js'

/** Operators by their name in graphs (`conv2d`). */
export type OpsByName = ReadonlyMap<string, Op>

export interface LoweredTensor {
  readonly operand: Operand
  readonly bytes: number
}

export interface Lowering {
  readonly tensors: readonly LoweredTensor[]
  readonly steps: readonly PlannedStep[]
  /** Pairs of tensors that are the same bytes: a view, and the tensor that it shows. */
  readonly views: readonly (readonly [view: number, shown: number])[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

/** Lowers all nodes in the file's order. Tensors are the operands that some step, input, output or view has. */
export function lower(graph: Graph, ops: OpsByName): Lowering {
  const tensors: LoweredTensor[] = []
  const indices = new Map<Operand, number>()
  const indexOf = (operand: Operand | null): number => {
    if (operand === null) return -1
    const known = indices.get(operand)
    if (known !== undefined) return known
    indices.set(operand, tensors.length)
    return tensors.push({ operand, bytes: bytesOf(operand) }) - 1
  }
  const valueIndex = (value: number) => indexOf(graph.values[value] as Operand)

  const steps: PlannedStep[] = []
  const views: (readonly [number, number])[] = []
  const inputs = graph.inputs.map(valueIndex)
  for (const node of graph.nodes) {
    const op = ops.get(node.op)
    if (op === undefined) throw new LowbitError('INTERNAL', `${node.origin}: no definition of ${node.op}`)
    const context = contextOf(node, graph.values)
    const lowered = op.lower(context)
    if ('view' in lowered) {
      const pair = [indexOf(context.output(0)), indexOf(context.input(0))] as const
      if (tensors[pair[0]]?.bytes !== tensors[pair[1]]?.bytes) {
        throw context.fail('INTERNAL', 'a view of another size than what it shows')
      }
      views.push(pair)
    } else {
      for (const step of lowered.steps) {
        const { origin, op: name } = node
        steps.push({
          step: node.once ? { ...step, once: true } : step,
          origin,
          op: name,
          inputs: step.inputs.map(indexOf),
          outputs: step.outputs.map(indexOf),
        })
      }
    }
  }
  const outputs = graph.outputs.map(valueIndex)
  const once = steps.filter(({ step }) => step.once)
  for (const { operand, bytes } of [...tensors]) {
    if (operand.state === undefined || operand.state.fill === 0) continue
    const data = new Uint8Array(bytes).fill(operand.state.fill)
    const first: Operand = { name: operand.name, shape: operand.shape, dtype: operand.dtype, data }
    const step: Step = { kind: 'copy', inputs: [first], outputs: [operand], attributes: {}, once: true }
    const origin = `state "${operand.name}"`
    once.unshift({ step, origin, op: 'state', inputs: [indexOf(first)], outputs: [indexOf(operand)] })
  }
  return { tensors, steps: [...once, ...steps.filter(({ step }) => !step.once)], views, inputs, outputs }
}

function bytesOf({ name, dtype, shape }: Operand): number {
  const bytes = byteLength(dtype, shape)
  if (bytes !== undefined) return bytes
  throw new LowbitError(
    'DTYPE_UNSUPPORTED',
    `tensor "${name}" is of type ${dtype}, which lowbit does not run`,
    {
      tensor: name,
      actual: dtype,
    },
  )
}
