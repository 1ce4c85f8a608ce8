// Activations of layers that are one kernel here, and those that products take over while gradients are recorded: the
// numbers and gradients of TensorFlow.js.

import type { Tensor, Tensor4D, TensorInfo } from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import test from 'ava'
import type { NativeBackend } from '#lib/train/backend/backend.js'
import { requireTfjs } from '#lib/train/backend/tfjs.js'
import { distance, EDGES, kernelsOf, numbers, on, sizeOf, tf } from './backends.js'

const { layers } = requireTfjs<typeof Layers>('layers')

test('relu6 of a layer is one kernel, and its gradient another', (t) => {
  const layer = layers.activation({ activation: 'relu6' })
  const all = [...EDGES, 5.9999995, 6.0000005, 3, 4]
  const data = all.filter((x) => !Number.isNaN(x)) // the gradient there is NaN in TensorFlow.js
  const x = () => tf.tensor2d(data, [1, data.length])
  const results = (apply: (x: Tensor) => Tensor) => () => [
    apply(tf.tensor2d(all, [1, all.length])),
    tf.grad(apply)(x(), tf.mul(tf.onesLike(x()), 3)),
  ]
  const own = results((x) => layer.apply(x) as Tensor)
  const theirs = results((x) => tf.minimum(6, tf.relu(x)))
  let got: ReturnType<typeof on> = []
  const kernels = kernelsOf(() => {
    got = on('lowbit', own)
  })
  t.deepEqual(
    kernels.filter((name) => /relu|clamp|minimum/i.test(name)),
    ['Relu6', 'ClampGradient'],
  )
  const want = on('cpu', theirs)
  t.is(distance(got[0] as Float32Array, want[0] as Float32Array), 0)
  t.is(distance(got[1] as Float32Array, want[1] as Float32Array), 0)
})

test('relu6 keeps its name in what is written', (t) => {
  const { activation } = layers.dense({ units: 1, activation: 'relu6' }).getConfig()
  t.is(activation, 'relu6')
})

const U = 2 ** -24
const PRODUCTS = [
  {
    title: 'conv2d',
    terms: 27,
    shapes: [[2, 9, 8, 3], [3, 3, 3, 17], [17]],
    run: (x: Tensor, f: Tensor) => tf.conv2d(x as Tensor4D, f as Tensor4D, 1, 'same'),
  },
  {
    title: 'fused conv2d without activation',
    terms: 27,
    shapes: [[2, 9, 8, 3], [3, 3, 3, 17], [17]],
    run: (x: Tensor, f: Tensor) =>
      tf.fused.conv2d({ x: x as Tensor4D, filter: f as Tensor4D, strides: 2, pad: 'valid' }),
  },
  {
    title: 'matMul',
    terms: 40,
    shapes: [[33, 40], [40, 19], [19]],
    run: (x: Tensor, f: Tensor) => tf.matMul(x, f),
  },
  {
    title: 'matMul, seen in another shape',
    terms: 40,
    shapes: [[1, 12, 40], [1, 40, 8], [8]],
    run: (x: Tensor, f: Tensor) => tf.reshape(tf.matMul(x, f), [2, 6, 8]),
  },
]
type Ending = (y: Tensor, bias: Tensor) => Tensor
const ENDINGS: readonly (readonly [string, Ending])[] = [
  ['a bias', (y, bias) => tf.add(y, bias)],
  ['relu', (y) => tf.relu(y)],
  ['relu6 of eight times itself', (y) => tf.relu6(tf.mul(y, 8))],
  ['relu6', (y) => tf.relu6(y)],
  ['a bias and relu', (y, bias) => tf.relu(tf.add(y, bias))],
  ['a bias and relu6', (y, bias) => tf.relu6(tf.add(y, bias))],
  ['two biases', (y, bias) => tf.relu(tf.add(tf.add(y, bias), bias))],
  ['relu, and what it was given', (y, bias) => tf.add(tf.relu(tf.add(y, bias)), tf.add(y, bias))],
  ['one number as bias', (y) => tf.relu(tf.add(y, 0.25))],
]

for (const { title, terms, shapes, run } of PRODUCTS) {
  for (const [ending, end] of ENDINGS) {
    test.serial(`${title} with ${ending}, and its gradients`, (t) => {
      const data = shapes.map((shape, i) => numbers(sizeOf(shape), i + 3))
      const work = () => {
        const tensors = data.map((array, i) => tf.tensor(array, [...(shapes[i] as number[])]))
        const f = (x: Tensor, filter: Tensor, bias: Tensor) => end(run(x, filter), bias)
        const { shape } = f(...(tensors as [Tensor, Tensor, Tensor]))
        // An operand without an effect has no gradient.
        const touched = (...all: Tensor[]) =>
          tf.add(f(...(all as [Tensor, Tensor, Tensor])), tf.mul(tf.sum(all[2] as Tensor), 0))
        const dy = tf.tensor(numbers(sizeOf(shape), 7), shape)
        const { value, grads } = tf.valueAndGrads(touched)(tensors, dy)
        return [value, ...grads]
      }
      const [got, want] = [on('lowbit', work), on('cpu', work)]
      t.is(got.length, 4)
      // A sum of the products of numbers below 1 and three more, then sums over at most 144 places of such with dy.
      const bounds = [terms + 4, 17 * 9 * 2, 144 * 2, 144 * 2].map((count) => 2 * count * count * U)
      for (const [i, array] of got.entries()) {
        const apart = distance(array, want[i] as Float32Array, 1)
        t.true(apart <= (bounds[i] as number), `result ${i}: ${apart}`)
      }
    })
  }
}

test.serial(
  'a product that an activation took over is not computed by itself while gradients are recorded',
  (t) => {
    tf.setBackend('lowbit')
    const backend = tf.backend() as NativeBackend
    const [x, filter] = [tf.tensor(numbers(60, 1), [6, 10]), tf.tensor(numbers(40, 2), [10, 4])]
    const seen: TensorInfo[] = []
    tf.grads((x, filter) => {
      const y = tf.matMul(x as Tensor, filter as Tensor)
      const sum = tf.add(y, tf.tensor1d([1, 2, 3, 4]))
      const z = tf.relu(sum)
      seen.push(y, sum, z)
      t.deepEqual(
        seen.map((tensor) => backend.waiting(tensor)?.kind),
        ['batch_matmul', 'batch_matmul', undefined],
      )
      return z
    })([x, filter])
    const y = tf.matMul(x, filter)
    t.is(backend.waiting(y), undefined)
    tf.dispose([x, filter, y])
  },
)
