// Fixed-point arithmetic against its definitions, in whole numbers of any size.

import test from 'ava'
import {
  quantizeMultipliers,
  roundingDivideByPot,
  saturatingRoundingDoublingHighMul,
} from '#lib/numerics/fixed-point.js'
import { random } from '../helpers/random.js'

const LOWEST = -(2 ** 31)
const HIGHEST = 2 ** 31 - 1
const EDGES = [LOWEST, LOWEST + 1, -(2 ** 30), -65537, -65536, -1, 0, 1, 65535, 65536, 2 ** 30, HIGHEST]
const next = random(7)
const anywhere = () => next() + LOWEST
const NUMBERS = [...EDGES, ...Array.from({ length: 200 }, anywhere)]

test('the high half of 2ab, rounded half up', (t) => {
  for (const a of NUMBERS) {
    for (const b of NUMBERS) {
      const wanted = Number((BigInt(a) * BigInt(b) + (1n << 30n)) >> 31n)
      t.is(saturatingRoundingDoublingHighMul(a, b), Math.min(wanted, HIGHEST), `${a} * ${b}`)
    }
  }
})

test('division by powers of two, halves away from zero', (t) => {
  for (const x of NUMBERS) {
    for (let exponent = 0; exponent <= 31; exponent++) {
      const [size, whole] = [BigInt(Math.abs(x)), 1n << BigInt(exponent)]
      const wanted = Number((2n * size + whole) / (2n * whole)) * Math.sign(x)
      t.is(roundingDivideByPot(x, exponent) + 0, wanted + 0, `${x} / 2^${exponent}`)
    }
  }
})

test('factors as multipliers and shifts', (t) => {
  const cases: readonly (readonly [number, number, number])[] = [
    [0, 0, 0],
    [1, 2 ** 30, 1],
    [0.5, 2 ** 30, 0],
    [0.75, 3 * 2 ** 29, 0],
    [1 - 2 ** -40, 2 ** 30, 1], // rounds up to the next power of two
    [2 ** -32, 2 ** 30, -31],
    [2 ** -33, 0, 0],
    [2 ** -32 * (1 - 2 ** -40), 2 ** 30, -31],
    [Number.MIN_VALUE, 0, 0],
    [2 ** 29, 2 ** 30, 30],
    [2 ** 30, HIGHEST, 30],
    [Number.POSITIVE_INFINITY, HIGHEST, 30],
    [Number.NaN, 0, 0],
  ]
  const { multiplier, shift } = quantizeMultipliers(cases.map(([factor]) => factor))
  t.deepEqual(
    [...multiplier],
    cases.map(([, wanted]) => wanted),
  )
  t.deepEqual(
    [...shift],
    cases.map(([, , wanted]) => wanted),
  )
})
