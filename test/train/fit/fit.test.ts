// The training loop: it learns, a seed decides all of it, and work that was cut off goes on to the same bits.

import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { LowbitError } from '#lib/errors.js'
import { checkpointFile } from '#lib/train/fit/checkpoint.js'
import type { EpochRecord, FitOptions, History } from '#lib/train/fit/options.js'
import { evaluate, fit as trainOn } from '#lib/train.js'
import { colours, smallNetwork, weightsOf } from '../../helpers/training.js'
import { tree } from '../../helpers/tree.js'

const data = colours()
const settings: FitOptions = {
  epochs: 3,
  batch: 16,
  learningRate: 0.01,
  schedule: 'cosine',
  warmup: 0.5,
  weightDecay: 0.001,
  labelSmoothing: 0.05,
  augmentation: { flip: true, shift: 1, cutout: 2 },
}
const timeless = ({ epochs }: History) => epochs.map(({ seconds: _, ...rest }) => rest)

async function trained(options: FitOptions = {}) {
  const model = smallNetwork()
  const history = await trainOn(model, data, { ...settings, ...options })
  return { model, history, weights: weightsOf(model) }
}

for (const optimizer of ['adam', 'sgd'] as const) {
  test.serial(`${optimizer}: the network learns, and a seed decides every bit`, async (t) => {
    const learningRate = optimizer === 'adam' ? 0.01 : 0.05
    const one = await trained({ optimizer, learningRate, epochs: 8 })
    const two = await trained({ optimizer, learningRate, epochs: 8 })
    t.deepEqual(two.weights, one.weights)
    t.deepEqual(timeless(two.history), timeless(one.history))
    t.true((one.history.epochs[7]?.validationAccuracy ?? 0) > 0.8)
    const measured = await evaluate(one.model, data)
    t.is(measured.accuracy, one.history.chosen.validationAccuracy)
    const other = await trained({ optimizer, learningRate, epochs: 8, seed: 2 })
    t.notDeepEqual(other.weights, one.weights)
  })
}

for (const optimizer of ['adam', 'sgd'] as const) {
  test.serial(`${optimizer}: stopped within an epoch, and resumed to the same bits`, async (t) => {
    const whole = await trained({ optimizer })
    const checkpoint = tree({})
    for (const stopAt of [2, 9]) {
      const controller = new AbortController()
      let steps = 0
      const reason = new Error('enough')
      const work = trainOn(smallNetwork(stopAt === 2 ? 1 : 9), data, {
        ...settings,
        ...{ optimizer, checkpoint, resume: true, signal: controller.signal },
        onStep: () => {
          if (++steps === stopAt) controller.abort(reason)
          // The loop looks at its signal some times a second.
          const end = performance.now() + 60
          while (performance.now() < end);
        },
      })
      t.is(await t.throwsAsync(work), reason)
    }
    const resumed = smallNetwork(7)
    const history = await trainOn(resumed, data, { ...settings, optimizer, checkpoint, resume: true })
    t.deepEqual(weightsOf(resumed), whole.weights)
    t.deepEqual(timeless(history), timeless(whole.history))
    t.deepEqual(readdirSync(checkpoint), ['checkpoint.lowbit'])
  })
}

test.serial('a training that is over is read from its checkpoint', async (t) => {
  const checkpoint = tree({})
  const { history, weights } = await trained({ checkpoint, epochs: 1 })
  const again = smallNetwork(5)
  t.deepEqual(await trainOn(again, data, { ...settings, checkpoint, epochs: 1, resume: true }), history)
  t.deepEqual(weightsOf(again), weights)
})

test.serial('a checkpoint of another training, and a broken one', async (t) => {
  const checkpoint = join(tree({}), 'new/folder')
  await trained({ checkpoint, epochs: 1 })
  const path = checkpointFile(checkpoint)
  t.true(existsSync(path))
  const resumed = (options: FitOptions) => trained({ epochs: 1, ...options, checkpoint, resume: true })
  const other = await t.throwsAsync(resumed({ batch: 8 }), { instanceOf: LowbitError })
  t.is(other.code, 'OPTION_INVALID')
  t.true(other.message.includes('whose batch is 16, asked for is 8'), other.message)
  const bytes = readFileSync(path)
  const changed = Uint8Array.from(bytes)
  changed[bytes.length - 3] = (changed[bytes.length - 3] as number) ^ 1
  writeFileSync(path, changed)
  t.like(await t.throwsAsync(resumed({})), { code: 'DATA_INVALID' })
  writeFileSync(path, bytes)
  truncateSync(path, bytes.length - 4)
  t.like(await t.throwsAsync(resumed({})), { code: 'DATA_INVALID' })
  writeFileSync(path, 'something else')
  t.like(await t.throwsAsync(resumed({})), { code: 'DATA_INVALID' })
})

test.serial('patience ends the training, and the best epoch stays', async (t) => {
  // A rate that grows too high: the validation loss rises sooner or later.
  const options = { patience: 2, epochs: 40, learningRate: 0.3, schedule: 'constant', warmup: 0 } as const
  const { model, history } = await trained(options)
  const losses = history.epochs.map(({ validationLoss }) => validationLoss)
  const best = losses.indexOf(Math.min(...losses))
  t.is(history.stopped, 'patience')
  t.is(losses.length, best + 1 + 2)
  t.deepEqual(history.chosen, history.epochs[best] as EpochRecord)
  t.is((await evaluate(model, data)).loss, losses[best] as number)
})

test.serial('memory is flat: no tensor is left', async (t) => {
  const model = smallNetwork()
  await trainOn(model, data, { ...settings, epochs: 1 })
  const { numTensors } = tf.memory()
  await trainOn(model, data, { ...settings, epochs: 2, patience: 1 })
  t.is(tf.memory().numTensors, numTensors)
})

test.serial('options and models that do not fit are refused', async (t) => {
  const model = smallNetwork()
  const fails = async (options: object, message: RegExp) => {
    await t.throwsAsync(trainOn(model, data, options), { instanceOf: LowbitError, message })
  }
  await fails({ epochs: 0 }, /epochs is 0/)
  await fails({ learningRate: Number.NaN }, /learningRate is NaN/)
  await fails({ warmup: 6 }, /warmup is 6 epochs of 5/)
  await fails({ optimizer: 'rmsprop' }, /adam or sgd expected, not rmsprop/)
  await fails({ schedule: 'random' }, /schedule.*not random/)
  await fails({ resume: true }, /folder of the checkpoint/)
  const other = { ...data, classes: 4 }
  await t.throwsAsync(trainOn(model, other), { message: /gives outputs of shape \[3\], \[4\] expected/ })
})

test.serial('a loss that is no number any longer ends the training', async (t) => {
  const work = trained({ optimizer: 'sgd', learningRate: 1e30, warmup: 0, epochs: 5 })
  t.like(await t.throwsAsync(work, { instanceOf: LowbitError }), { code: 'NOT_FINITE' })
})
