import test from 'ava'
import { build } from '#lib/graph/build.js'
import type { Graph } from '#lib/graph/graph.js'
import { fusePad } from '#lib/graph/passes/fuse-pad.js'
import { problemOf } from '#lib/graph/verify.js'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import { model, type SubgraphSpec, type TensorSpec } from '../../helpers/model-builder.js'
import { random } from '../../helpers/random.js'
import { randomInputs, runGraph } from '../../helpers/run-graph.js'

interface Case {
  readonly type?: 'CONV_2D' | 'DEPTHWISE_CONV_2D'
  readonly dtype?: 'int8' | 'uint8'
  readonly amounts?: readonly number[]
  readonly padding?: 0 | 1
  readonly stride?: number
  readonly dilation?: number
  readonly image?: readonly [number, number]
  readonly filter?: number
  readonly padded?: Partial<TensorSpec>
  readonly outputs?: readonly string[]
}

/** x -> PAD -> p -> convolution -> y. */
function graphOf(given: Case, seed = 1): Graph {
  const { type = 'CONV_2D', dtype = 'int8', stride = 1, dilation = 1, padding = 1, filter = 3 } = given
  const [height, width] = given.image ?? [7, 9]
  const amounts = given.amounts ?? [0, 0, 1, 1, 1, 1, 0, 0]
  const next = random(seed)
  const channels = 3
  const symmetric = dtype === 'int8'
  const codes = { dtype, scale: 0.1, zeroPoint: symmetric ? -5 : 120 }
  const inner = channels + (amounts[6] ?? 0) + (amounts[7] ?? 0)
  const weights = type === 'CONV_2D' ? [4, filter, filter, inner] : [1, filter, filter, inner]
  const count = weights.reduce((product, extent) => product * extent, 1)
  const spec: SubgraphSpec = {
    tensors: {
      x: { ...codes, shape: [1, height, width, channels] },
      n: { dtype: 'int32', shape: [4, 2], data: Int32Array.from(amounts) },
      p: { ...codes, shape: [], ...given.padded },
      w: {
        dtype,
        shape: weights,
        data: Array.from({ length: count }, () => (symmetric ? (next() % 255) - 127 : next() & 255)),
        scale: 0.02,
        zeroPoint: symmetric ? 0 : 130,
      },
      y: { ...codes, shape: [], scale: 0.3 },
    },
    operators: [
      { type: 'PAD', inputs: ['x', 'n'], outputs: ['p'] },
      {
        type,
        inputs: ['p', 'w', null],
        outputs: ['y'],
        options: {
          padding,
          strideH: stride,
          strideW: stride,
          dilationHFactor: dilation,
          dilationWFactor: dilation,
          fusedActivationFunction: 0,
          ...(type === 'DEPTHWISE_CONV_2D' && { depthMultiplier: 1 }),
        },
      },
    ],
    inputs: ['x'],
    outputs: given.outputs ?? ['y'],
  }
  return build(model([spec]), OPS_BY_TYPE)
}

test('the convolution takes the amounts, and reads what PAD read', (t) => {
  const before = graphOf({ amounts: [0, 0, 1, 2, 3, 4, 0, 0] })
  const after = fusePad(before)
  t.is(problemOf(after), undefined)
  t.is(after.nodes.length, 1)
  t.like(after.nodes[0], { op: 'conv2d', inputs: [0, 3, -1], outputs: [4] })
  t.like(after.nodes[0]?.attributes, { padding: [1, 2, 3, 4] })
  t.is(after.values, before.values)
})

test('same padding becomes amounts, and adds up', (t) => {
  // 9 x 11 after PAD; stride 2 and a filter of 3 need 2 more places each way.
  const after = fusePad(graphOf({ padding: 0, stride: 2 }))
  t.like(after.nodes[0]?.attributes, { padding: [2, 2, 2, 2] })
})

test('bits stay, over kinds, types, strides, dilations and amounts', (t) => {
  let cases = 0
  for (const type of ['CONV_2D', 'DEPTHWISE_CONV_2D'] as const) {
    for (const dtype of ['int8', 'uint8'] as const) {
      for (const padding of [0, 1] as const) {
        for (const [stride, dilation] of [
          [1, 1],
          [2, 1],
          [1, 2],
          [3, 1],
        ] as const) {
          for (const amounts of [
            [0, 0, 1, 1, 1, 1, 0, 0],
            [0, 0, 0, 1, 0, 1, 0, 0],
            [0, 0, 5, 0, 2, 6, 0, 0],
          ]) {
            for (const filter of [1, 3]) {
              const given = { type, dtype, padding, stride, dilation, amounts, filter }
              const before = graphOf(given, ++cases)
              const after = fusePad(before)
              t.is(after.nodes.length, 1)
              const inputs = randomInputs(before, random(cases))
              t.deepEqual(runGraph(after, inputs), runGraph(before, inputs), JSON.stringify(given))
            }
          }
        }
      }
    }
  }
  t.is(cases, 192)
})

const kept: readonly (readonly [string, Case])[] = [
  ['channels are padded', { amounts: [0, 0, 1, 1, 1, 1, 0, 1] }],
  ['the batch is padded', { amounts: [1, 0, 1, 1, 1, 1, 0, 0] }],
  ['the padded tensor is an output too', { outputs: ['y', 'p'] }],
  ['it changes the quantisation', { padded: { zeroPoint: 7 } }],
]
for (const [title, given] of kept) {
  test(`PAD stays where ${title}`, (t) => {
    const graph = graphOf(given)
    t.is(fusePad(graph), graph)
  })
}
