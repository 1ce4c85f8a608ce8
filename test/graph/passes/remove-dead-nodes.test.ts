import test from 'ava'
import type { Graph, Node } from '#lib/graph/graph.js'
import { removeDeadNodes } from '#lib/graph/passes/remove-dead-nodes.js'

const node = (origin: string, inputs: number[], outputs: number[]): Node => ({
  op: 'x',
  origin,
  attributes: {},
  inputs,
  outputs,
})
const graph = (nodes: Node[], outputs: number[]): Graph => ({
  values: Array.from({ length: 8 }, (_, i) => ({ name: `${i}`, shape: [1], dtype: 'int8' })),
  nodes,
  inputs: [0],
  outputs,
})

test('nodes that lead to no output go, whole chains of them', (t) => {
  const nodes = [node('a', [0], [1]), node('b', [1], [2]), node('c', [2], [3]), node('d', [1], [4])]
  t.deepEqual(
    removeDeadNodes(graph(nodes, [4])).nodes.map(({ origin }) => origin),
    ['a', 'd'],
  )
  t.deepEqual(removeDeadNodes(graph(nodes, [0])).nodes, [])
})

test('a node stays for any one of its outputs', (t) => {
  const nodes = [node('a', [0], [1, 2, 3]), node('b', [2], [4])]
  t.is(removeDeadNodes(graph(nodes, [4])).nodes.length, 2)
})

test('a graph without dead nodes is returned as it is', (t) => {
  const whole = graph([node('a', [0, -1], [1])], [1])
  t.is(removeDeadNodes(whole), whole)
})
