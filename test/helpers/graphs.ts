// Random graphs of made-up operators, for the laws of planning; and a run of a plan that moves names instead of numbers.

import fc from 'fast-check'
import type { Graph, Node, Value } from '#lib/graph/graph.js'
import { defineOp, type Op } from '#lib/ops/contract.js'
import type { Plan } from '#lib/plan/plan.js'

const plain = (name: string, inPlace?: number): Op =>
  defineOp({
    name,
    tflite: { type: name.toUpperCase(), read: () => ({}) },
    infer: (node) => node.outputs,
    lower: (node) => ({
      steps: [
        {
          kind: 'fake',
          inputs: node.inputs,
          outputs: node.outputs,
          attributes: {},
          ...(inPlace !== undefined && { inPlace }),
        },
      ],
    }),
  })

const view: Op = defineOp({
  name: 'view',
  tflite: { type: 'VIEW', read: () => ({}) },
  infer: (node) => node.outputs,
  lower: () => ({ view: true }),
})

/** Two steps with a tensor of their own between them. */
const twoSteps: Op = defineOp({
  name: 'two_steps',
  tflite: { type: 'TWO_STEPS', read: () => ({}) },
  infer: (node) => node.outputs,
  lower(node) {
    const between = { name: `${node.output(0).name}/between`, shape: [100], dtype: 'int8' as const }
    return {
      steps: [
        { kind: 'fake', inputs: node.inputs, outputs: [between], attributes: {} },
        { kind: 'fake', inputs: [between], outputs: node.outputs, attributes: {}, inPlace: 0 },
      ],
    }
  },
})

export const FAKE_OPS: ReadonlyMap<string, Op> = new Map(
  [plain('plain'), plain('first_in_place', 0), plain('second_in_place', 1), view, twoSteps].map((op) => [
    op.name,
    op,
  ]),
)

const KINDS = [...FAKE_OPS.keys()]

interface NodeChoice {
  readonly kind: number
  readonly operands: readonly number[]
  readonly bytes: number
  readonly sameSize: boolean
  readonly outputs: number
}

/** Graphs of up to 24 nodes over tensors of 0 to 300 bytes, with constants, views, fan-out, and any values as outputs. */
export const graphs: fc.Arbitrary<Graph> = fc
  .record({
    inputs: fc.array(fc.nat(300), { minLength: 1, maxLength: 3 }),
    constants: fc.array(fc.nat(300), { maxLength: 2 }),
    nodes: fc.array(
      fc.record({
        kind: fc.nat(KINDS.length - 1),
        operands: fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
        bytes: fc.nat(300),
        sameSize: fc.boolean(),
        outputs: fc.integer({ min: 1, max: 2 }),
      }),
      { maxLength: 24 },
    ),
    outputs: fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 }),
  })
  .map(({ inputs, constants, nodes, outputs }) => graphOf(inputs, constants, nodes, outputs))

function graphOf(
  inputs: readonly number[],
  constants: readonly number[],
  choices: readonly NodeChoice[],
  outputs: readonly number[],
): Graph {
  const values: Value[] = []
  const add = (bytes: number, data?: Uint8Array) =>
    values.push({ name: `v${values.length}`, shape: [bytes], dtype: 'int8', ...(data && { data }) }) - 1
  const given = inputs.map((bytes) => add(bytes))
  for (const bytes of constants) add(bytes, new Uint8Array(bytes))
  const nodes = choices.map((choice, at): Node => {
    const op = KINDS[choice.kind] as string
    const operands = choice.operands.map((pick) => pick % values.length)
    const first = values[operands[0] as number] as Value
    const size = op === 'view' || choice.sameSize ? (first.shape[0] as number) : choice.bytes
    const results = op === 'view' ? [add(size)] : Array.from({ length: choice.outputs }, () => add(size))
    return { op, origin: `${op} #${at}`, attributes: {}, inputs: operands, outputs: results }
  })
  return { values, nodes, inputs: given, outputs: outputs.map((pick) => pick % values.length) }
}

/**
 * Runs a plan over an arena in which each byte holds the name of the tensor it belongs to.
 *
 * @returns What went wrong first, or undefined: each step must find its inputs, and the end all outputs, untouched.
 */
export function simulate(plan: Plan, graph: Graph): string | undefined {
  /** A view's bytes are those of what it shows. */
  const shown = new Map<string, string>()
  for (const { op, inputs, outputs } of graph.nodes) {
    if (op !== 'view') continue
    const [from, to] = [graph.values[inputs[0] as number], graph.values[outputs[0] as number]] as [
      Value,
      Value,
    ]
    shown.set(to.name, shown.get(from.name) ?? from.name)
  }
  const arena = new Array<string>(plan.arenaBytes).fill('nothing')
  const each = (index: number, visit: (at: number, name: string) => void) => {
    const tensor = plan.tensors[index]
    if (tensor === undefined || tensor.place.where !== 'arena') return
    const { offset } = tensor.place
    if (offset + tensor.bytes > plan.arenaBytes) throw new Error(`${tensor.name} lies outside the arena`)
    for (let i = 0; i < tensor.bytes; i++) visit(offset + i, shown.get(tensor.name) ?? tensor.name)
  }
  const write = (index: number) =>
    each(index, (at, name) => {
      arena[at] = name
    })
  let problem: string | undefined
  const read = (index: number, who: string) =>
    each(index, (at, name) => {
      if (arena[at] !== name) problem ??= `${who} reads ${name} at ${at} and finds ${arena[at]}`
    })
  for (const index of plan.inputs) write(index)
  for (const { origin, inputs, outputs } of plan.steps) {
    for (const index of inputs) read(index, origin)
    for (const index of outputs) write(index)
  }
  for (const index of plan.outputs) read(index, 'the end')
  return problem
}
