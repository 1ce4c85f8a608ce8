// Parts of the command line: measuring, top classes, random inputs.

import test from 'ava'
import { measure, summarize } from '#lib/cli/measure.js'
import { randomInput } from '#lib/cli/random-inputs.js'
import { topClasses } from '#lib/cli/top.js'
import { randomIntegers } from '#lib/numerics/random.js'

test('summaries: nearest-rank quantiles, the median between two', (t) => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
  t.deepEqual(summarize(hundred), {
    samples: 100,
    latencyMs: { min: 1, median: 50.5, mean: 50.5, p90: 90, p99: 99 },
  })
  t.deepEqual(summarize([3]), { samples: 1, latencyMs: { min: 3, median: 3, mean: 3, p90: 3, p99: 3 } })
  t.is(summarize([1, 9, 2]).latencyMs.median, 2)
})

test('measure warms up, takes batches and ends', (t) => {
  let runs = 0
  const started = performance.now()
  const { samples, latencyMs } = measure(() => {
    runs++
  }, 0.05)
  t.true(performance.now() - started >= 350)
  t.true(samples >= 1 && samples <= 100, 'at most one sample in half a millisecond')
  t.true(runs > 1000 && latencyMs.min > 0)
})

test('top classes: highest first, ties by class, NaN no reason to fail', (t) => {
  t.deepEqual(topClasses(Float32Array.of(0.25, 0.5, 0.25), 2, { labels: ['a', 'b', ''] }), {
    kind: 'probability',
    top: [
      { index: 1, label: 'b', score: 0.5 },
      { index: 0, label: 'a', score: 0.25 },
    ],
  })
  t.is(topClasses(Float32Array.of(3, -1), 5).kind, 'score')
  t.is(topClasses(Float32Array.of(0.5, 0.4), 5).kind, 'score')
  t.is(topClasses(Float32Array.of(0.5, 0.4), 5, { step: 0.1 }).kind, 'probability')
  t.is(topClasses(Float32Array.of(0.9, 0.9), 5).kind, 'score')
  t.is(topClasses(Float32Array.of(Number.NaN, 1), 5).top.length, 2)
})

const info = (dtype: string, shape: number[]) => ({ name: 'x', dtype, shape, shapeSignature: shape }) as never

test('random inputs: same seed, same numbers; ranges by type', (t) => {
  t.deepEqual(randomInput(info('int8', [50]), 1), randomInput(info('int8', [50]), 1))
  t.notDeepEqual(randomInput(info('int8', [50]), 1), randomInput(info('int8', [50]), 2))
  const span = (dtype: string) => {
    const values = [...(randomInput(info(dtype, [5000]), 3) as Int8Array)].map(Number)
    return [Math.min(...values), Math.max(...values)]
  }
  t.deepEqual(span('int8'), [-128, 127])
  t.deepEqual(span('uint8'), [0, 255])
  t.deepEqual(span('int4'), [-8, 7])
  t.deepEqual(span('int2'), [-2, 1])
  for (const dtype of ['bool', 'int32', 'int64']) t.deepEqual(span(dtype), [0, 1])
  const [low = 0, high = 0] = span('float32')
  t.true(low >= -1 && low < -0.99 && high < 1 && high > 0.99)
  t.throws(() => randomInput(info('string', [1]), 1), { code: 'DTYPE_UNSUPPORTED' })
})

test('random integers stay in their range and reach its ends', (t) => {
  const values = randomIntegers(5, 10_000, -3, 3)
  t.deepEqual([Math.min(...values), Math.max(...values)], [-3, 3])
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  // Standard error of the mean: 2 / sqrt(10000).
  t.true(Math.abs(mean) < 5 * 0.02)
})
