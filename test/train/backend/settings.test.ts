// Threads and instruction sets: the same results, and what they may be.

import type { Tensor } from '@tensorflow/tfjs-core'
import test from 'ava'
import { loadBinding } from '#lib/native/load.js'
import { configureBackend } from '#lib/train.js'
import { distance, numbers, on, tf } from './backends.js'

const values = (shape: number[], seed = 1) =>
  tf.tensor(
    numbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
      4,
    ),
    shape,
  )

/** Work large enough for two threads. */
const work = () => {
  const [x, mean] = [values([500, 33, 8]), values([8], 2)]
  const variance = tf.add(tf.square(mean), 0.5)
  const norm = (x: Tensor, mean: Tensor) =>
    tf.batchNorm(x as never, mean as never, variance as never, mean as never, variance as never)
  return [
    tf.add(x, mean),
    tf.tanh(x),
    tf.softmax(x),
    tf.sum(x, [0, 1]),
    tf.sum(values([20_000, 7]), 0),
    tf.sum(values([3, 900, 70]), 1),
    norm(x, mean),
    tf.transpose(x),
    ...tf.grads(norm)([x, mean]),
  ]
}

test.serial.afterEach(() => configureBackend({}))

test.serial('two threads give the bits of one', (t) => {
  configureBackend({ threads: 1 })
  const one = on('lowbit', work)
  configureBackend({ threads: 2 })
  t.deepEqual(on('lowbit', work), one)
})

test.serial('every instruction set agrees with the plain kernels', (t) => {
  configureBackend({ isa: 'scalar' })
  const want = on('lowbit', work)
  for (const isa of loadBinding().cpu().isas) {
    configureBackend({ isa })
    for (const [i, got] of on('lowbit', work).entries()) {
      // Sums of up to 20000 numbers of at most 4, in blocks of 128; functions within 8 units in the last place.
      const most = (want[i] as Float32Array).reduce((most, x) => Math.max(most, Math.abs(x)), 0)
      t.true(distance(got, want[i] as Float32Array, most + 100) <= 300 * 2 ** -24, `${isa}, result ${i}`)
    }
  }
})

test.serial('options that are refused', (t) => {
  for (const options of [{ threads: 0 }, { threads: 1.5 }, { isa: 'mmx' }, { cores: 2 }]) {
    t.throws(() => configureBackend(options as never), { code: 'OPTION_INVALID' })
  }
})
