// Optimisers give the same bits as on the CPU backend, and keep their state where TensorFlow.js looks for it.

import type { Optimizer } from '@tensorflow/tfjs-core'
import test from 'ava'
import { type BackendName, kernelsOf, numbers, on, tf } from './backends.js'

const OPTIMISERS: Readonly<Record<string, () => Optimizer>> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.05, 0.9),
  nesterov: () => tf.train.momentum(0.05, 0.9, true),
  adam: () => tf.train.adam(0.01),
  'adam of other settings': () => tf.train.adam(0.3, 0.7, 0.95, 1e-3),
}

/** Values of two variables after a few steps, and the optimiser's state. */
async function train(backend: BackendName, make: () => Optimizer, steps: number) {
  tf.setBackend(backend)
  const before = tf.memory().numTensors
  const variables = [numbers(1003, 1), numbers(3, 2)].map((array) => tf.variable(tf.tensor1d(array)))
  const optimiser = make()
  for (let step = 0; step < steps; step++) {
    // The second variable has no gradient in the first step.
    const named = variables.map(({ name, size }, i) => {
      const gradient = i === 1 && step === 0 ? undefined : tf.tensor1d(numbers(size, 10 * step + i))
      return { name, tensor: gradient as never }
    })
    optimiser.applyGradients(named)
    tf.dispose(named.flatMap(({ tensor }) => tensor ?? []))
  }
  const state = await optimiser.getWeights()
  const arrays = [...variables, ...state.map(({ tensor }) => tensor)].map((tensor) => [...tensor.dataSync()])
  const names = state.map(({ name }) => name.replace(/^.*\//, ''))
  state[0]?.tensor.dispose()
  optimiser.dispose()
  tf.dispose(variables)
  return { arrays, names, left: tf.memory().numTensors - before }
}

for (const [title, make] of Object.entries(OPTIMISERS)) {
  test.serial(`${title}: the same bits`, async (t) => {
    for (const steps of [1, 2, 7]) {
      const want = await train('cpu', make, steps)
      const got = await train('lowbit', make, steps)
      t.deepEqual(got, want)
    }
  })
}

test.serial('a step is one kernel a variable', (t) => {
  tf.setBackend('lowbit')
  const w = tf.variable(tf.tensor1d(numbers(20, 1)), true, 'w of one kernel')
  const g = tf.tensor1d(numbers(20, 2))
  const optimiser = tf.train.sgd(0.1)
  t.deepEqual(
    kernelsOf(() => optimiser.applyGradients({ [w.name]: g })),
    ['UpdateVariable'],
  )
  tf.dispose([w, g])
})

test.serial('a changed learning rate counts from the next step', (t) => {
  const work = () => {
    const w = tf.variable(tf.tensor1d(numbers(20, 1)))
    const g = tf.tensor1d(numbers(20, 2))
    const optimiser = tf.train.sgd(0.1)
    optimiser.applyGradients([{ name: w.name, tensor: g }])
    ;(optimiser as unknown as { setLearningRate(rate: number): void }).setLearningRate(0.01)
    optimiser.applyGradients([{ name: w.name, tensor: g }])
    const result = tf.clone(w as never)
    w.dispose()
    return result as never
  }
  t.deepEqual(on('lowbit', work), on('cpu', work))
})

test.serial('state that was saved goes on', async (t) => {
  tf.setBackend('lowbit')
  const w = tf.variable(tf.tensor1d(numbers(20, 1)))
  const step = (optimiser: Optimizer) =>
    optimiser.applyGradients([{ name: w.name, tensor: tf.tensor1d(numbers(20, 2)) }])
  const first = tf.train.adam(0.1)
  step(first)
  const state = (await first.getWeights()).map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) }))
  const values = w.dataSync().slice()
  step(first)
  const want = w.dataSync().slice()
  w.assign(tf.tensor1d(values as Float32Array))
  const second = tf.train.adam(0.1)
  await second.setWeights(state)
  step(second)
  t.deepEqual(w.dataSync(), want)
})
