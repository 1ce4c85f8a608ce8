import test from 'ava'
import { build } from '#lib/graph/build.js'
import type { Graph } from '#lib/graph/graph.js'
import { fuseTranspose } from '#lib/graph/passes/fuse-transpose.js'
import { problemOf } from '#lib/graph/verify.js'
import { OPS_BY_TYPE } from '#lib/ops/registry.js'
import { model, type OperatorSpec } from '../../helpers/model-builder.js'
import { random } from '../../helpers/random.js'
import { runGraph } from '../../helpers/run-graph.js'

interface Case {
  /** Leading dimensions before the heads. */
  readonly leading?: readonly number[]
  readonly heads?: number
  readonly sizes?: readonly [m: number, k: number, n: number]
  /** Which of left side, right side and output are transposed. */
  readonly turned?: readonly [boolean, boolean, boolean]
  readonly adjoint?: readonly [boolean, boolean]
  readonly order?: readonly number[]
  readonly dtype?: 'float32' | 'int8'
  readonly more?: readonly OperatorSpec[]
  readonly outputs?: readonly string[]
}

const swap = (shape: readonly number[]): number[] => {
  const rank = shape.length
  return shape.map((_, i) => shape[i === rank - 3 ? rank - 2 : i === rank - 2 ? rank - 3 : i] as number)
}

/** x, w -> TRANSPOSE where asked -> BATCH_MATMUL -> TRANSPOSE where asked -> y. */
function graphOf(given: Case): Graph {
  const {
    leading = [2],
    heads = 3,
    sizes = [5, 7, 4],
    turned = [true, true, true],
    dtype = 'float32',
  } = given
  const [adjX = false, adjY = false] = given.adjoint ?? []
  const [m, k, n] = sizes
  const left = [...leading, heads, ...(adjX ? [k, m] : [m, k])]
  const right = [...leading, heads, ...(adjY ? [n, k] : [k, n])]
  const [isLeft, isRight, isOut] = turned
  const order = given.order ?? swap([...left.keys()])
  const codes = dtype === 'int8' ? { dtype, scale: 0.1, zeroPoint: 0 } : { dtype }
  const transpose = (from: string, to: string): OperatorSpec => ({
    type: 'TRANSPOSE',
    inputs: [from, 'order'],
    outputs: [to],
  })
  return build(
    model([
      {
        tensors: {
          x: { ...codes, shape: isLeft ? swap(left) : left },
          w: { ...codes, shape: isRight ? swap(right) : right },
          order: { dtype: 'int32', shape: [left.length], data: Int32Array.from(order) },
          ...Object.fromEntries(['a', 'b', 'p', 'y', 'z'].map((name) => [name, { ...codes, shape: [] }])),
        },
        operators: [
          ...(isLeft ? [transpose('x', 'a')] : []),
          ...(isRight ? [transpose('w', 'b')] : []),
          {
            type: 'BATCH_MATMUL',
            inputs: [isLeft ? 'a' : 'x', isRight ? 'b' : 'w'],
            outputs: [isOut ? 'p' : 'y'],
            options: { adjX, adjY },
          },
          ...(isOut ? [transpose('p', 'y')] : []),
          ...(given.more ?? []),
        ],
        inputs: ['x', 'w'],
        outputs: given.outputs ?? ['y'],
      },
    ]),
    OPS_BY_TYPE,
  )
}

function inputsOf(graph: Graph): Uint8Array[] {
  const next = random(4)
  return graph.inputs.map((index) => {
    const count = graph.values[index]?.shape.reduce((size, extent) => size * extent, 1) ?? 0
    const values = Float32Array.from({ length: count }, () => ((next() % 2001) - 1000) / 300)
    return new Uint8Array(values.buffer)
  })
}

const ALL = [false, true].flatMap((a) =>
  [false, true].flatMap((b) => [false, true].map((c): [boolean, boolean, boolean] => [a, b, c])),
)

test('only the product is left, and bits stay', (t) => {
  for (const turned of ALL.slice(1)) {
    for (const adjoint of [...new Set(ALL.map(([a, b]) => [a, b] as const))]) {
      for (const leading of [[], [1], [2], [2, 3]]) {
        for (const [heads, sizes] of [
          [1, [3, 5, 2]],
          [3, [9, 17, 35]],
          [4, [1, 8, 16]],
        ] as const) {
          const before = graphOf({ turned, adjoint, leading, heads, sizes })
          const after = fuseTranspose(before)
          t.is(problemOf(after), undefined)
          t.is(after.nodes.length, 1)
          const inputs = inputsOf(before)
          const what = `turned ${turned} adjoint ${adjoint} leading ${leading} heads ${heads} of ${sizes}`
          t.deepEqual(runGraph(after, inputs), runGraph(before, inputs), what)
        }
      }
    }
  }
})

test('a transpose between two products is taken by one of them', (t) => {
  const before = graphOf({
    sizes: [5, 5, 5],
    heads: 5,
    more: [
      { type: 'BATCH_MATMUL', inputs: ['y', 'w'], outputs: ['z'], options: { adjX: false, adjY: false } },
    ],
    outputs: ['z'],
  })
  const after = fuseTranspose(before)
  t.is(problemOf(after), undefined)
  t.is(after.nodes.length, 2)
  const inputs = inputsOf(before)
  t.deepEqual(runGraph(after, inputs), runGraph(before, inputs))
})

const KEPT: Readonly<Record<string, Case>> = {
  'another order': { order: [0, 1, 3, 2], turned: [true, false, false], heads: 5, sizes: [5, 5, 5] },
  codes: { dtype: 'int8' },
  'a transposed output that is used before, too': {
    turned: [false, false, true],
    outputs: ['y', 'p'],
  },
  'no transpose': { turned: [false, false, false] },
}
for (const [what, given] of Object.entries(KEPT)) {
  test(`${what}: nothing is fused`, (t) => {
    const before = graphOf(given)
    t.is(fuseTranspose(before), before)
  })
}
