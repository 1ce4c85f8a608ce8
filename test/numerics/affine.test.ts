// Laws of rounding to codes and back.

import test from 'ava'
import fc from 'fast-check'
import { dequantizeAffine, dequantizeChannels, quantizeAffine } from '#lib/numerics/affine.js'
import { fromBfloats, fromHalf } from '#lib/numerics/half.js'

const int8 = { low: -128, high: 127 }
const codes = (values: readonly number[], scale: number, zeroPoint: number) => {
  const out = new Int8Array(values.length)
  quantizeAffine(Float32Array.from(values), { scale: Math.fround(scale), zeroPoint, ...int8 }, out)
  return [...out]
}

test('halves are rounded away from zero', (t) => {
  t.deepEqual(codes([0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.25, -0.25], 1, 0), [1, -1, 2, -2, 3, -3, 0, 0])
})

test('the number below a half is rounded to zero', (t) => {
  t.deepEqual(codes([0.49999997, -0.49999997], 1, 0), [0, 0])
})

test('the quotient is a float32', (t) => {
  // 0.35 / 0.1 is 3.4999999… in double precision of the two float32s and 3.5 in float32.
  const [value, scale] = [Math.fround(0.35), Math.fround(0.1)]
  t.true(value / scale < 3.5)
  t.is(Math.fround(value / scale), 3.5)
  t.deepEqual(codes([value], scale, 0), [4])
})

test('values beyond the range clamp, infinities too', (t) => {
  const { POSITIVE_INFINITY: inf } = Number
  t.deepEqual(codes([1e30, -1e30, inf, -inf, 127.4, -128.4], 1, 3), [127, -128, 127, -128, 127, -125])
})

test('NaN is refused', (t) => {
  t.throws(() => codes([0, Number.NaN], 1, 0), { code: 'NOT_FINITE' })
})

test('codes survive the way to real numbers and back', (t) => {
  const scale = fc.float({ min: Math.fround(1e-6), max: 1e6, noNaN: true, minExcluded: true })
  fc.assert(
    fc.property(scale, fc.integer({ min: -128, max: 127 }), (step, zeroPoint) => {
      const all = Int8Array.from({ length: 256 }, (_, i) => i - 128)
      const back = new Int8Array(256)
      quantizeAffine(
        dequantizeAffine(all, { scale: step, zeroPoint }),
        { scale: step, zeroPoint, ...int8 },
        back,
      )
      t.deepEqual(back, all)
    }),
    { seed: 7, numRuns: 100 },
  )
})

test('each channel has its own scale and zero point', (t) => {
  const quantization = { scale: Float32Array.of(1, 2), zeroPoint: Int32Array.of(0, 1) }
  const data = Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  t.deepEqual([...dequantizeChannels(data, { ...quantization, inner: 1 })], [1, 2, 3, 6, 5, 10, 7, 14])
  t.deepEqual([...dequantizeChannels(data, { ...quantization, inner: 2 })], [1, 2, 4, 6, 5, 6, 12, 14])
})

test('half floats', (t) => {
  const pairs: readonly (readonly [number, number])[] = [
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
  ]
  for (const [bits, value] of pairs) t.is(fromHalf(bits), value)
  t.is(fromHalf(0x8000), -0)
  t.deepEqual([...fromBfloats([0x3f80, 0xc000, 0x0000])], [1, -2, 0])
})
