// From ranges to scales and zero points.

import test from 'ava'
import { affineOf } from '#lib/quantize/ranges/affine.js'

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
        const { scale, zeroPoint, low, high } = affineOf(range, { type, scheme })
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
  const asymmetric = { type: 'int8', scheme: 'asymmetric' } as const
  t.deepEqual(affineOf({ min: 0, max: 255 }, asymmetric), { scale: 1, zeroPoint: -128, low: -128, high: 127 })
  t.deepEqual(affineOf({ min: -128, max: 127 }, asymmetric), { scale: 1, zeroPoint: 0, low: -128, high: 127 })
  t.deepEqual(affineOf({ min: -255, max: 0 }, asymmetric), { scale: 1, zeroPoint: 127, low: -128, high: 127 })
  t.is(affineOf({ min: 0, max: 255 }, { ...asymmetric, type: 'uint8' }).zeroPoint, 0)
  t.deepEqual(affineOf({ min: -64, max: 127 }, { type: 'uint8', scheme: 'symmetric' }), {
    scale: 1,
    zeroPoint: 128,
    low: 0,
    high: 255,
  })
  t.deepEqual(affineOf({ min: 0, max: 32767 }, { type: 'int16', scheme: 'asymmetric' }), {
    scale: 1,
    zeroPoint: 0,
    low: -32768,
    high: 32767,
  })
  t.deepEqual(affineOf({ min: 0, max: 0 }, asymmetric), { scale: 1, zeroPoint: 0, low: -128, high: 127 })
})

test('mixed is symmetric where the ends are alike, else asymmetric', (t) => {
  const mixed = { type: 'int8', scheme: 'mixed' } as const
  t.is(affineOf({ min: -0.95, max: 1 }, mixed).zeroPoint, 0)
  t.deepEqual(
    affineOf({ min: -0.5, max: 1 }, mixed),
    affineOf({ min: -0.5, max: 1 }, { ...mixed, scheme: 'asymmetric' }),
  )
})
