import test from 'ava'
import { build } from '#lib/graph/build.js'
import type { Graph } from '#lib/graph/graph.js'
import { shareQuantization } from '#lib/graph/passes/share-quantization.js'
import { problemOf } from '#lib/graph/verify.js'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import { model, type TensorSpec } from '../../helpers/model-builder.js'
import { random } from '../../helpers/random.js'
import { runGraph } from '../../helpers/run-graph.js'

interface Layer {
  readonly channels: number
  readonly depth?: number
  readonly asymmetric?: boolean
  readonly bias?: boolean
  readonly activation?: number
  readonly weights?: 'int8' | 'float32'
}

/** x -> each layer -> an output. */
function graphOf(layers: readonly Layer[], shape: readonly number[] = [3, 5, 24]): Graph {
  const next = random(7)
  const tensors: Record<string, TensorSpec> = { x: { dtype: 'float32', shape } }
  const operators = layers.map((layer, i) => {
    const { channels, depth = 24, asymmetric = true, bias = false, activation = 0, weights = 'int8' } = layer
    const codes = Array.from({ length: channels * depth }, () => (next() % 255) - 127)
    const data = weights === 'int8' ? codes : Float32Array.from(codes)
    tensors[`w${i}`] = { dtype: weights, shape: [channels, depth], data, scale: 0.02 + i / 100 }
    tensors[`b${i}`] = { dtype: 'float32', shape: [channels], data: new Float32Array(channels).fill(0.7) }
    tensors[`y${i}`] = { dtype: 'float32', shape: [] }
    return {
      type: 'FULLY_CONNECTED',
      inputs: ['x', `w${i}`, bias ? `b${i}` : null],
      outputs: [`y${i}`],
      options: { fusedActivationFunction: activation, asymmetricQuantizeInputs: asymmetric },
    }
  })
  const outputs = layers.map((_, i) => `y${i}`)
  return build(model([{ tensors, operators, inputs: ['x'], outputs }]), OPS_BY_TYPE)
}

const valuesOf = (graph: Graph): Uint8Array[] => {
  const next = random(8)
  const count = graph.values[graph.inputs[0] ?? -1]?.shape.reduce((size, extent) => size * extent, 1) ?? 0
  const values = Float32Array.from({ length: count }, () => ((next() % 2001) - 900) / 300)
  values.fill(0, 0, Math.min(24, count)) // a row of zeros
  return [new Uint8Array(values.buffer)]
}

test('layers of one input share its codes', (t) => {
  const before = graphOf([{ channels: 8 }, { channels: 3, bias: true }, { channels: 40 }])
  const after = shareQuantization(before)
  t.is(problemOf(after), undefined)
  t.deepEqual(
    after.nodes.map(({ op }) => op),
    ['quantize_rows', 'fully_connected', 'fully_connected', 'fully_connected'],
  )
  t.deepEqual(after.outputs, before.outputs)
})

test('bits stay, over shapes, zero points, biases and clamps', (t) => {
  for (const shape of [[1, 24], [3, 5, 24], [24], [64, 24], [130, 23]]) {
    for (const asymmetric of [false, true]) {
      for (const activation of [0, 1, 3]) {
        const depth = shape.at(-1) ?? 0
        const layer = { depth, asymmetric, activation }
        const before = graphOf(
          [
            { channels: 33, ...layer },
            { channels: 7, bias: true, ...layer },
          ],
          shape,
        )
        const after = shareQuantization(before)
        t.is(after.nodes.length, 3)
        const inputs = valuesOf(before)
        const what = `[${shape}] asymmetric ${asymmetric} activation ${activation}`
        t.deepEqual(runGraph(after, inputs), runGraph(before, inputs), what)
      }
    }
  }
})

const KEPT: Readonly<Record<string, readonly Layer[]>> = {
  'one layer': [{ channels: 8 }],
  'rows of other lengths': [{ channels: 8 }, { channels: 8, depth: 12 }],
  'with zero points and without': [{ channels: 8 }, { channels: 8, asymmetric: false }],
  'float32 weights': [
    { channels: 8, weights: 'float32' },
    { channels: 8, weights: 'float32' },
  ],
}
for (const [what, layers] of Object.entries(KEPT)) {
  test(`${what}: nothing is shared`, (t) => {
    const before = graphOf(layers)
    t.is(shareQuantization(before), before)
  })
}
