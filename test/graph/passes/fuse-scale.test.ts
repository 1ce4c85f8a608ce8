import test from 'ava'
import { build } from '#lib/graph/build.js'
import type { Graph } from '#lib/graph/graph.js'
import { fuseScale } from '#lib/graph/passes/fuse-scale.js'
import { problemOf } from '#lib/graph/verify.js'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import { model } from '../../helpers/model-builder.js'
import { random } from '../../helpers/random.js'
import { runGraph } from '../../helpers/run-graph.js'

interface Case {
  readonly factor?: number
  readonly factorShape?: readonly number[]
  readonly beta?: number
  readonly first?: boolean
  readonly activation?: number
  readonly outputs?: readonly string[]
}

const SHAPE = [7, 37]

/** x -> MUL by a constant -> SOFTMAX -> y. */
function graphOf(given: Case): Graph {
  const { factor = 0.125, factorShape = [], beta = 1, first = false, activation = 0 } = given
  const count = factorShape.reduce((size, extent) => size * extent, 1)
  return build(
    model([
      {
        tensors: {
          x: { dtype: 'float32', shape: SHAPE },
          c: { dtype: 'float32', shape: factorShape, data: new Float32Array(count).fill(factor) },
          s: { dtype: 'float32', shape: [] },
          y: { dtype: 'float32', shape: [] },
        },
        operators: [
          {
            type: 'MUL',
            inputs: first ? ['c', 'x'] : ['x', 'c'],
            outputs: ['s'],
            options: { fusedActivationFunction: activation },
          },
          { type: 'SOFTMAX', inputs: ['s'], outputs: ['y'], options: { beta } },
        ],
        inputs: ['x'],
        outputs: given.outputs ?? ['y'],
      },
    ]),
    OPS_BY_TYPE,
  )
}

test('beta takes the factor, and bits stay', (t) => {
  const next = random(3)
  for (const factor of [1, 0.5, 0.125, 2 ** -20, 2 ** -90]) {
    for (const first of [false, true]) {
      for (const beta of [1, 0.7]) {
        const before = graphOf({ factor, first, beta })
        const after = fuseScale(before)
        t.is(problemOf(after), undefined)
        t.is(after.nodes.length, 1)
        for (const size of [1e-40, 1e-20, 1, 100, 1e30]) {
          const values = Float32Array.from({ length: 7 * 37 }, () => (size * ((next() % 2001) - 1000)) / 300)
          const inputs = [new Uint8Array(values.buffer)]
          t.deepEqual(runGraph(after, inputs), runGraph(before, inputs), `${factor} ${beta} of ${size}`)
        }
      }
    }
  }
})

const KEPT: Readonly<Record<string, Case>> = {
  'a factor that is no power of two': { factor: 0.3 },
  'a factor above 1': { factor: 2 },
  'a negative factor': { factor: -0.5 },
  'a factor that makes beta too small': { factor: 2 ** -120 },
  'a factor that makes the result larger': { factorShape: [1, 1, 1] },
  'many factors': { factorShape: [37] },
  'a clamp on the way': { activation: 1 },
  'a product that is an output': { outputs: ['y', 's'] },
}
for (const [what, given] of Object.entries(KEPT)) {
  test(`${what}: nothing is fused`, (t) => {
    const before = graphOf(given)
    t.is(fuseScale(before), before)
  })
}
