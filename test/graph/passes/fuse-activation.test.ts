import test from 'ava'
import { build } from '#lib/graph/build.js'
import type { Graph } from '#lib/graph/graph.js'
import { fuseActivation } from '#lib/graph/passes/fuse-activation.js'
import { problemOf } from '#lib/graph/verify.js'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import type { Dtype } from '#lib/tensor/dtype.js'
import { model, type OperatorSpec, type TensorSpec } from '../../helpers/model-builder.js'
import { random } from '../../helpers/random.js'
import { randomInputs, runGraph } from '../../helpers/run-graph.js'

interface Case {
  readonly type?: string
  readonly activation?: string
  readonly dtype?: Dtype & ('int8' | 'uint8')
  /** Scale and zero point on both sides of the activation. */
  readonly scale?: number
  readonly zeroPoint?: number
  /** Differences of the activation's output. */
  readonly after?: Partial<TensorSpec>
  readonly fused?: number
  readonly outputs?: readonly string[]
}

/** x -> an operator -> m -> an activation -> y. */
function graphOf(given: Case): Graph {
  const { type = 'ADD', activation = 'RELU', dtype = 'int8', scale = 0.1, zeroPoint = 0, fused = 0 } = given
  const symmetric = dtype === 'int8'
  const layer = type === 'FULLY_CONNECTED' || type === 'CONV_2D'
  const shape = type === 'CONV_2D' ? [1, 4, 4, 4] : [4, 4]
  const codes = { dtype, scale: 0.07, zeroPoint: symmetric ? 2 : 130 }
  const next = random(9)
  const weights: TensorSpec = {
    dtype,
    shape: type === 'CONV_2D' ? [4, 1, 1, 4] : [4, 4],
    data: Array.from({ length: 16 }, () => (symmetric ? (next() % 255) - 127 : next() & 255)),
    scale: 0.02,
    zeroPoint: symmetric ? 0 : 128,
  }
  const operator: OperatorSpec = {
    type,
    inputs: layer ? ['x', 'w', null] : ['x', 'x2'],
    outputs: ['m'],
    options: { fusedActivationFunction: fused, ...(type === 'CONV_2D' && { strideH: 1, strideW: 1 }) },
  }
  return build(
    model([
      {
        tensors: {
          x: { ...codes, shape },
          ...(layer ? { w: weights } : { x2: { ...codes, shape, scale: 0.05 } }),
          m: { dtype, shape, scale, zeroPoint },
          y: { dtype, shape, scale, zeroPoint, ...given.after },
        },
        operators: [operator, { type: activation, inputs: ['m'], outputs: ['y'] }],
        inputs: layer ? ['x'] : ['x', 'x2'],
        outputs: given.outputs ?? ['y'],
      },
    ]),
    OPS_BY_TYPE,
  )
}

test('the operator before clamps, and writes the output', (t) => {
  const before = graphOf({ activation: 'RELU6' })
  const after = fuseActivation(before)
  t.is(problemOf(after), undefined)
  t.is(after.nodes.length, 1)
  t.like(after.nodes[0], { op: 'add', inputs: [0, 1], outputs: [3] })
  t.like(after.nodes[0]?.attributes, { activation: 3 })
})

test('bits stay, over operators, activations, types and zero points', (t) => {
  let cases = 0
  for (const type of ['ADD', 'SUB', 'MUL', 'FULLY_CONNECTED', 'CONV_2D']) {
    for (const activation of ['RELU', 'RELU6', 'RELU_N1_TO_1']) {
      for (const dtype of ['int8', 'uint8'] as const) {
        for (const zeroPoint of dtype === 'int8' ? [-128, -3, 0, 127] : [0, 3, 128, 255]) {
          for (const scale of [0.013, 0.1, 0.5]) {
            const given = { type, activation, dtype, zeroPoint, scale }
            const before = graphOf(given)
            const after = fuseActivation(before)
            t.is(after.nodes.length, 1, JSON.stringify(given))
            const inputs = randomInputs(before, random(++cases))
            t.deepEqual(runGraph(after, inputs), runGraph(before, inputs), JSON.stringify(given))
          }
        }
      }
    }
  }
  t.is(cases, 360)
})

const kept: readonly (readonly [string, Case])[] = [
  ['it changes the scale', { after: { scale: 0.2 } }],
  ['it changes the zero point', { after: { zeroPoint: 1 } }],
  ['its input is an output too', { outputs: ['y', 'm'] }],
  ['the operator has an activation already', { fused: 1 }],
  ['the operator clamps nothing', { type: 'MAXIMUM' }],
  ['it is no clamp', { activation: 'TANH', after: { scale: 1 / 128, zeroPoint: 0 } }],
]
for (const [title, given] of kept) {
  test(`the activation stays where ${title}`, (t) => {
    const graph = graphOf(given)
    t.is(fuseActivation(graph), graph)
  })
}
