// Graph -> steps over numbered tensors, in order of execution, before anything is placed in memory.

import { LowbitError } from '../errors.js'
import { contextOf } from '../graph/context.js'
import type { Graph, Node } from '../graph/graph.js'
import type { Flow, Op, Operand } from '../ops/contract.js'
import { byteLength } from '../tensor/dtype.js'
import { elementCount } from '../tensor/shape.js'
import type { PlannedStep } from './plan.js'

/** Operators by their name in graphs (`conv2d`). */
export type OpsByName = ReadonlyMap<string, Op>

export interface LoweredTensor {
  readonly operand: Operand
  readonly bytes: number
}

export interface LoweredStep extends PlannedStep {
  /** Steps that this one runs: both branches, condition and body, or what runs once. */
  readonly blocks?: readonly (readonly LoweredStep[])[]
  /** Tensors that live until the blocks have ended. */
  readonly holds?: readonly number[]
}

export interface Lowering {
  readonly tensors: readonly LoweredTensor[]
  readonly steps: readonly LoweredStep[]
  /** Pairs of tensors that are the same bytes: a view, and the tensor that it shows. */
  readonly views: readonly (readonly [view: number, shown: number])[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

/** Lowers all nodes in the file's order. Tensors are the operands that some step, input, output or view has. */
export function lower(graph: Graph, ops: OpsByName): Lowering {
  const lowerer = new Lowerer(ops)
  const inputs = graph.inputs.map((value) => lowerer.indexOf(graph.values[value] as Operand))
  const steps = lowerer.nodes(graph)
  const outputs = graph.outputs.map((value) => lowerer.indexOf(graph.values[value] as Operand))
  return { tensors: lowerer.tensors, steps, views: lowerer.views, inputs, outputs }
}

class Lowerer {
  readonly tensors: LoweredTensor[] = []
  readonly views: (readonly [number, number])[] = []
  readonly #ops: OpsByName
  readonly #indices = new Map<Operand, number>()
  /** Tensors of variables, by their keys: several graphs may have operands for one. */
  readonly #states = new Map<string, number>()
  readonly #shown = new Map<number, number>()

  constructor(ops: OpsByName) {
    this.#ops = ops
  }

  indexOf(operand: Operand | null): number {
    if (operand === null) return -1
    const known = this.#indices.get(operand) ?? this.#states.get(operand.state?.key ?? '')
    if (known !== undefined) return known
    const index = this.tensors.push({ operand, bytes: bytesOf(operand) }) - 1
    this.#indices.set(operand, index)
    if (operand.state !== undefined) this.#states.set(operand.state.key, index)
    return index
  }

  nodes(graph: Graph): LoweredStep[] {
    return graph.nodes.flatMap((node) => {
      const op = this.#ops.get(node.op)
      if (op === undefined) throw new LowbitError('INTERNAL', `${node.origin}: no definition of ${node.op}`)
      const context = contextOf(node, graph.values)
      if (writesNothing(node, context.outputs)) return []
      const lowered = op.lower(context)
      if ('flow' in lowered)
        return this.#flow(node, context.inputs as Operand[], context.outputs, lowered.flow)
      if ('steps' in lowered) {
        return lowered.steps.map((step) => {
          const [inputs, outputs] = [step.inputs.map((one) => this.indexOf(one)), this.#all(step.outputs)]
          return { step, origin: node.origin, op: node.op, inputs, outputs }
        })
      }
      const pair = [this.indexOf(context.output(0)), this.indexOf(context.input(0))] as const
      const [view, shown] = pair.map((index) => this.tensors[index]?.bytes ?? 0) as [number, number]
      if (view > shown) throw context.fail('INTERNAL', 'a view of more than what it shows')
      this.views.push(pair)
      this.#shown.set(...pair)
      return []
    })
  }

  #flow(
    node: Node,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    kind: Flow,
  ): readonly LoweredStep[] {
    const graphs = node.graphs ?? []
    if (kind === 'while') return this.#loop(node, inputs, outputs)
    const [condition, ...args] = inputs as [Operand, ...Operand[]]
    const blocks = graphs.map((graph) => {
      this.#bind(graph, args)
      const steps = this.nodes(graph)
      const results = this.#all(graph.outputs.map((value) => graph.values[value] as Operand))
      const moves = this.#all(outputs).map((to, i) => this.#copy(node, results[i] as number, to))
      return [...steps, ...moves]
    })
    return [this.#step(node, kind, this.indexOf(condition), blocks, [])]
  }

  /** The outputs are what the loop carries: first copies of the inputs, and after each pass the body's results. */
  #loop(node: Node, inputs: readonly Operand[], outputs: readonly Operand[]): readonly LoweredStep[] {
    const [ask, body] = node.graphs as readonly [Graph, Graph]
    const carried = this.#all(outputs)
    const first = this.#all(inputs).map((from, i) => this.#copy(node, from, carried[i] as number))
    this.#bind(ask, outputs)
    this.#bind(body, outputs)
    const asking = this.nodes(ask)
    const condition = this.indexOf(ask.values[ask.outputs[0] as number] as Operand)
    const steps = this.nodes(body)
    const results = this.#all(body.outputs.map((value) => body.values[value] as Operand))
    // What is carried from another place is saved before any place is written.
    const saves: LoweredStep[] = []
    const moves: LoweredStep[] = []
    for (const [i, to] of carried.entries()) {
      let from = results[i] as number
      const root = this.#root(from)
      if (root === to) continue
      if (carried.includes(root)) {
        const { name, shape, dtype } = outputs[i] as Operand
        const saved = this.indexOf({ name: `${name}/next`, shape, dtype })
        saves.push(this.#copy(node, from, saved))
        from = saved
      }
      moves.push(this.#copy(node, from, to))
    }
    const blocks = [asking, [...steps, ...saves, ...moves]]
    return [...first, this.#step(node, 'while', condition, blocks, [condition, ...carried])]
  }

  /** The inputs of a called graph are tensors of its caller. */
  #bind(graph: Graph, args: readonly Operand[]): void {
    for (const [i, value] of graph.inputs.entries()) {
      this.#indices.set(graph.values[value] as Operand, this.indexOf(args[i] as Operand))
    }
  }

  #all(operands: readonly Operand[]): number[] {
    return operands.map((operand) => this.indexOf(operand))
  }

  #root(index: number): number {
    const shown = this.#shown.get(index)
    return shown === undefined ? index : this.#root(shown)
  }

  #copy({ origin, op }: Node, from: number, to: number): LoweredStep {
    const [source, target] = [this.tensors[from]?.operand, this.tensors[to]?.operand] as [Operand, Operand]
    const step = { kind: 'copy', inputs: [source], outputs: [target], attributes: {}, inPlace: 0 }
    return { step, origin, op, inputs: [from], outputs: [to] }
  }

  #step(
    { origin, op }: Node,
    kind: Flow,
    condition: number,
    blocks: readonly (readonly LoweredStep[])[],
    holds: readonly number[],
  ): LoweredStep {
    const counts = Int32Array.from(blocks, ({ length }) => length)
    const operand = this.tensors[condition]?.operand as Operand
    const step = { kind, inputs: [operand], outputs: [], attributes: { counts } }
    return { step, origin, op, inputs: [condition], outputs: [], blocks, holds }
  }
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

/** Whether all outputs are empty. Their other extents may be huge, and what operators prepare is as large. */
function writesNothing(node: Node, outputs: readonly Operand[]): boolean {
  const isPlain = node.graphs === undefined && outputs.length > 0
  return isPlain && outputs.every(({ shape, state }) => state === undefined && elementCount(shape) === 0)
}
