import test from 'ava'
import { build } from '#lib/graph/build.js'
import type { Graph } from '#lib/graph/graph.js'
import { fuseLayerNorm } from '#lib/graph/passes/fuse-layer-norm.js'
import { problemOf } from '#lib/graph/verify.js'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import { model, type OperatorSpec, type TensorSpec } from '../../helpers/model-builder.js'
import { random } from '../../helpers/random.js'
import { runGraph } from '../../helpers/run-graph.js'

interface Case {
  readonly shape?: readonly number[]
  readonly beta?: boolean
  /** Operands of every commutative operator the other way round. */
  readonly turned?: boolean
  readonly axis?: number
  readonly keepDims?: boolean
  readonly activation?: number
  readonly epsilon?: TensorSpec
  readonly gammaShape?: readonly number[]
  /** Operators and outputs beside those of the normalisation. */
  readonly more?: readonly OperatorSpec[]
  readonly outputs?: readonly string[]
  /** Replaces operands of the operators that give these tensors. */
  readonly inputs?: Readonly<Record<string, readonly string[]>>
}

const floats = (count: number, seed: number): Float32Array => {
  const next = random(seed)
  return Float32Array.from({ length: count }, () => ((next() % 2001) - 1000) / 300)
}
const f32 = (...values: number[]): TensorSpec => ({
  dtype: 'float32',
  shape: values.length === 1 ? [] : [values.length],
  data: Float32Array.from(values),
})

/** x -> the operators of a layer normalisation -> y. */
function graphOf(given: Case): Graph {
  const { shape = [2, 5, 19], beta = false, turned = false, axis = -1, activation = 0 } = given
  const depth = shape.at(-1) ?? 1
  const real = (): TensorSpec => ({ dtype: 'float32', shape: [] })
  const options = { keepDims: given.keepDims ?? true }
  const shifted = beta ? 'b' : 's'
  const operators: readonly OperatorSpec[] = [
    { type: 'MEAN', inputs: ['x', 'axis'], outputs: ['m'], options },
    { type: 'NEG', inputs: ['m'], outputs: ['n'] },
    { type: 'SQUARED_DIFFERENCE', inputs: ['x', 'm'], outputs: ['d'] },
    { type: 'MEAN', inputs: ['d', 'axis'], outputs: ['v'], options },
    { type: 'ADD', inputs: ['v', 'e'], outputs: ['a'], options: { fusedActivationFunction: activation } },
    { type: 'RSQRT', inputs: ['a'], outputs: ['r'] },
    { type: 'MUL', inputs: ['r', 'gamma'], outputs: ['g'] },
    { type: 'MUL', inputs: ['x', 'g'], outputs: ['p'] },
    { type: 'MUL', inputs: ['n', 'g'], outputs: ['s'] },
    ...(beta ? [{ type: 'ADD', inputs: ['s', 'beta'], outputs: ['b'] }] : []),
    { type: 'ADD', inputs: ['p', shifted], outputs: ['y'] },
  ]
  const written = operators.map((operator) => {
    const inputs = given.inputs?.[operator.outputs[0] as string] ?? operator.inputs
    return { ...operator, inputs: turned && operator.type !== 'MEAN' ? [...inputs].reverse() : inputs }
  })
  const names = ['m', 'n', 'd', 'v', 'a', 'r', 'g', 'p', 's', 'b', 'y', 'z']
  return build(
    model([
      {
        tensors: {
          x: { dtype: 'float32', shape },
          axis: { dtype: 'int32', shape: [1], data: Int32Array.of(axis) },
          e: given.epsilon ?? f32(0.001),
          gamma: { dtype: 'float32', shape: given.gammaShape ?? [depth], data: floats(depth, 2) },
          beta: { dtype: 'float32', shape: [depth], data: floats(depth, 3) },
          ...Object.fromEntries(names.map((name) => [name, real()])),
        },
        operators: [...written, ...(given.more ?? [])],
        inputs: ['x'],
        outputs: given.outputs ?? ['y'],
      },
    ]),
    OPS_BY_TYPE,
  )
}

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer)

test('one node is left', (t) => {
  for (const beta of [false, true]) {
    const before = graphOf({ beta })
    const after = fuseLayerNorm(before)
    t.is(problemOf(after), undefined)
    t.is(after.nodes.length, 1)
    const attributes = { epsilon: Math.fround(0.001) }
    t.like(after.nodes[0], { op: 'layer_norm', attributes, outputs: before.outputs })
    t.is(after.nodes[0]?.inputs.length, beta ? 3 : 2)
  }
})

test('bits stay, over shapes, with beta and without, and for operands the other way round', (t) => {
  for (const shape of [[7], [1, 1], [3, 1], [2, 5, 19], [1, 12, 64], [2, 2, 3, 257]]) {
    for (const beta of [false, true]) {
      for (const turned of [false, true]) {
        const before = graphOf({ shape, beta, turned, axis: turned ? shape.length - 1 : -1 })
        const after = fuseLayerNorm(before)
        t.is(after.nodes.length, 1)
        const x = bytesOf(
          floats(
            shape.reduce((size, extent) => size * extent, 1),
            5,
          ),
        )
        t.deepEqual(runGraph(after, [x]), runGraph(before, [x]), `[${shape}] beta ${beta} turned ${turned}`)
      }
    }
  }
})

const KEPT: Readonly<Record<string, Case>> = {
  'a mean along another dimension': { shape: [4, 4], axis: 0 },
  'a mean without its dimension': { shape: [19, 19], keepDims: false },
  'a clamp on the way': { activation: 1 },
  'an epsilon for each row': {
    shape: [2, 3],
    epsilon: { dtype: 'float32', shape: [2, 1], data: floats(2, 4) },
  },
  'gamma that makes the result larger': { shape: [2, 3], gammaShape: [1, 1, 3] },
  'a gamma for each row': { shape: [3, 3], gammaShape: [3, 1] },
  'a value on the way that is an output': { outputs: ['y', 'v'] },
  'a value on the way that is used elsewhere': {
    more: [{ type: 'NEG', inputs: ['g'], outputs: ['z'] }],
    outputs: ['y', 'z'],
  },
  'differences from something else': { inputs: { d: ['x', 'gamma'] } },
  'a product of something else': { inputs: { p: ['d', 'g'] } },
  'a negated value that is not the mean': { inputs: { n: ['v'] } },
}
for (const [what, given] of Object.entries(KEPT)) {
  test(`${what}: nothing is fused`, (t) => {
    const before = graphOf(given)
    t.is(fuseLayerNorm(before), before)
  })
}
