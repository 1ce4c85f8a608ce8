// Laws of whole plans, on random graphs with views, in-place steps, constants and several outputs.

import test from 'ava'
import fc from 'fast-check'
import type { Graph } from '#lib/graph/graph.js'
import { plan } from '#lib/plan/plan.js'
import { FAKE_OPS, graphs, simulate } from '../helpers/graphs.js'

test('every step finds its inputs, and the end all outputs, as they were written', (t) => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const problem = simulate(plan(graph, FAKE_OPS), graph)
      if (problem !== undefined) throw new Error(problem)
    }),
    { seed: 4, numRuns: 2000 },
  )
  t.pass()
})

test('lives are within the plan, constants stay constants, and views share places', (t) => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const planned = plan(graph, FAKE_OPS)
      const places = new Map(planned.tensors.map((tensor) => [tensor.name, tensor.place]))
      for (const { life, place, bytes } of planned.tensors) {
        t.true(life[0] <= life[1] && life[0] >= -1 && life[1] <= planned.steps.length)
        if (place.where === 'constant') t.is(place.data.byteLength, bytes)
        else t.true(place.where === 'arena' && place.offset % 64 === 0)
      }
      for (const { op, inputs, outputs } of graph.nodes) {
        const [from, to] = [inputs[0], outputs[0]].map((index) => places.get(`v${index}`))
        if (op === 'view' && from && to) t.deepEqual(from, to)
      }
      for (const index of planned.steps.flatMap((step) => step.outputs)) {
        t.is(planned.tensors[index]?.place.where, 'arena')
      }
    }),
    { seed: 5, numRuns: 200 },
  )
})

const value = (name: string, bytes: number) => ({ name, shape: [bytes], dtype: 'int8' as const })
const node = (op: string, inputs: number[], outputs: number[]) => ({
  op,
  origin: op,
  attributes: {},
  inputs,
  outputs,
})

test('a chain of in-place steps and views takes one piece of memory', (t) => {
  const graph: Graph = {
    values: ['a', 'b', 'c', 'd', 'e'].map((name) => value(name, 640)),
    nodes: [
      node('first_in_place', [0], [1]),
      node('view', [1], [2]),
      node('first_in_place', [2], [3]),
      node('view', [3], [4]),
    ],
    inputs: [0],
    outputs: [4],
  }
  t.is(plan(graph, FAKE_OPS).arenaBytes, 640)
})

for (const [why, nodes, outputs] of [
  ['is read again later', [node('first_in_place', [0], [1]), node('plain', [0, 1], [2])], [2]],
  ['is an output of the model', [node('first_in_place', [0], [1]), node('plain', [1], [2])], [0, 2]],
  ['is both operands', [node('first_in_place', [0, 0], [1]), node('plain', [1], [2])], [2]],
] as const) {
  test(`no step writes over an input that ${why}`, (t) => {
    const graph = { values: ['a', 'b', 'c'].map((name) => value(name, 64)), nodes, inputs: [0], outputs }
    const { tensors } = plan(graph, FAKE_OPS)
    const place = (name: string) => tensors.find((tensor) => tensor.name === name)?.place
    t.notDeepEqual(place('a'), place('b'))
  })
}

test('a view of another size is a fault of the operator', (t) => {
  const graph = {
    values: [value('a', 4), value('b', 5)],
    nodes: [node('view', [0], [1])],
    inputs: [0],
    outputs: [1],
  }
  t.throws(() => plan(graph, FAKE_OPS), { code: 'INTERNAL' })
})

test('a type of no fixed size is refused', (t) => {
  const graph: Graph = {
    values: [{ name: 's', shape: [1], dtype: 'string' }],
    nodes: [],
    inputs: [0],
    outputs: [0],
  }
  t.throws(() => plan(graph, FAKE_OPS), { code: 'DTYPE_UNSUPPORTED' })
})
