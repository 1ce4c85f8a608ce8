// Building graphs: inferred shapes, and files whose operands do not fit.

import test from 'ava'
import { build } from '#lib/graph/build.js'
import { contextOf } from '#lib/graph/context.js'
import type { Graph } from '#lib/graph/graph.js'
import { problemOf } from '#lib/graph/verify.js'
import type { ModelFile } from '#lib/model/model.js'
import { defineOp, LowbitError, type Op } from '#lib/ops/contract.js'
import { model, type SubgraphSpec, type TensorSpec } from '../helpers/model-builder.js'

/** Doubles the first extent; int8 stays int8. */
const abs: Op = defineOp<number>({
  name: 'abs',
  tflite: {
    type: 'ABS',
    read: (options) => {
      if (options['wrong']) throw new LowbitError('FILE_INVALID', 'wrong option')
      return 7
    },
  },
  infer(node) {
    const [first = 0, ...rest] = node.input(0).shape
    const extent =
      node.inputs[1]?.data === undefined ? 2 * first : (node.constantInts(node.inputs[1])[0] ?? 0)
    return [{ shape: [extent, ...rest], dtype: node.input(0).dtype }]
  },
  lower: () => ({ steps: [] }),
})
const OPS = new Map([['ABS', abs]])

const tensor = (shape: readonly number[], more: Partial<TensorSpec> = {}): TensorSpec => ({
  dtype: 'int8',
  shape,
  ...more,
})
const chain = (tensors: SubgraphSpec['tensors'], more: Partial<SubgraphSpec> = {}): ModelFile =>
  model([
    {
      tensors,
      operators: [
        { type: 'ABS', inputs: ['a'], outputs: ['b'] },
        { type: 'ABS', inputs: ['b'], outputs: ['c'] },
      ],
      inputs: ['a'],
      outputs: ['c'],
      ...more,
    },
  ])

test('inferred shapes replace declared ones', (t) => {
  const graph = build(chain({ a: tensor([1, 3]), b: tensor([9]), c: tensor([]) }), OPS)
  t.deepEqual(
    graph.values.map(({ shape }) => shape),
    [
      [1, 3],
      [2, 3],
      [4, 3],
    ],
  )
  t.deepEqual(
    graph.nodes.map(({ op, origin, attributes }) => [op, origin, attributes]),
    [
      ['abs', 'ABS #0', 7],
      ['abs', 'ABS #1', 7],
    ],
  )
  t.is(problemOf(graph), undefined)
})

test('further subgraphs do not matter', (t) => {
  const { subgraphs } = chain({ a: tensor([1]), b: tensor([2]), c: tensor([4]) })
  const other = model([{ tensors: { x: tensor([1]) }, operators: [], inputs: ['x'], outputs: ['x'] }])
  t.is(build({ ...other, subgraphs: [...subgraphs, ...other.subgraphs] }, OPS).nodes.length, 2)
})

const one = (more: Partial<SubgraphSpec>, tensors: SubgraphSpec['tensors'] = {}): ModelFile =>
  chain(
    { a: tensor([1]), b: tensor([2]), ...tensors },
    { operators: [{ type: 'ABS', inputs: ['a'], outputs: ['b'] }], outputs: ['b'], ...more },
  )
const abs1 = (...inputs: string[]) => ({ operators: [{ type: 'ABS', inputs, outputs: ['b'] }] })
const change = (file: ModelFile, part: object): ModelFile => ({
  ...file,
  subgraphs: file.subgraphs.map((subgraph) => ({
    ...subgraph,
    tensors: subgraph.tensors.map((record) => (record.name === 'a' ? { ...record, ...part } : record)),
  })),
})
const extent = (value: number) => ({ n: tensor([1], { dtype: 'int32', data: Int32Array.of(value) }) })

const refused: readonly (readonly [string, ModelFile, object])[] = [
  ['no subgraph', { ...one({}), subgraphs: [] }, { code: 'FILE_INVALID' }],
  [
    'an unknown operator',
    one({ operators: [{ type: 'ADD', version: 2, inputs: ['a', 'a'], outputs: ['b'] }] }),
    { code: 'OPERATOR_UNSUPPORTED', operator: 'ADD #0', message: /ADD.*version 2/ },
  ],
  [
    'a custom operator of a known name',
    one({ operators: [{ type: 'MyOp', inputs: ['a'], outputs: ['b'] }] }),
    { code: 'OPERATOR_UNSUPPORTED', operator: 'MyOp #0', message: /custom/ },
  ],
  [
    'options that the operator does not take',
    one({ operators: [{ type: 'ABS', inputs: ['a'], outputs: ['b'], options: { wrong: true } }] }),
    { code: 'FILE_INVALID', operator: 'ABS #0', message: 'ABS #0: wrong option' },
  ],
  ['a missing operand', one(abs1()), { code: 'FILE_INVALID', operator: 'ABS #0' }],
  [
    'another number of outputs',
    one({ operators: [{ type: 'ABS', inputs: ['a'], outputs: ['b', 'c'] }] }, { c: tensor([1]) }),
    { code: 'FILE_INVALID', expected: 1, actual: 2 },
  ],
  [
    'another type than declared',
    one({}, { b: tensor([2], { dtype: 'uint8' }) }),
    { code: 'FILE_INVALID', tensor: 'b', expected: 'int8', actual: 'uint8' },
  ],
  ['a negative extent', one(abs1('a', 'n'), extent(-1)), { code: 'SHAPE_MISMATCH', tensor: 'b' }],
  [
    'too many elements',
    one(abs1('a', 'n'), { ...extent(2 ** 16), a: tensor([1, 2 ** 15]) }),
    { code: 'LIMIT_EXCEEDED', tensor: 'b', message: /2\^31/ },
  ],
  ['an input that is too large', one({}, { a: tensor([2 ** 16, 2 ** 16]) }), { code: 'LIMIT_EXCEEDED' }],
  ['a sparse tensor', change(one({}), { isSparse: true }), { code: 'OPERATOR_UNSUPPORTED', tensor: 'a' }],
  [
    'a blockwise tensor',
    change(one({}), { blockwise: { scales: 0, zeroPoints: 0, blockSize: 32 } }),
    { code: 'OPERATOR_UNSUPPORTED', tensor: 'a' },
  ],
  ['a variable', change(one({}), { isVariable: true }), { code: 'OPERATOR_UNSUPPORTED', message: /state/ }],
]
for (const [title, file, expected] of refused) {
  test(`refused: ${title}`, (t) => {
    const error = t.throws(() => build(file, OPS), { instanceOf: LowbitError })
    const { message, ...facts } = expected as { message?: RegExp | string }
    t.like(error, facts)
    if (message !== undefined) t.regex(error?.message ?? '', new RegExp(message))
  })
}

const sound: Graph = {
  values: ['a', 'b', 'c'].map((name) => ({ name, shape: [1], dtype: 'int8' })),
  nodes: [
    { op: 'x', origin: 'X #0', attributes: {}, inputs: [0, -1], outputs: [1] },
    { op: 'x', origin: 'X #1', attributes: {}, inputs: [1, 0], outputs: [2] },
  ],
  inputs: [0],
  outputs: [2],
}

test('the laws of graphs', (t) => {
  t.is(problemOf(sound), undefined)
  const [first, second] = sound.nodes as [Graph['nodes'][number], Graph['nodes'][number]]
  const broken: readonly (readonly [Partial<Graph>, RegExp])[] = [
    [{ nodes: [second, first] }, /X #1.*before/],
    [{ nodes: [first, { ...second, outputs: [1] }] }, /already/],
    [{ nodes: [first, { ...second, inputs: [3] }] }, /no value/],
    [{ nodes: [first, { ...second, inputs: [-2] }] }, /no value/],
    [{ nodes: [first, { ...second, outputs: [-1] }] }, /no value/],
    [{ nodes: [first] }, /never/],
    [{ inputs: [0, 0] }, /twice/],
    [{ inputs: [0, 9] }, /no value/],
    [{ outputs: [9] }, /no value/],
    [{ values: sound.values.map((value) => ({ ...value, shape: [-1] })) }, /shape/],
  ]
  for (const [part, law] of broken) t.regex(problemOf({ ...sound, ...part }) ?? '', law)
})

test('what an operator is given', (t) => {
  const quantization = { scale: Float32Array.of(0.5), zeroPoint: Int32Array.of(3), axis: 0 }
  const wide = new Uint8Array(BigInt64Array.of(-5n, 2n ** 40n).buffer)
  const values: Graph['values'] = [
    { name: 'q', shape: [1], dtype: 'int8', quantization },
    { name: 'c', shape: [2], dtype: 'int8', quantization: { ...quantization, scale: Float32Array.of(1, 2) } },
    { name: 'i', shape: [1], dtype: 'int32', data: Uint8Array.of(0, 255, 255, 255, 255).subarray(1) },
    { name: 'l', shape: [1], dtype: 'int64', data: wide.subarray(0, 8) },
    { name: 'w', shape: [2], dtype: 'int64', data: wide },
    { name: 'f', shape: [1], dtype: 'float32', data: new Uint8Array(4) },
  ]
  const node = contextOf({ op: 'x', origin: 'X #3', attributes: 1, inputs: [0, -1, 2], outputs: [1] }, values)
  const at = (index: number) => values[index] as Graph['values'][number]
  t.is(node.input(0), at(0))
  t.is(node.inputs[1], null)
  t.throws(() => node.input(1), { code: 'FILE_INVALID', message: /X #3/ })
  t.throws(() => node.output(1), { code: 'FILE_INVALID' })
  t.deepEqual(node.affine(at(0)), { scale: 0.5, zeroPoint: 3 })
  t.throws(() => node.affine(at(1)), { code: 'OPERATOR_UNSUPPORTED' })
  t.throws(() => node.affine(at(2)), { code: 'FILE_INVALID' })
  t.deepEqual(node.constantInts(at(2)), Int32Array.of(-1))
  t.deepEqual(node.constantInts(at(3)), Int32Array.of(-5))
  t.throws(() => node.constantInts(at(4)), { code: 'OPERATOR_UNSUPPORTED' })
  t.throws(() => node.constantInts(at(5)), { code: 'DTYPE_UNSUPPORTED' })
  t.throws(() => node.constantInts(at(0)), { code: 'OPERATOR_UNSUPPORTED', message: /computed/ })
  t.like(node.fail('INTERNAL', 'so', { tensor: 'q' }), { code: 'INTERNAL', operator: 'X #3', tensor: 'q' })
})
