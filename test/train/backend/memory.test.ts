// Memory: what a step of training takes comes back, and the backend gives all of it back.

import type { Tensor } from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import test from 'ava'
import { ArrayPool } from '#lib/train/backend/memory.js'
import { requireTfjs } from '#lib/train/backend/tfjs.js'
import { quantizeAware } from '#lib/train.js'
import { distance, kernelsOf, numbers, on, tf } from './backends.js'

const { layers, sequential } = requireTfjs<typeof Layers>('layers')

function smallNetwork() {
  return sequential({
    layers: [
      layers.conv2d({ inputShape: [12, 12, 3], filters: 8, kernelSize: 3, useBias: false }),
      layers.batchNormalization(),
      layers.reLU({ maxValue: 6 }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu6', padding: 'same' }),
      layers.flatten(),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  })
}

const bytes = () => {
  const { rss, external, arrayBuffers } = process.memoryUsage()
  return { rss, external, arrayBuffers }
}

for (const [title, make] of [
  ['training', smallNetwork],
  ['quantisation-aware training', () => quantizeAware(smallNetwork()).model],
] as const) {
  test.serial(`memory stays flat over 200 steps of ${title}`, async (t) => {
    tf.setBackend('lowbit')
    const model = make()
    model.compile({ optimizer: tf.train.adam(1e-3), loss: 'categoricalCrossentropy' })
    const x = tf.tensor4d(numbers(16 * 12 * 12 * 3, 1), [16, 12, 12, 3])
    const labels = tf.tensor1d(
      Array.from({ length: 16 }, (_, i) => i % 10),
      'int32',
    )
    const y = tf.oneHot(labels, 10, 1, 0, 'float32')
    const losses: number[] = []
    const step = async () => {
      losses.push((await model.trainOnBatch(x, y)) as number)
    }
    for (let i = 0; i < 50; i++) await step()
    const [tensors, native] = [tf.memory(), bytes()]
    for (let i = 0; i < 200; i++) await step()
    const [after, nativeAfter] = [tf.memory(), bytes()]
    t.is(after.numTensors, tensors.numTensors)
    t.is(after.numBytes, tensors.numBytes)
    t.is(after.numDataBuffers, tensors.numDataBuffers)
    // A step writes some 700 KB of results: 200 that were kept would be 140 MB.
    t.true(
      nativeAfter.external - native.external < 20e6,
      `${nativeAfter.external - native.external} bytes outside of the heap`,
    )
    t.true(nativeAfter.rss - native.rss < 60e6, `${nativeAfter.rss - native.rss} bytes of the process`)
    t.true(
      (losses.at(-1) as number) < 0.5 * (losses[0] as number),
      `loss ${losses[0]} became ${losses.at(-1)}`,
    )
  })
}

test('an array that was given back is taken again, unless it is seen from elsewhere', (t) => {
  const pool = new ArrayPool()
  const [a, b] = [pool.take(100), pool.take(100)]
  pool.give(a)
  t.is(pool.take(100), a)
  pool.keep(b.subarray(3))
  pool.give(b)
  t.not(pool.take(100), b)
  pool.give(new Float32Array(7))
  t.is(pool.bytes, 0)
})

test('what waits for its next use is bounded, and can be let go', (t) => {
  const pool = new ArrayPool(1000)
  const arrays = Array.from({ length: 5 }, () => pool.take(100))
  for (const array of arrays) pool.give(array)
  t.is(pool.bytes, 800)
  pool.clear()
  t.is(pool.bytes, 0)
  t.false(arrays.includes(pool.take(100)))
})

test('an array that later work reads is not taken before it is released as often as held', (t) => {
  const pool = new ArrayPool()
  const array = pool.take(100)
  pool.hold(array)
  pool.hold(array)
  pool.give(array)
  t.not(pool.take(100), array)
  pool.release(array)
  t.not(pool.take(100), array)
  pool.release(array)
  t.is(pool.take(100), array)
  pool.hold(array)
  pool.release(array)
  t.not(pool.take(100), array) // nobody gave it back
})

/** The gradient by the image of a convolution: computed when it is read. */
function imageGradient(dy: Tensor, filter: Tensor): Tensor {
  const attrs = { inputShape: [2, 8, 8, 3], strides: 1, pad: 'same', dataFormat: 'NHWC' }
  return tf.engine().runKernel('Conv2DBackpropInput', { dy, filter }, attrs) as Tensor
}

test.serial('a gradient that is computed later reads what its operands were', (t) => {
  const operands = () => [
    tf.mul(tf.tensor4d(numbers(2 * 8 * 8 * 4, 1), [2, 8, 8, 4]), 2),
    tf.mul(tf.tensor4d(numbers(3 * 3 * 3 * 4, 2), [3, 3, 3, 4]), 2),
  ]
  const want = on('cpu', () => imageGradient(...(operands() as [Tensor, Tensor])))[0] as Float32Array
  tf.setBackend('lowbit')
  const before = tf.memory()
  const [dy, filter] = tf.tidy(operands) as [Tensor, Tensor]
  const [dx, other] = [imageGradient(dy, filter), imageGradient(dy, filter)]
  const shared = tf.reshape(dx, [-1])
  tf.dispose([dy, filter, dx])
  const between = tf.tidy(() => operands().map((x) => tf.mul(x, 100)))
  const unread = tf.memory().numTensors
  const got = shared.dataSync() as Float32Array
  // Two sums of 36 products below 4.
  t.true(distance(got, want, 144) <= 2 * 38 * 2 ** -24)
  t.is(tf.memory().numTensors, unread)
  t.deepEqual(shared.dataSync(), got)
  tf.dispose([shared, other, ...between])
  t.is(tf.memory().numTensors, before.numTensors)
})

test.serial('numbers that the user holds stay as they are', (t) => {
  tf.setBackend('lowbit')
  const x = tf.tensor1d([1, 2, 3, 4])
  const y = tf.mul(x, 2)
  const part = tf.slice(y, 1, 2)
  const held = y.dataSync()
  y.dispose()
  for (let i = 0; i < 10; i++) tf.add(x, 100).dispose()
  t.deepEqual([...held], [2, 4, 6, 8])
  t.deepEqual([...part.dataSync()], [4, 6])
})

test.serial('a backend that was removed can be made again', (t) => {
  tf.setBackend('lowbit')
  const before = tf.memory().numTensors
  tf.tidy(() => tf.add(tf.ones([50, 50]), 1).dataSync())
  t.is(tf.memory().numTensors, before)
  const backend = tf.backend()
  backend.dispose()
  const ran = kernelsOf(() =>
    t.is(
      tf.tidy(() => tf.sum(tf.add(tf.ones([50, 50]), 1)).dataSync()[0]),
      5000,
    ),
  )
  t.deepEqual(ran, ['Add', 'Sum'])
})
