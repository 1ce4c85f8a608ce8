// Gradients on the backend: each equals finite differences where the function is smooth, and the CPU backend's.

import type { Tensor } from '@tensorflow/tfjs-core'
import test from 'ava'
import { numbers, on, sizeOf, tf } from './backends.js'

type Function = (...xs: Tensor[]) => Tensor

interface Row {
  readonly title: string
  readonly shapes: readonly (readonly number[])[]
  readonly f: Function
  /** Where the operands lie: all in (low, high). */
  readonly within?: readonly [number, number]
}

const ANY = [-2, 2] as const
const POSITIVE = [0.5, 3] as const

const ids = () => tf.tensor1d([3, 0, 3, 1], 'int32')
const x4 = [2, 5, 4, 3] as const
const rows: readonly Row[] = [
  ...Object.entries({
    add: tf.add,
    sub: tf.sub,
    mul: tf.mul,
    squaredDifference: tf.squaredDifference,
  }).flatMap(([title, f]): Row[] => [
    {
      title,
      shapes: [
        [3, 4],
        [3, 4],
      ],
      f,
    },
    { title: `${title} of rows`, shapes: [[5, 4], [4]], f },
    {
      title: `${title} of columns`,
      shapes: [
        [1, 4],
        [3, 1],
      ],
      f,
    },
    { title: `${title} of a number`, shapes: [[], [3, 4]], f },
  ]),
  { title: 'div', shapes: [[3, 4], [4]], f: tf.div, within: POSITIVE },
  { title: 'pow', shapes: [[3, 4], [4]], f: tf.pow, within: POSITIVE },
  // Operands of which one is larger everywhere.
  { title: 'maximum', shapes: [[3, 4], [4]], f: (a, b) => tf.maximum(tf.mul(a, 9), b), within: POSITIVE },
  { title: 'minimum', shapes: [[3, 4], [4]], f: (a, b) => tf.minimum(tf.mul(a, 9), b), within: POSITIVE },
  ...Object.entries({ relu: tf.relu, relu6: tf.relu6, abs: tf.abs, elu: tf.elu }).flatMap(
    ([title, f]): Row[] => [
      { title, shapes: [[4, 5]], f: f as Function, within: [0.3, 3] },
      { title: `${title} below 0`, shapes: [[4, 5]], f: f as Function, within: [-3, -0.3] },
    ],
  ),
  { title: 'relu6 above 6', shapes: [[9]], f: tf.relu6 as Function, within: [6.5, 8] },
  { title: 'leakyRelu below 0', shapes: [[9]], f: (x) => tf.leakyRelu(x, 0.3), within: [-3, -0.3] },
  { title: 'leakyRelu', shapes: [[9]], f: (x) => tf.leakyRelu(x, 0.3), within: [0.3, 3] },
  { title: 'prelu', shapes: [[3, 4], [4]], f: (x, slope) => tf.prelu(tf.neg(x), slope), within: POSITIVE },
  { title: 'clipByValue inside', shapes: [[9]], f: (x) => tf.clipByValue(x, -2.5, 2.5) },
  { title: 'clipByValue outside', shapes: [[9]], f: (x) => tf.clipByValue(x, -0.2, 0.2), within: POSITIVE },
  ...Object.entries({
    neg: tf.neg,
    square: tf.square,
    sigmoid: tf.sigmoid,
    tanh: tf.tanh,
    exp: tf.exp,
    sin: tf.sin,
    cos: tf.cos,
  }).map(([title, f]): Row => ({ title, shapes: [[3, 5]], f: f as Function })),
  ...Object.entries({
    sqrt: tf.sqrt,
    rsqrt: tf.rsqrt,
    log: tf.log,
    log1p: tf.log1p,
    reciprocal: tf.reciprocal,
  }).map(([title, f]): Row => ({ title, shapes: [[3, 5]], f: f as Function, within: POSITIVE })),
  { title: 'softplus', shapes: [[9]], f: tf.softplus as Function },
  { title: 'sum', shapes: [[3, 4, 2]], f: (x) => tf.square(tf.sum(x, [0, 2])) },
  { title: 'sum of all', shapes: [[3, 4]], f: (x) => tf.square(tf.sum(x)) },
  { title: 'mean', shapes: [[3, 4, 2]], f: (x) => tf.square(tf.mean(x, 1, true)) },
  { title: 'mean of all', shapes: [[3, 4]], f: (x) => tf.square(tf.mean(x)) },
  { title: 'max of rows', shapes: [[3, 4]], f: (x) => tf.max(tf.mul(x, [1, 20, 2, 3]), 1), within: POSITIVE },
  { title: 'moments', shapes: [[6, 4]], f: (x) => tf.concat(Object.values(tf.moments(x, 0)) as Tensor[]) },
  { title: 'softmax', shapes: [[3, 6]], f: (x) => tf.softmax(x) },
  { title: 'logSoftmax', shapes: [[3, 6]], f: (x) => tf.logSoftmax(x) },
  { title: 'logSumExp', shapes: [[3, 6]], f: (x) => tf.logSumExp(x, 1) },
  {
    title: 'softmax cross entropy',
    shapes: [[3, 6]],
    f: (x) => tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d([1, 5, 0], 'int32'), 6), x),
  },
  {
    title: 'sigmoid cross entropy',
    shapes: [[3, 6]],
    f: (x) => tf.losses.sigmoidCrossEntropy(tf.ones([3, 6]), x),
  },
  { title: 'mean squared error', shapes: [[3, 6]], f: (x) => tf.losses.meanSquaredError(tf.ones([3, 6]), x) },
  {
    title: 'batch norm',
    shapes: [[2, 3, 2, 5], [5], [5], [5], [5]],
    f: (x, mean, variance, offset, scale) =>
      tf.batchNorm(x as never, mean as never, variance as never, offset as never, scale as never, 0.1),
    within: POSITIVE,
  },
  {
    title: 'batch norm by its own moments',
    shapes: [[9, 5], [5], [5]],
    f: (x, offset, scale) => {
      const { mean, variance } = tf.moments(x, 0)
      return tf.batchNorm(x as never, mean as never, variance as never, offset as never, scale as never, 0.1)
    },
  },
  { title: 'transpose', shapes: [[3, 4, 2]], f: (x) => tf.square(tf.transpose(x, [2, 0, 1])) },
  { title: 'reshape', shapes: [[3, 4]], f: (x) => tf.square(tf.reshape(x, [2, 6])) },
  { title: 'slice', shapes: [[5, 6]], f: (x) => tf.square(tf.slice(x, [1, 2], [3, 3])) },
  {
    title: 'pad',
    shapes: [[3, 4]],
    f: (x) =>
      tf.square(
        tf.pad(x, [
          [1, 0],
          [2, 1],
        ]),
      ),
  },
  { title: 'tile', shapes: [[3, 4]], f: (x) => tf.square(tf.tile(x, [2, 3])) },
  { title: 'reverse', shapes: [[3, 4]], f: (x) => tf.mul(tf.reverse(x, 1), x) },
  {
    title: 'concat',
    shapes: [
      [3, 4],
      [3, 2],
    ],
    f: (a, b) => tf.square(tf.concat([a, b], 1)),
  },
  {
    title: 'stack',
    shapes: [
      [3, 4],
      [3, 4],
    ],
    f: (a, b) => tf.square(tf.stack([a, b], 1)),
  },
  { title: 'split', shapes: [[3, 6]], f: (x) => tf.mul(...(tf.split(x, 2, 1) as [Tensor, Tensor])) },
  { title: 'gather of rows', shapes: [[5, 3]], f: (x) => tf.square(tf.gather(x, ids())) },
  { title: 'gather of columns', shapes: [[3, 5]], f: (x) => tf.square(tf.gather(x, ids(), 1)) },
  {
    title: 'where',
    shapes: [
      [3, 4],
      [3, 4],
    ],
    f: (a, b) =>
      tf.where(
        tf.greater(
          tf.tensor([
            [1, 0, 1, 0],
            [0, 0, 1, 1],
            [1, 1, 1, 1],
          ]),
          0,
        ),
        tf.square(a),
        b,
      ),
  },
  {
    title: 'matMul',
    shapes: [
      [3, 5],
      [5, 4],
    ],
    f: (a, b) => tf.matMul(a, b),
  },
  {
    title: 'matMul of transposed matrices',
    shapes: [
      [5, 3],
      [4, 5],
    ],
    f: (a, b) => tf.matMul(a, b, true, true),
  },
  {
    title: 'matMul in batches',
    shapes: [
      [2, 3, 5],
      [2, 5, 4],
    ],
    f: (a, b) => tf.matMul(a, b),
  },
  { title: 'conv2d', shapes: [x4, [3, 3, 3, 4]], f: (x, k) => tf.conv2d(x as never, k as never, 1, 'same') },
  {
    title: 'conv2d with stride',
    shapes: [x4, [3, 2, 3, 4]],
    f: (x, k) => tf.conv2d(x as never, k as never, 2, 'valid'),
  },
  {
    title: 'depthwiseConv2d',
    shapes: [x4, [3, 3, 3, 1]],
    f: (x, k) => tf.depthwiseConv2d(x as never, k as never, 1, 'same'),
  },
  { title: 'maxPool', shapes: [[2, 4, 4, 3]], f: (x) => tf.maxPool(x as never, 2, 2, 'valid') },
  { title: 'avgPool', shapes: [[2, 4, 4, 3]], f: (x) => tf.avgPool(x as never, 2, 2, 'valid') },
]

function operands({ shapes, within: [low, high] = ANY }: Row): Float32Array[] {
  return shapes.map((shape, i) =>
    numbers(sizeOf(shape), i + 1).map((x) => (low + high) / 2 + (x * (high - low)) / 2),
  )
}

/** The numbers that weight the results of f to one sum. */
const weighted = (f: Function, xs: Tensor[]) => {
  const y = f(...xs)
  return tf.sum(tf.mul(y, tf.reshape(tf.tensor(numbers(y.size, 99)), y.shape)))
}

/** TensorFlow.js has no gradients of these for operands of two shapes. */
const hasUpstreamGradient = ({ title, shapes }: Row) =>
  !/^(squaredDifference|maximum|minimum)/.test(title) || String(shapes[0]) === String(shapes[1])

for (const row of rows) {
  const { title, shapes, f } = row
  const tensors = (arrays: Float32Array[]) =>
    arrays.map((array, i) => tf.tensor(array, [...(shapes[i] as number[])]))
  const gradients = () => tf.grads((...xs) => weighted(f, xs))(tensors(operands(row)))
  const valueAt = (arrays: Float32Array[]) =>
    on('lowbit', () => weighted(f, tensors(arrays)))[0]?.[0] as number

  test(title, (t) => {
    const got = on('lowbit', gradients)
    const want = hasUpstreamGradient(row) ? on('cpu', gradients) : got
    const xs = operands(row)
    const size = Math.abs(valueAt(xs)) + 1
    for (const [i, gradient] of got.entries()) {
      const expected = want[i] as Float32Array
      const most = Math.max(...expected.map(Math.abs), 1e-3)
      for (const [k, slope] of gradient.entries()) {
        // Sums of fewer than a hundred products.
        t.true(
          Math.abs(slope - (expected[k] as number)) <= 100 * 2 ** -23 * most,
          `operand ${i} at ${k}: ${slope} against ${expected[k]} on the CPU backend`,
        )
        const x = xs[i] as Float32Array
        const at = x[k] as number
        const step = 2 ** -6
        x[k] = at + step
        const above = valueAt(xs)
        x[k] = at - step
        const below = valueAt(xs)
        x[k] = at
        // Central differences err by step^2 / 6 of the third derivative, here below 60, and by the roundings of f.
        const bound = 10 * step ** 2 + (64 * 2 ** -24 * size) / step
        const difference = (above - below) / (2 * step)
        t.true(
          Math.abs(slope - difference) <= bound * Math.max(1, most),
          `operand ${i} at ${k}: ${slope}, difference ${difference}`,
        )
      }
    }
  })
}

test('a clip passes gradients at its bounds, relu does not at 0', (t) => {
  const at = (...xs: number[]) => tf.tensor1d(xs)
  for (const [low, high] of [
    [-1, 1],
    [0, 6],
    [0.5, 0.75],
    [-(2 ** -140), 2 ** -140],
  ] as const) {
    const work = () =>
      tf.grad((x) => tf.clipByValue(x, low, high))(at(low, high, low - 1, high + 1, (low + high) / 2))
    t.deepEqual([...(on('lowbit', work)[0] as Float32Array)], [1, 1, 0, 0, 1], `${low} ${high}`)
  }
  const relu = () => tf.grad((x) => tf.relu(x))(at(0, 1, -1))
  t.deepEqual([...(on('lowbit', relu)[0] as Float32Array)], [0, 1, 0])
})
