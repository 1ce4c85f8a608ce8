// The loss with its gradient, and the course of the learning rate.

import test from 'ava'
import { randomIntegers } from '#lib/numerics/random.js'
import { crossEntropy } from '#lib/train/fit/loss.js'
import { type Course, learningRateAt } from '#lib/train/fit/schedule.js'
import { withSeed } from '#lib/train/fit/seeded.js'

const labels = [2, 0, 4]
const classes = 5

for (const areProbabilities of [false, true]) {
  for (const labelSmoothing of [0, 0.1]) {
    test(`gradient of ${areProbabilities ? 'probabilities' : 'logits'}, smoothing ${labelSmoothing}`, (t) => {
      const settings = { areProbabilities, labelSmoothing }
      const outputs = Float32Array.from(randomIntegers(3, labels.length * classes, 100, 900), (v) => v / 1000)
      const { gradient } = crossEntropy(outputs, labels, settings)
      // Central differences: the error is the third derivative times h² / 6, and rounding of 2^-24 / h in the outputs.
      const h = 2 ** -7
      for (const i of outputs.keys()) {
        const at = (change: number) => {
          const moved = Float32Array.from(outputs)
          moved[i] = (outputs[i] as number) + change
          return crossEntropy(moved, labels, settings).loss / labels.length
        }
        const numeric = (at(h) - at(-h)) / (2 * h)
        const third = areProbabilities ? 2 / (outputs[i] as number) ** 3 : 1
        const bound = (third * h * h) / 3 + 1e-4
        t.true(Math.abs(numeric - (gradient[i] as number)) <= bound, `${i}: ${numeric} ${gradient[i]}`)
      }
    })
  }
}

test('the loss of even logits is the logarithm of the classes; ties go to the first', (t) => {
  const { loss, right } = crossEntropy(new Float32Array(15), labels, {
    areProbabilities: false,
    labelSmoothing: 0,
  })
  t.true(Math.abs(loss - 3 * Math.log(5)) < 1e-12)
  t.is(right, 1)
})

test('huge logits neither overflow nor vanish', (t) => {
  const settings = { areProbabilities: false, labelSmoothing: 0 }
  const { loss, gradient } = crossEntropy(Float32Array.of(1e30, -1e30), [0], settings)
  t.is(loss, 0)
  t.deepEqual([...gradient], [0, 0])
})

const course: Course = { schedule: 'constant', learningRate: 2, warmup: 0, steps: 100 }

test('schedules', (t) => {
  const at = (change: Partial<Course>, step: number) => learningRateAt({ ...course, ...change }, step)
  t.deepEqual([at({}, 0), at({}, 99)], [2, 2])
  t.deepEqual([at({ warmup: 4 }, 0), at({ warmup: 4 }, 3), at({ warmup: 4 }, 4)], [0.5, 2, 2])
  t.is(at({ schedule: 'linear' }, 25), 1.5)
  t.is(at({ schedule: 'linear', warmup: 20 }, 60), 1)
  t.true(Math.abs(at({ schedule: 'cosine' }, 50) - 1) < 1e-12)
  t.deepEqual(
    [at({ schedule: 'step' }, 49), at({ schedule: 'step' }, 50), at({ schedule: 'step' }, 75)],
    [2, 0.2, 0.02],
  )
})

test('random numbers of others are seeded only while the work goes on', (t) => {
  const { random } = Math
  const draw = () => withSeed(5, () => [Math.random(), Math.random()])
  t.deepEqual(draw(), draw())
  t.not(draw()[0], draw()[1])
  t.throws(() =>
    withSeed(1, () => {
      throw new Error('no')
    }),
  )
  t.is(Math.random, random)
})
