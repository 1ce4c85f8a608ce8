// Laws that tables and geometry of operators keep, whatever the numbers.

import test from 'ava'
import fc from 'fast-check'
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '#lib/numerics/fixed-point.js'
import { activationRange, roundHalfAway } from '#lib/ops/activation.js'
import { codeTable, scaleCode } from '#lib/ops/lut.js'
import { sigmoid16, tanh16 } from '#lib/ops/sigmoid16.js'
import { stridesOf } from '#lib/ops/strided.js'
import { windowGeometry } from '#lib/ops/window.js'

const runs = { numRuns: 2000, seed: 1 }

test('tables are indexed by the bits of codes', (t) => {
  const table = codeTable('int8', 'int8', (code) => code)
  t.deepEqual([table[0], table[127], table[128], table[255]], [0, 127, 128, 255])
  t.deepEqual(codeTable('int8', 'uint8', (code) => code)[255], 0, 'results are clamped to the output type')
  t.is(codeTable('int16', 'int16', (code) => code).length, 131072)
})

test('scaleCode is the reference arithmetic', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: -65535, max: 65535 }),
      fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }),
      fc.integer({ min: -31, max: 12 }),
      (x, multiplier, shift) =>
        scaleCode(x, { multiplier, shift }) === multiplyByQuantizedMultiplier(x, { multiplier, shift }),
    ),
    runs,
  )
  t.is(scaleCode(3, quantizeMultiplier(0.5)), 2)
  t.is(scaleCode(-3, quantizeMultiplier(0.5)), -1, 'the high multiplication rounds halves up')
  t.is(scaleCode(-3, quantizeMultiplier(0.25)), -1)
  t.is(scaleCode(-6, quantizeMultiplier(0.25)), -2, 'the shift rounds them away from zero')
})

test('int16 sigmoid and tanh rise, are odd about their middle and near the real functions', (t) => {
  for (const scale of [2 ** -12, 3 / 32768, 0.0007]) {
    const [sigmoid, tangent] = [sigmoid16(scale), tanh16(scale)]
    for (let code = -32768; code < 32767; code += 97) {
      t.true(sigmoid(code) <= sigmoid(code + 1) && tangent(code) <= tangent(code + 1), `${code}`)
      t.true(Math.abs(sigmoid(code) / 32768 - 1 / (1 + Math.exp(-code * scale))) < 2e-3, `${code} ${scale}`)
      t.true(Math.abs(tangent(code) / 32768 - Math.tanh(code * scale)) < 4e-3, `${code} ${scale}`)
    }
  }
})

test('activation ranges are those of TFLite', (t) => {
  const at = (activation: number, scale: number, zeroPoint: number) =>
    activationRange(activation, { scale, zeroPoint }, 'int8')
  t.deepEqual(at(0, 0.1, 3), { low: -128, high: 127 })
  t.deepEqual(at(1, 0.1, 3), { low: 3, high: 127 })
  t.deepEqual(at(2, 0.1, 3), { low: -7, high: 13 })
  t.deepEqual(at(3, 0.1, -128), { low: -128, high: -68 })
  t.deepEqual(at(3, 0.01, -128), { low: -128, high: 127 })
  // 6 / 0.8 = 7.5 rounds away from zero in float32.
  t.deepEqual(at(3, 0.8, 0), { low: 0, high: 8 })
  t.deepEqual([0.5, -0.5, 1.5, 2.4999999, -2.5].map(roundHalfAway), [1, -1, 2, 2, -3])
})

test('windows: all are met, same padding covers the image, valid padding stays inside', (t) => {
  const size = fc.integer({ min: 1, max: 40 })
  fc.assert(
    fc.property(size, size, fc.integer({ min: 1, max: 9 }), (input, filter, stride) => {
      const same = windowGeometry({ input, filter, stride, padding: 0 })
      const last = (same.output - 1) * stride - same.padBefore
      const valid = windowGeometry({ input, filter, stride, padding: 1 })
      return (
        same.output === Math.ceil(input / stride) &&
        last < input &&
        same.padBefore < filter &&
        valid.padBefore === 0 &&
        (valid.output < 1 || (valid.output - 1) * stride + filter <= input)
      )
    }),
    runs,
  )
  t.deepEqual(windowGeometry({ input: 5, filter: 3, stride: 2, dilation: 2, padding: 0 }), {
    output: 3,
    padBefore: 2,
  })
})

test('strides of a row-major tensor', (t) => {
  t.deepEqual(stridesOf([2, 3, 4]), [12, 4, 1])
  t.deepEqual(stridesOf([]), [])
})
