// Reductions, softmax, moves of numbers and batch norm: what the CPU backend gives, within bounds that follow from the
// number of additions.

import type { Tensor } from '@tensorflow/tfjs-core'
import test from 'ava'
import { distance, EDGES, kernelsOf, numbers, on, sizeOf, tf } from './backends.js'

const U = 2 ** -24
const values = (shape: readonly number[], seed = 1) => tf.tensor(numbers(sizeOf(shape), seed), [...shape])
const tensors = (...shapes: number[][]) => shapes.map((shape, i) => values(shape, i + 1))

interface Row {
  readonly title: string
  readonly kernel: string
  readonly run: () => Tensor | Tensor[]
  readonly bound?: number
  readonly floor?: number
}

const FOLDS: readonly [number[], number[] | undefined][] = [
  [[5], undefined],
  [[1000], [0]],
  [[7, 33], [0]],
  [[7, 33], [1]],
  [[700, 33], [0]],
  [[9000, 17], [0]],
  [[3, 50, 130], [1]],
  [
    [3, 5, 7, 9],
    [0, 1, 2],
  ],
  [
    [3, 5, 7, 9],
    [1, 2],
  ],
  [
    [3, 5, 7, 9],
    [0, 3],
  ],
  [
    [3, 5, 7, 9],
    [1, 3],
  ],
  [[2, 3, 4], []],
  [[300, 200], undefined],
]
const folds = FOLDS.flatMap(([shape, axes]) =>
  (
    [
      ['Sum', tf.sum],
      ['Mean', tf.mean],
      ['Prod', tf.prod],
    ] as const
  ).map(([kernel, run]): Row => {
    const count = sizeOf(shape)
    // Numbers are at most 1: each addition and product of n of them errs by at most n 2^-24 (products relative).
    const bound = kernel === 'Prod' ? 2 * count * U : (count + 1) * U
    return {
      title: `${kernel} of [${shape}] over [${axes}]`,
      kernel,
      run: () => run(values(shape), axes),
      bound,
      floor: 1,
    }
  }),
)

const moves: readonly Row[] = [
  ...[
    [1, 0],
    [0, 1],
  ].map((perm) => ({
    title: `transpose [${perm}]`,
    kernel: 'Transpose',
    run: () => tf.transpose(values([37, 65]), perm),
  })),
  ...[
    [0, 2, 1],
    [2, 0, 1],
    [1, 0, 2],
    [2, 1, 0],
  ].map((perm) => ({
    title: `transpose [${perm}]`,
    kernel: 'Transpose',
    run: () => tf.transpose(values([5, 7, 18]), perm),
  })),
  {
    title: 'transpose of 4 dimensions',
    kernel: 'Transpose',
    run: () => tf.transpose(values([3, 4, 5, 6]), [3, 1, 0, 2]),
  },
  { title: 'slice of columns', kernel: 'Slice', run: () => tf.slice(values([6, 9]), [1, 2], [4, 5]) },
  {
    title: 'slice to the end',
    kernel: 'Slice',
    run: () => tf.slice(values([6, 9, 4]), [1, 2, 1], [2, -1, 3]),
  },
  { title: 'reverse', kernel: 'Reverse', run: () => tf.reverse(values([4, 5, 6]), [0, 2]) },
  { title: 'tile', kernel: 'Tile', run: () => tf.tile(values([3, 1, 5]), [2, 4, 3]) },
  { title: 'broadcastTo', kernel: 'Tile', run: () => tf.broadcastTo(values([1, 1, 7]), [4, 5, 7]) },
  {
    title: 'pad',
    kernel: 'PadV2',
    run: () =>
      tf.pad(
        values([3, 4, 5]),
        [
          [1, 2],
          [0, 0],
          [3, 1],
        ],
        0.5,
      ),
  },
  { title: 'concat of rows', kernel: 'Concat', run: () => tf.concat(tensors([2, 3], [4, 3], [1, 3]), 0) },
  {
    title: 'concat of columns',
    kernel: 'Concat',
    run: () => tf.concat(tensors([4, 2, 3], [4, 2, 1], [4, 2, 5]), -1),
  },
  {
    title: 'gather of rows',
    kernel: 'GatherV2',
    run: () => tf.gather(values([9, 5]), tf.tensor([3, 0, 8, 3], [4], 'int32')),
  },
  {
    title: 'gather of columns',
    kernel: 'GatherV2',
    run: () => tf.gather(values([3, 9, 2]), tf.tensor([3, 0, 8, 3], [2, 2], 'int32'), 1),
  },
  {
    title: 'gather in batches',
    kernel: 'GatherV2',
    run: () => tf.gather(values([2, 9, 3]), tf.tensor([3, 0, 8, 3], [2, 2], 'int32'), 1, 1),
  },
  {
    title: 'sums of segments, of which one is empty and one has three rows',
    kernel: 'UnsortedSegmentSum',
    run: () => tf.unsortedSegmentSum(values([6, 5]), tf.tensor1d([2, 0, 2, 4, 2, 1], 'int32'), 5),
    bound: 3 * U,
    floor: 1,
  },
]

const norms: readonly Row[] = [
  [2, 3, 3, 5],
  [4, 40],
  [3, 5, 70],
].flatMap((shape): Row[] => {
  const columns = [shape.at(-1) as number]
  const [mean, offset, scale] = [() => values(columns, 2), () => values(columns, 3), () => values(columns, 4)]
  const variance = () => tf.add(values(columns, 5), 1.5)
  // |x - mean| < 2, 1 / sqrt(variance) < 1.5: four roundings of numbers below 3, and one of the factor.
  const rest = { kernel: 'FusedBatchNorm', bound: 16 * U, floor: 1 }
  const x = () => values(shape) as never
  return [
    {
      title: `batch norm of [${shape}]`,
      run: () =>
        tf.batchNorm(x(), mean() as never, variance() as never, offset() as never, scale() as never, 0.01),
      ...rest,
    },
    {
      title: `batch norm of [${shape}] without scale and offset`,
      run: () => tf.batchNorm(x(), mean() as never, variance() as never),
      ...rest,
    },
  ]
})

const softmaxes: readonly Row[] = [
  [1, 1],
  [32, 10],
  [3, 4, 5],
  [2, 1000],
].map((shape) => ({
  title: `softmax of [${shape}]`,
  kernel: 'Softmax',
  run: () => tf.softmax(tf.mul(values(shape), 20)),
  bound: 16 * U,
  floor: 1e-3,
}))

for (const { title, kernel, run, bound = 0, floor = 0 } of [...folds, ...moves, ...norms, ...softmaxes]) {
  test(title, (t) => {
    let got: ReturnType<typeof on> = []
    const native = kernelsOf(() => {
      got = on('lowbit', run)
    })
    t.true(native.includes(kernel) || title.endsWith('over []'), `${kernel} is not native`)
    const want = on('cpu', run)
    t.is(got.length, want.length)
    for (const [i, array] of got.entries()) {
      const apart = distance(array, want[i] as Float32Array, floor)
      t.true(apart <= bound, `${apart / U} 2^-24`)
    }
  })
}

test('keepDims keeps dimensions', (t) => {
  tf.setBackend('lowbit')
  t.deepEqual(tf.sum(values([3, 4, 5]), [1], true).shape, [3, 1, 5])
  t.deepEqual(tf.mean(values([3, 4, 5]), [0, 2]).shape, [4])
})

const EXTREMES: readonly [number[], number[] | undefined][] = [
  [[1], undefined],
  [[5], undefined],
  [[3, 300], [1]],
  [[3, 511], [1]],
  [[2, 600, 3], [1]],
  [[2, 67, 40], [1]],
  [[2, 9, 63], [1]],
  [[2, 9, 64], [1]],
  [
    [3, 3, 8, 70],
    [0, 1, 2],
  ],
  [
    [2, 3, 4],
    [1, 0],
  ],
  [[40000, 17], [0]],
  [[300, 900], undefined],
  [[2, 40000], [1]],
  [[20, 3000], [-1]],
]
for (const [shape, axes] of EXTREMES) {
  for (const [name, run] of [
    ['Max', tf.max],
    ['Min', tf.min],
  ] as const) {
    test(`${name} of [${shape}] over [${axes}]`, (t) => {
      const plain = numbers(sizeOf(shape), 9)
      const edges = plain.map((x, i) => (i % 7 === 3 ? (EDGES[(i * 5) % EDGES.length] as number) : x))
      const infinite = plain.map(() => (name === 'Max' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY))
      const withNan = plain.slice()
      withNan[Math.floor(0.7 * plain.length)] = Number.NaN
      for (const data of [plain, edges, infinite, withNan]) {
        for (const keepDims of [false, true]) {
          const work = () => run(tf.tensor(data, [...shape]), axes, keepDims)
          let got: ReturnType<typeof on> = []
          t.deepEqual(
            kernelsOf(() => {
              got = on('lowbit', work)
            }),
            [name],
          )
          t.is(distance(got[0] as Float32Array, on('cpu', work)[0] as Float32Array), 0)
        }
      }
      tf.setBackend('lowbit')
      const { shape: kept } = run(tf.tensor(plain, [...shape]), axes, true)
      t.is(kept.length, shape.length)
    })
  }
}

test('extremes over axes apart, of integers and of nothing are left to TensorFlow.js', (t) => {
  for (const work of [
    () => tf.max(values([3, 4, 5]), [0, 2]),
    () => tf.min(tf.tensor1d([3, 1, 2], 'int32')),
    () => tf.max(values([3, 4]), []),
    () => tf.max(tf.scalar(3)),
  ]) {
    t.deepEqual(
      kernelsOf(() => void on('lowbit', work)).filter((name) => name === 'Max' || name === 'Min'),
      [],
    )
    t.deepEqual(on('lowbit', work), on('cpu', work))
  }
})

test('softmax of infinities', (t) => {
  const work = () => tf.softmax(tf.tensor2d([[0, Number.NEGATIVE_INFINITY, 1]]))
  t.true(distance(on('lowbit', work)[0] as Float32Array, on('cpu', work)[0] as Float32Array, 1e-3) <= 16 * U)
})

test('segments outside of the result are left out, as in the CPU backend', (t) => {
  const work = () => tf.unsortedSegmentSum(values([4, 3]), tf.tensor1d([2, -1, 9, 0], 'int32'), 3)
  t.is(distance(on('lowbit', work)[0] as Float32Array, on('cpu', work)[0] as Float32Array), 0)
})

test('an index outside of the table is an error', (t) => {
  tf.setBackend('lowbit')
  t.throws(() => tf.gather(values([4, 3]), tf.tensor1d([4], 'int32')), { message: /index value 4/ })
})
