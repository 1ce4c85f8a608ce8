// Activations of layers that are one kernel here: the numbers and gradients of TensorFlow.js.

import type { Tensor } from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import test from 'ava'
import { requireTfjs } from '#lib/train/backend/tfjs.js'
import { distance, EDGES, kernelsOf, on, tf } from './backends.js'

const { layers } = requireTfjs<typeof Layers>('layers')

test('relu6 of a layer is one kernel, and its gradient another', (t) => {
  const layer = layers.activation({ activation: 'relu6' })
  const all = [...EDGES, 5.9999995, 6.0000005, 3, 4].filter((x) => x !== 6)
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
