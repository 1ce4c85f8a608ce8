// Fake quantisers: the numbers that codes stand for, bit for bit, and the gradients of their papers.

import test from 'ava'
import { loadBinding } from '#lib/native/load.js'
import { configureBackend } from '#lib/train/backend/register.js'
import {
  channelScales,
  fakeQuantize,
  learnedClip,
  learnedOffset,
  learnedStep,
  offsetZeroPoint,
  valueRange,
} from '#lib/train/qat/fake-quantize.js'
import { ACTIVATION_CODES, codesOf, valuesOf, weightCodes } from '#lib/train/qat/grid.js'
import { numbers, tf } from './tf.js'

const close = (a: ArrayLike<number>, b: ArrayLike<number>, bound: number) =>
  a.length === b.length && Array.from(a).every((x, i) => Math.abs(x - (b[i] as number)) <= bound)

for (const backend of ['lowbit', 'cpu']) {
  for (const bits of [8, 4, 3, 2]) {
    test.serial(
      `${backend}, ${bits} bits: the result is that of the integer codes, per tensor and per channel`,
      async (t) => {
        await tf.setBackend(backend)
        const codes = weightCodes(bits)
        for (const channels of [1, 7]) {
          const values = numbers(35, bits).map((x) => 4 * x)
          const scales = numbers(channels, 9).map((x) => 0.01 + Math.abs(x) / bits)
          // Halves of steps, ends and what lies beyond them.
          for (let i = 0; i < 10; i++) values[i] = (i - 4.5) * (scales[i % channels] as number)
          values.set([0, -0, 1e30, -1e30, 1e-40], 10)
          const zeroPoints = Int32Array.from(scales, (_, i) => (i % 3) - 1)
          const grid = { scales, zeroPoints }
          const [x, scale] = [tf.tensor2d(values, [5, 7]), tf.tensor1d(scales)]
          const y = fakeQuantize(x, { scale, zeroPoint: tf.tensor1d(zeroPoints, 'float32') }, codes)
          t.deepEqual(y.dataSync(), valuesOf(codesOf(values, grid, codes), grid))
          t.is(y.dataSync()[10], 0)
          const again = fakeQuantize(y, { scale, zeroPoint: tf.tensor1d(zeroPoints, 'float32') }, codes)
          t.deepEqual(again.dataSync(), y.dataSync())
        }
        await tf.setBackend('lowbit')
      },
    )
  }
}

test.serial('the gradient passes within the clamp alone', (t) => {
  const x = tf.tensor1d([-2.1, -2, -0.3, 0, 0.4, 1, 1.1])
  const dy = tf.tensor1d([1, 2, 3, 4, 5, 6, 7])
  const dx = tf.grad((x) => fakeQuantize(x, { scale: tf.tensor1d([1]) }, { low: -2, high: 1 }))(x, dy)
  t.deepEqual([...dx.dataSync()], [0, 2, 3, 4, 5, 6, 0])
})

test.serial('largest magnitudes are codes at the end', (t) => {
  const x = tf.tensor2d([1, -4, 0, 3, 2, 0], [2, 3])
  t.deepEqual([...channelScales(x, 3, weightCodes(8)).dataSync()], [3 / 127, 4 / 127, 1].map(Math.fround))
  t.deepEqual([...channelScales(x, 1, weightCodes(4)).dataSync()], [Math.fround(0.5)])
})

for (const bits of [8, 4, 3, 2]) {
  test.serial(`LSQ, ${bits} bits: gradients of values and scales are those of the paper`, (t) => {
    const codes = weightCodes(bits)
    const { low, high } = codes
    const [values, upstream] = [numbers(60, 3).map((x) => 3 * x), numbers(60, 4)]
    const scales = Float32Array.of(0.9 / high, 1.3 / high, 0.2)
    const [dx, ds] = tf.grads((x, s) => learnedStep(x as typeof x, s as typeof s, codes))(
      [tf.tensor2d(values, [20, 3]), tf.tensor1d(scales)],
      tf.tensor2d(upstream, [20, 3]),
    ) as [ReturnType<typeof tf.tensor>, ReturnType<typeof tf.tensor>]
    const expected = [0, 0, 0]
    const passed = values.map((v, i) => {
      const u = v / (scales[i % 3] as number)
      const slope = u <= low ? low : u >= high ? high : Math.round(u) - u
      expected[i % 3] = (expected[i % 3] as number) + (upstream[i] as number) * slope
      return u > low && u < high ? (upstream[i] as number) : 0
    })
    t.deepEqual(dx.dataSync(), passed)
    // 20 terms of at most 128, each with an error of some 2^-23 of it.
    t.true(
      close(
        ds.dataSync(),
        expected.map((sum) => sum / Math.sqrt(20 * high)),
        20 * 128 * 2 ** -22,
      ),
    )
  })
}

test.serial('LSQ: where all is clamped the scale acts smoothly, and its gradient is the slope', (t) => {
  const codes = weightCodes(4)
  const x = tf.tensor1d([5, -6, 7])
  const at = (s: number) => tf.sum(learnedStep(x, tf.tensor1d([s]), codes)).dataSync()[0] as number
  const slope = (at(0.26) - at(0.24)) / 0.02
  const ds = tf.grad((s) => tf.sum(learnedStep(x, s, codes)))(tf.tensor1d([0.25]))
  t.true(Math.abs((ds.dataSync()[0] as number) * Math.sqrt(3 * 7) - slope) < 1e-3)
})

test.serial('LSQ+: offset and scale', (t) => {
  const codes = ACTIVATION_CODES
  const [values, upstream] = [numbers(50, 5).map((x) => 4 * x), numbers(50, 6)]
  const [s, wished] = [Math.fround(0.02), -1.503]
  const zero = offsetZeroPoint(s, wished, codes)
  const offset = s * (codes.low - zero)
  const inputs = [tf.tensor1d(values), tf.tensor1d([s]), tf.tensor1d([wished])]
  const of = (x: (typeof inputs)[0], s: (typeof inputs)[0], o: (typeof inputs)[0]) =>
    learnedOffset(x, s, o, codes, 25)
  const [dx, ds, doff] = tf.grads((...args) => of(...(args as [never, never, never])))(
    inputs,
    tf.tensor1d(upstream),
  )
  let [scaleSum, offsetSum] = [0, 0]
  const passed = values.map((x, i) => {
    const v = (x - offset) / s
    const dy = upstream[i] as number
    if (v > 0 && v < 255) {
      scaleSum += dy * (Math.round(v) - v)
      return dy
    }
    scaleSum += dy * (v <= 0 ? 0 : 255)
    offsetSum += dy
    return 0
  })
  const gradientScale = 1 / Math.sqrt(25 * 255)
  t.deepEqual(dx?.dataSync(), passed)
  t.true(close(ds?.dataSync() ?? [], [scaleSum * gradientScale], 1e-4))
  t.true(close(doff?.dataSync() ?? [], [offsetSum * gradientScale], 1e-5))
  t.is(of(tf.tensor1d([0]) as never, inputs[1] as never, inputs[2] as never).dataSync()[0], 0)
})

test.serial('PACT: what lies above the clip moves it', (t) => {
  const x = tf.tensor1d([-1, 0.3, 1.9, 2.5, 8])
  const dy = tf.tensor1d([1, 2, 3, 4, 5])
  const clip = tf.tensor1d([2])
  const run = (x: typeof dy, clip: typeof dy) => learnedClip(x, clip, ACTIVATION_CODES)
  const [dx, dclip] = tf.grads((x, clip) => run(x as never, clip as never))([x, clip], dy)
  t.deepEqual([...(dx?.dataSync() ?? [])], [0, 2, 3, 0, 0])
  t.deepEqual([...(dclip?.dataSync() ?? [])], [9])
  t.deepEqual([...run(x as never, clip as never).dataSync()].slice(3), [2, 2])
})

test.serial('no tensor is left behind', (t) => {
  const x = tf.tensor1d(numbers(100))
  const scale = tf.tensor1d([0.1])
  const before = tf.memory().numTensors
  const made = tf.grads((x, s) => learnedStep(x as never, s as never, weightCodes(4)))([x, scale])
  tf.dispose(made)
  t.is(tf.memory().numTensors, before)
})

/** Values with ends, halves and what is no number, among ordinary ones. */
function spikedNumbers(count: number): Float32Array {
  const values = numbers(count, count).map((x) => 9 * x)
  const near = [0.49999997, -0.49999997, 0.5, -2.5].map((steps) => steps / 16)
  const edges = [Number.NaN, Infinity, -Infinity, -0, ...near]
  for (const [i, edge] of edges.entries()) values[(i * 5) % count] = edge
  return values
}

const SHAPES = [
  [1, 1],
  [7, 1],
  [33, 1],
  [40_003, 1],
  [9 * 4096, 1],
  [5, 3],
  [9, 10],
  [64, 10],
  [300, 32],
  [129, 33],
  [4099, 40],
] as const

for (const isa of loadBinding().cpu().isas) {
  for (const threads of [1, 2]) {
    test.serial(`${isa}, ${threads} threads: native steps give the bits of the CPU backend`, async (t) => {
      for (const [rows, channels] of SHAPES) {
        const values = spikedNumbers(rows * channels)
        const made: number[][][] = []
        for (const backend of ['cpu', 'lowbit']) {
          await tf.setBackend(backend)
          if (backend === 'lowbit') configureBackend({ isa, threads })
          const scale = tf.tensor1d(numbers(channels, 3).map((x) => (1 + Math.round(x)) / 16 + 1 / 16))
          const grid = { scale, zeroPoint: tf.tensor1d(numbers(channels, 4).map((x) => Math.round(4 * x))) }
          const of = (x: ReturnType<typeof tf.tensor1d>) => fakeQuantize(x, grid, ACTIVATION_CODES)
          const x = tf.tensor1d(values)
          const dx = tf.grad((x) => of(x as typeof x & never))(x, tf.tensor1d(numbers(values.length, 2)))
          const finite = tf.tensor1d(numbers(values.length, 7).map((x, i) => (i % 3 ? x : -0)))
          const ends = [valueRange(x, channels), valueRange(finite, channels)]
          made.push([[...of(x).dataSync()], [...dx.dataSync()], ...ends.map((end) => [...end])]) // a NaN has no bits that count
        }
        t.deepEqual(made[1], made[0])
      }
      configureBackend({})
    })
  }
}

test.serial(
  'gradients of scales and offsets: the same bits everywhere, near the sums of the CPU backend',
  async (t) => {
    for (const [rows, channels] of SHAPES) {
      const count = rows * channels
      const [values, upstream] = [numbers(count, 5).map((x) => 4 * x), numbers(count, 6)]
      const gradients = () => {
        const [x, dy] = [tf.tensor1d(values), tf.tensor1d(upstream)]
        const scale = tf.tensor1d(numbers(channels, 3).map((x) => 0.3 + x / 5))
        const [, ds] = tf.grads((x, s) => learnedStep(x as never, s as never, weightCodes(4)))([x, scale], dy)
        const [one, offset] = [tf.tensor1d([0.01]), tf.tensor1d([-0.9])]
        const [, ...both] = tf.grads((x, s, o) =>
          learnedOffset(x as never, s as never, o as never, ACTIVATION_CODES, rows),
        )([x, one, offset], dy)
        return [ds, ...both].map((sum) => [...(sum?.dataSync() ?? [])])
      }
      await tf.setBackend('cpu')
      const wanted = gradients()
      await tf.setBackend('lowbit')
      const all: number[][][] = []
      for (const isa of loadBinding().cpu().isas) {
        for (const threads of [1, 2]) {
          configureBackend({ isa, threads })
          all.push(gradients())
        }
      }
      configureBackend({})
      for (const made of all) t.deepEqual(made, all[0])
      // Slopes are at most 8, 255 and 1; sums of n numbers err by (128 + n / 128 + 3) 2^-24 of their sizes.
      const bound = (n: number) => (131 + n / 128) * 2 ** -24 * n
      const most = [
        (8 * bound(rows)) / Math.sqrt(rows * 7),
        (255 * bound(count)) / Math.sqrt(rows * 255),
        bound(count) / Math.sqrt(rows * 255),
      ]
      for (const [i, sums] of wanted.entries()) t.true(close(all[0]?.[i] ?? [], sums, most[i] as number))
    }
  },
)
