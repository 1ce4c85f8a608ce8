// From ranges to scales and zero points.

import test from 'ava'
import { affineOf } from '#lib/quantize/ranges/affine.js'
import { CODE_RANGES } from '#lib/quantize/rules.js'

const RANGES = [
  { min: 0, max: 6 },
  { min: -1, max: 1 },
  { min: -0.3, max: 2.7 },
  { min: -5, max: -1 },
  { min: 2, max: 3 },
  { min: -1e-42, max: 1e-42 },
  { min: -1e30, max: 3e37 },
]

test('zero is a code exactly, and the ends are met to half a step', (t) => {
  for (const range of RANGES) {
    for (const type of ['int8', 'uint8', 'int16'] as const) {
      for (const scheme of ['asymmetric', 'symmetric', 'mixed'] as const) {
        const { scale, zeroPoint } = affineOf(range, type, scheme)
        const { low, high } = CODE_RANGES[type]
        const label = JSON.stringify({ range, type, scheme })
        t.is(scale, Math.fround(scale), label)
        t.true(scale > 0 && Number.isInteger(zeroPoint) && zeroPoint >= low && zeroPoint <= high, label)
        const [least, most] = [scale * (low - zeroPoint), scale * (high - zeroPoint)]
        t.true(least <= Math.min(range.min, 0) + 0.51 * scale, label)
        t.true(most >= Math.max(range.max, 0) - 0.51 * scale, label)
      }
    }
  }
})

test('known values', (t) => {
  t.deepEqual(affineOf({ min: 0, max: 255 }, 'int8', 'asymmetric'), { scale: 1, zeroPoint: -128 })
  t.deepEqual(affineOf({ min: -128, max: 127 }, 'int8', 'asymmetric'), { scale: 1, zeroPoint: 0 })
  t.deepEqual(affineOf({ min: -255, max: 0 }, 'int8', 'asymmetric'), { scale: 1, zeroPoint: 127 })
  t.deepEqual(affineOf({ min: 0, max: 255 }, 'uint8', 'asymmetric'), { scale: 1, zeroPoint: 0 })
  t.deepEqual(affineOf({ min: -64, max: 127 }, 'uint8', 'symmetric'), { scale: 1, zeroPoint: 128 })
  t.deepEqual(affineOf({ min: 0, max: 32767 }, 'int16', 'asymmetric'), { scale: 1, zeroPoint: 0 })
  t.deepEqual(affineOf({ min: 0, max: 0 }, 'int8', 'asymmetric'), { scale: 1, zeroPoint: 0 })
})

test('mixed is symmetric where the ends are alike, else asymmetric', (t) => {
  t.is(affineOf({ min: -0.95, max: 1 }, 'int8', 'mixed').zeroPoint, 0)
  const skewed = { min: -0.5, max: 1 }
  t.deepEqual(affineOf(skewed, 'int8', 'mixed'), affineOf(skewed, 'int8', 'asymmetric'))
})
