// CAST between every two types, against a plain reading of what each element stands for.

import test from 'ava'
import { loadModel } from '#lib/index.js'
import { arrayOf, type Dtype, type TypedArray } from '#lib/tensor/dtype.js'
import { oneOperatorFile } from '../helpers/model-builder.js'

const TYPES = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
] as const satisfies readonly Dtype[]
type Type = (typeof TYPES)[number]

/** Bits of the integers; below zero where they have a sign. */
const INTEGERS: Partial<Record<Dtype, number>> = {
  int2: -2,
  int4: -4,
  int8: -8,
  uint8: 8,
  int16: -16,
  uint16: 16,
  int32: -32,
  uint32: 32,
  int64: -64,
}
const limits = (bits: number): readonly [bigint, bigint] => {
  const size = 2n ** BigInt(Math.abs(bits))
  return bits < 0 ? [-size / 2n, size / 2n - 1n] : [0n, size - 1n]
}

const REALS = [
  ...[0, -0, 0.5, -0.5, 1.9, -1.9, 2.5, 127.5, -128.9, 255.9, 256, 32767.9, 65504, 65519.99, 65520, 70000],
  ...[2 ** -14, 2 ** -24, 2 ** -25, 3 * 2 ** -26, -5 * 2 ** -25, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -8],
  ...[2 ** 31, 2 ** 32, -(2 ** 31) - 256, 2 ** 63, -(2 ** 63), 1e30, 1e39, -1e39, 3.4e38],
  ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
]

/** The number that 16 bits stand for: 1 sign, `exponents` exponent and 15 - `exponents` fraction bits. */
function real16(bits: number, exponents: 5 | 8): number {
  const fractions = 15 - exponents
  const sign = bits >> 15 ? -1 : 1
  const exponent = (bits & 0x7fff) >> fractions
  const fraction = (bits & (2 ** fractions - 1)) / 2 ** fractions
  const bias = 2 ** (exponents - 1) - 1
  if (exponent === 2 ** exponents - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias))
}

/** The nearest 16 bits to a float32, by looking at all: of two as near the even one; NaN quiet, as the reference has it. */
function bits16(value: number, exponents: 5 | 8): number {
  if (Number.isNaN(value)) return exponents === 5 ? 0x7e00 : 0x7fc0
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const infinity = 0x7fff - (2 ** (15 - exponents) - 1)
  // Halfway to the power of two above the highest number is as good as infinite.
  const highest = real16(infinity - 1, exponents)
  const step = highest - real16(infinity - 2, exponents)
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let bits = 0; bits <= infinity; bits++) {
    const at = bits === infinity ? highest + step : real16(bits, exponents)
    const distance = Math.abs((Number.isFinite(value) ? Math.abs(value) : highest + step) - at)
    if (distance < least || (distance === least && bits % 2 === 0)) best = bits
    least = Math.min(least, distance)
  }
  if (Math.abs(value) > highest + step) best = infinity
  return sign | best
}

/** Elements to cast, and the numbers they stand for. */
function samples(type: Type): { elements: TypedArray; numbers: readonly (number | bigint)[] } {
  const bits = INTEGERS[type]
  if (type === 'bool') return { elements: Uint8Array.of(0, 1, 7), numbers: [0n, 1n, 1n] }
  if (bits !== undefined) {
    const [low, high] = limits(bits)
    const wished = [low, low + 1n, -1n, 0n, 1n, 5n, 130n, 300n, 40000n, 2n ** 24n + 1n, high - 1n, high]
    const numbers = wished.filter((x) => x >= low && x <= high)
    if (type === 'int64') return { elements: BigInt64Array.from(numbers), numbers }
    const elements = new (arrayOf(type) as Int32ArrayConstructor)(numbers.length)
    numbers.forEach((x, i) => {
      elements[i] = Number(x)
    })
    return { elements, numbers }
  }
  if (type === 'float16' || type === 'bfloat16') {
    const exponents = type === 'float16' ? 5 : 8
    const elements = Uint16Array.from(
      [0, 0x8000, 1, 0x8001, 0x3ff, 0x400, 0x3c00, 0xbe00, 0x5bff, 0x7bff, 0x7c00, 0xfc00, 0x7e00],
      (x) => x,
    )
    return { elements, numbers: Array.from(elements, (x) => real16(x, exponents)) }
  }
  if (type === 'complex64') {
    const elements = Float32Array.from(REALS.flatMap((x) => [x, 3]))
    return { elements, numbers: REALS.map(Math.fround) }
  }
  const elements = type === 'float32' ? Float32Array.from(REALS) : Float64Array.from(REALS)
  return { elements, numbers: [...elements] }
}

/** A number as the elements of the type hold it. */
function stored(type: Dtype, number: number | bigint): readonly (number | bigint)[] {
  const bits = INTEGERS[type]
  if (type === 'bool') return [Number(number) === 0 ? 0 : 1]
  if (bits !== undefined) {
    const [low, high] = limits(bits)
    let whole = high
    if (typeof number === 'bigint') {
      whole = bits < 0 ? BigInt.asIntN(-bits, number) : BigInt.asUintN(bits, number)
    } else if (number < Number(high) + 1) {
      const cut = Number.isFinite(number) ? BigInt(Math.trunc(number)) : low
      whole = cut < low ? low : cut
    }
    return [type === 'int64' ? whole : Number(whole)]
  }
  const single = Math.fround(Number(number))
  if (type === 'float64') return [Number(number)]
  if (type === 'float16') return [bits16(single, 5)]
  if (type === 'bfloat16') return [bits16(single, 8)]
  return type === 'complex64' ? [single, 0] : [single]
}

async function castOf(from: Dtype, to: Dtype, elements: TypedArray, count: number): Promise<TypedArray> {
  const shape = [count]
  const file = oneOperatorFile({
    type: 'CAST',
    inputs: [{ dtype: from, shape }],
    outputs: [{ dtype: to, shape }],
  })
  const model = await loadModel(file, { threads: 2 })
  const [result] = await model.run([elements])
  model.dispose()
  return result?.data as TypedArray
}

for (const from of TYPES) {
  test(`${from} to every type`, async (t) => {
    const { elements, numbers } = samples(from)
    for (const to of TYPES) {
      const result = await castOf(from, to, elements, numbers.length)
      // Complex numbers stay what they are.
      const expected =
        from === 'complex64' && to === from ? [...elements] : numbers.flatMap((x) => stored(to, x))
      t.deepEqual(Array.from<number | bigint>(result), expected, to)
    }
  })
}

for (const to of ['int2', 'int4'] as const) {
  test(`float32 to ${to} and back`, async (t) => {
    const reals = Float32Array.of(-9, -8, -2.5, -2, -0.9, 0, 0.9, 1, 1.9, 6.5, 7.9, 8, Number.NaN)
    const codes = await castOf('float32', to, reals, reals.length)
    t.deepEqual(
      Array.from(codes as Int8Array),
      Array.from(reals, (x) => stored(to, x)[0]),
    )
    const again = await castOf(to, 'float32', codes, reals.length)
    t.deepEqual(Array.from(again as Float32Array), Array.from(codes as Int8Array))
  })
}

test('many elements on two threads', async (t) => {
  const reals = Float32Array.from({ length: 100_003 }, (_, i) => (i % 17) - 8.25)
  for (const to of ['int8', 'int4', 'float64'] as const) {
    const result = await castOf('float32', to, reals, reals.length)
    t.true(
      result.every((x: number | bigint, i: number) => x === stored(to, reals[i] as number)[0]),
      to,
    )
  }
})

test('int4 to int8 is refused', async (t) => {
  await t.throwsAsync(() => castOf('int4', 'int8', new Int8Array(1), 1), { code: 'DTYPE_UNSUPPORTED' })
})
