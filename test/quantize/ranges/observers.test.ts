// Observers: the laws all keep, and what each method is for.

import test from 'ava'
import { Histogram } from '#lib/quantize/ranges/histogram.js'
import { createObserver, type Observer, type ObserverSettings } from '#lib/quantize/ranges/observer.js'
import { laplacians, normals } from '../../helpers/densities.js'

const METHODS = ['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const

const observer = (range: ObserverSettings['range'], settings: Partial<ObserverSettings> = {}): Observer =>
  createObserver({ range, percentile: 0.999, codes: 256, ...settings })

const OUTLIERS = normals(1, 20_000).map((value, i) => (i % 5000 === 7 ? 40 : value))

for (const method of METHODS) {
  test(`${method}: within what was seen, the same in parts as in one`, (t) => {
    for (const values of [
      normals(1, 9000),
      laplacians(2, 9000),
      OUTLIERS,
      normals(3, 9000).map((v) => Math.max(v, 0)),
    ]) {
      const whole = observer(method)
      const parts = observer(method)
      whole.add(values)
      const third = Math.ceil(values.length / 3)
      for (let from = 0; from < values.length; from += third) parts.add(values.subarray(from, from + third))
      const { min, max } = whole.range()
      t.true(min >= values.reduce((a, b) => Math.min(a, b)))
      t.true(max <= values.reduce((a, b) => Math.max(a, b)))
      t.true(min <= max)
      if (method !== 'moving-average') t.deepEqual(parts.range(), { min, max })
    }
  })

  test(`${method}: nothing, zeros, one value, values that are not finite`, (t) => {
    const range = (...values: number[]) => {
      const made = observer(method)
      made.add(Float32Array.from(values))
      return made.range()
    }
    t.deepEqual(observer(method).range(), { min: 0, max: 0 })
    t.deepEqual(range(), { min: 0, max: 0 })
    t.deepEqual(range(0, 0, 0), { min: 0, max: 0 })
    t.true(range(0, 0, 3).max > 2.9)
    t.true(range(-1e30, 0, 1e-30).min < -0.9e30)
    t.throws(() => range(1, Number.NaN), { code: 'NOT_FINITE' })
    t.throws(() => range(1, Number.NEGATIVE_INFINITY), { code: 'NOT_FINITE' })
  })
}

test('a range behind a ReLU begins at zero whatever the method', (t) => {
  const values = OUTLIERS.map((value) => Math.max(value, 0))
  for (const method of METHODS) {
    const made = observer(method)
    made.add(values)
    t.is(Math.abs(made.range().min), 0, method)
  }
})

test('the moving average is the mean of the ends where runs are alike, and forgets the first', (t) => {
  const made = observer('moving-average')
  made.add(Float32Array.of(-1, 3))
  t.deepEqual(made.range(), { min: -1, max: 3 })
  made.add(Float32Array.of(-3, 5))
  t.true(Math.abs(made.range().max - 4) < 0.01)
  for (let i = 0; i < 1000; i++) made.add(Float32Array.of(-2, 7))
  t.true(Math.abs(made.range().max - 7) < 0.001)
})

test('a percentile leaves that share of the magnitudes within', (t) => {
  const values = laplacians(4, 50_000)
  for (const percentile of [0.5, 0.9, 0.99, 0.999, 1]) {
    const made = observer('percentile', { percentile })
    made.add(values)
    const { min, max } = made.range()
    const within = values.reduce((count, value) => count + (value >= min && value <= max ? 1 : 0), 0)
    // The threshold is rounded up to a bin.
    t.true(within >= percentile * values.length)
    t.true(within <= (percentile + 0.005) * values.length, `${percentile}: ${within}`)
  }
})

/** Mean squared error of rounding to equal steps over a range, value by value. */
function roundingError(
  values: Float32Array,
  { min, max }: { min: number; max: number },
  codes: number,
): number {
  const step = (Math.max(max, 0) - Math.min(min, 0)) / (codes - 1)
  const error = (value: number) => value - Math.min(Math.max(Math.round(value / step) * step, min), max)
  return values.reduce((sum, value) => sum + error(value) ** 2, 0) / values.length
}

test('mse: errs less than any other method, by far where there are outliers', (t) => {
  for (const [values, codes] of [
    [OUTLIERS, 16],
    [normals(6, 20_000), 16],
    [laplacians(7, 20_000), 64],
    [laplacians(8, 20_000), 256],
  ] as const) {
    const error = (method: ObserverSettings['range']) => {
      const made = observer(method, { codes })
      made.add(values)
      return roundingError(values, made.range(), codes)
    }
    const least = error('mse')
    for (const other of METHODS) t.true(least <= 1.03 * error(other), `${codes} ${other}`)
    if (codes === 16) t.true(least < 0.8 * error('minmax'))
  }
})

test('entropy: leaves out a few far values, and keeps a range that is evenly filled', (t) => {
  const far = observer('entropy')
  far.add(OUTLIERS)
  t.true(far.range().max < 20)
  const even = observer('entropy')
  even.add(Float32Array.from({ length: 65536 }, (_, i) => i / 65535))
  t.true(even.range().max > 0.97)
})

test('a histogram counts every value once, however its range grew', (t) => {
  const histogram = new Histogram()
  const parts = [
    normals(1, 100),
    normals(2, 100).map((v) => v * 1e-6),
    normals(3, 100).map((v) => v * 1e6 - 3e6),
  ]
  for (const part of parts) histogram.add(part)
  histogram.add(new Float32Array(7))
  const { width, first, counts, zeros, min, max } = histogram.result()
  t.is(zeros, 7)
  t.is(
    counts.reduce((a, b) => a + b),
    300,
  )
  t.true(counts.length <= 2 * 4096 + 1)
  const all = parts.flatMap((part) => [...part])
  t.is(min, Math.min(...all))
  t.is(max, Math.max(...all))
  // Bin by bin, for the values that came last: no bin has moved since.
  const last = parts[2] as Float32Array
  const far = [...last].filter((value) => value < -1e6)
  const bins = new Map<number, number>()
  for (const value of far) bins.set(Math.floor(value / width), (bins.get(Math.floor(value / width)) ?? 0) + 1)
  for (const [bin, count] of bins) t.is(counts[bin - first], count)
})
