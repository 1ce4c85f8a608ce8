// lowbit/kernels against a plain reference, over random shapes, and every way to call it wrong.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import test from 'ava'
import fc from 'fast-check'
import { gemmElement, type ReferenceWindow, windowElement, windowOutput } from '#bench/reference.js'
import {
  type Conv2dOptions,
  conv2d,
  cpu,
  type DepthwiseConv2dOptions,
  depthwiseConv2d,
  fullyConnected,
  type GemmOptions,
  gemm,
} from '#lib/kernels.js'
import { randomIntegers } from '#lib/numerics/random.js'

const RUNS = { numRuns: 60, seed: 7 }
const ACTIVATIONS = ['none', 'relu', 'relu6'] as const

const codes = (seed: number, count: number, low = -128) =>
  Int8Array.from(randomIntegers(seed, count, low, 127))
const sums = (seed: number, count: number) => Int32Array.from(randomIntegers(seed, count, -50_000, 50_000))

/** Arguments about the output, and the same for the reference. */
function outputs(
  channels: number,
  seed: number,
  perChannel: boolean,
  activation: (typeof ACTIVATIONS)[number],
  zero: number,
) {
  const factors = Float64Array.from(randomIntegers(seed, channels, 1, 1000), (x) => x / 150_000)
  const multiplier = perChannel ? factors : (factors[0] as number)
  const outScale = 0.06
  const six = zero + Math.round(6 / outScale)
  return {
    options: { multiplier, outZeroPoint: zero, activation, ...(activation === 'relu6' && { outScale }) },
    reference: {
      factor: (c: number) => (perChannel ? (factors[c] as number) : (factors[0] as number)),
      zeroPoint: zero,
      low: activation === 'none' ? -128 : Math.max(-128, zero),
      high: activation === 'relu6' ? Math.min(127, six) : 127,
    },
  }
}

const common = {
  seed: fc.integer({ min: 1, max: 1e6 }),
  perChannel: fc.boolean(),
  hasBias: fc.boolean(),
  activation: fc.constantFrom(...ACTIVATIONS),
  inZero: fc.integer({ min: -128, max: 127 }),
  outZero: fc.integer({ min: -128, max: 127 }),
  lowest: fc.constantFrom(-128, -127),
}

test('gemm and fullyConnected equal the reference', (t) => {
  const shape = {
    m: fc.integer({ min: 1, max: 20 }),
    n: fc.integer({ min: 1, max: 40 }),
    k: fc.integer({ min: 1, max: 70 }),
  }
  fc.assert(
    fc.property(fc.record({ ...common, ...shape }), (c) => {
      const { m, n, k, seed } = c
      const { options, reference } = outputs(n, seed + 3, c.perChannel, c.activation, c.outZero)
      const operands = {
        a: codes(seed, m * k),
        b: codes(seed + 1, n * k, c.lowest),
        aZeroPoint: c.inZero,
        ...(c.hasBias && { bias: sums(seed + 2, n) }),
      }
      const got = gemm({ m, n, k, ...operands, ...options })
      const layer = { n, k, bias: undefined, ...operands, ...reference }
      const want = Int8Array.from({ length: m * n }, (_, i) => gemmElement(layer, Math.floor(i / n), i % n))
      t.deepEqual(got, want)
      t.deepEqual(fullyConnected({ m, n, k, ...operands, ...options }), want)
    }),
    RUNS,
  )
})

const side = fc.integer({ min: 1, max: 11 })
const tap = fc.integer({ min: 1, max: 4 })
const step = fc.integer({ min: 1, max: 3 })
const windows = {
  batch: fc.integer({ min: 1, max: 2 }),
  size: fc.tuple(side, side),
  filter: fc.tuple(tap, tap),
  stride: fc.tuple(step, step),
  dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  padding: fc.constantFrom('same' as const, 'valid' as const),
  depth: fc.integer({ min: 1, max: 9 }),
}

function wholeOutput(reference: ReferenceWindow): { data: Int8Array; shape: number[] } {
  const { shape } = windowOutput(reference)
  const [batch = 0, height = 0, width = 0, channels = 0] = shape
  const data: number[] = []
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < channels; c++) data.push(windowElement(reference, n, y, x, c))
  return { data: Int8Array.from(data), shape }
}

for (const kind of ['conv2d', 'depthwiseConv2d'] as const) {
  test(`${kind} equals the reference`, (t) => {
    fc.assert(
      fc.property(fc.record({ ...common, ...windows, more: fc.integer({ min: 1, max: 18 }) }), (c) => {
        const { seed, batch, size, filter, stride, dilation, padding, depth } = c
        const fits = [0, 1].every(
          (a) =>
            padding === 'same' ||
            (size[a] as number) >= ((filter[a] as number) - 1) * (dilation[a] as number) + 1,
        )
        fc.pre(fits)
        const depthMultiplier = 1 + (c.more % 3)
        const channels = kind === 'conv2d' ? c.more : depth * depthMultiplier
        const filterShape: [number, number, number, number] =
          kind === 'conv2d' ? [channels, ...filter, depth] : [1, ...filter, channels]
        const { options, reference } = outputs(channels, seed + 3, c.perChannel, c.activation, c.outZero)
        const operands = {
          input: codes(seed, batch * size[0] * size[1] * depth),
          inputShape: [batch, ...size, depth] as [number, number, number, number],
          filter: codes(
            seed + 1,
            filterShape.reduce((a, b) => a * b),
            c.lowest,
          ),
          filterShape,
          stride,
          dilation,
          padding,
          inputZeroPoint: c.inZero,
          ...(c.hasBias && { bias: sums(seed + 2, channels) }),
        }
        const want = wholeOutput({
          bias: undefined,
          ...operands,
          ...reference,
          ...(kind === 'depthwiseConv2d' && { depthMultiplier }),
        })
        const got =
          kind === 'conv2d'
            ? conv2d({ ...operands, ...options })
            : depthwiseConv2d({ ...operands, ...options, depthMultiplier })
        t.deepEqual([...got.shape], want.shape)
        t.deepEqual(got.data, want.data)
      }),
      RUNS,
    )
  })
}

const GEMM: GemmOptions = {
  m: 2,
  n: 3,
  k: 4,
  a: codes(1, 8),
  b: codes(2, 12),
  aZeroPoint: 0,
  multiplier: 0.01,
  outZeroPoint: 0,
}
const CONV: Conv2dOptions = {
  input: codes(1, 32),
  inputShape: [1, 4, 4, 2],
  filter: codes(2, 54),
  filterShape: [3, 3, 3, 2],
  stride: 1,
  padding: 'same',
  inputZeroPoint: 0,
  multiplier: 0.01,
  outZeroPoint: 0,
}
const DEPTHWISE: DepthwiseConv2dOptions = { ...CONV, filter: codes(2, 18), filterShape: [1, 3, 3, 2] }

test('out is filled and returned', (t) => {
  const out = new Int8Array(6)
  t.is(gemm({ ...GEMM, out }), out)
  t.deepEqual(out, gemm(GEMM))
  const image = new Int8Array(48)
  t.is(conv2d({ ...CONV, out: image }).data, image)
})

test('a shared stride may be one number; dilation defaults to 1', (t) => {
  t.deepEqual(conv2d({ ...CONV, stride: 2 }), conv2d({ ...CONV, stride: [2, 2], dilation: [1, 1] }))
  t.deepEqual(depthwiseConv2d(DEPTHWISE), depthwiseConv2d({ ...DEPTHWISE, depthMultiplier: 1 }))
})

test('arrays may start anywhere in their buffers', (t) => {
  const shift = <T extends Int8Array | Int32Array>(array: T, by: number) => {
    const moved = new (array.constructor as new (n: number) => T)(array.length + by).subarray(by) as T
    moved.set(array)
    return moved
  }
  const bias = sums(3, 3)
  const moved = gemm({
    ...GEMM,
    a: shift(GEMM.a, 3),
    b: shift(GEMM.b, 5),
    bias: shift(bias, 1),
    out: shift(new Int8Array(6), 7),
  })
  t.deepEqual([...moved], [...gemm({ ...GEMM, bias })])
})

const WRONG: readonly (readonly [string, string, () => unknown])[] = [
  ['no object', 'OPTION_INVALID', () => gemm(undefined as never)],
  ['unknown key', 'OPTION_INVALID', () => gemm({ ...GEMM, zeroPoint: 1 } as never)],
  ['unknown key', 'OPTION_INVALID', () => conv2d({ ...CONV, depthMultiplier: 1 } as never)],
  ['m 0', 'OPTION_INVALID', () => gemm({ ...GEMM, m: 0 })],
  ['m missing', 'OPTION_INVALID', () => gemm({ ...GEMM, m: undefined as never })],
  ['k a fraction', 'OPTION_INVALID', () => gemm({ ...GEMM, k: 1.5 })],
  ['n huge', 'OPTION_INVALID', () => gemm({ ...GEMM, n: 2 ** 31 })],
  ['a of another class', 'DTYPE_MISMATCH', () => gemm({ ...GEMM, a: new Uint8Array(8) as never })],
  ['a an array', 'DTYPE_MISMATCH', () => gemm({ ...GEMM, a: [1, 2] as never })],
  ['a too short', 'SHAPE_MISMATCH', () => gemm({ ...GEMM, a: new Int8Array(7) })],
  ['b too long', 'SHAPE_MISMATCH', () => gemm({ ...GEMM, b: new Int8Array(13) })],
  ['bias of another class', 'DTYPE_MISMATCH', () => gemm({ ...GEMM, bias: new Float32Array(3) as never })],
  ['bias too long', 'SHAPE_MISMATCH', () => gemm({ ...GEMM, bias: new Int32Array(4) })],
  ['zero point 128', 'OPTION_INVALID', () => gemm({ ...GEMM, aZeroPoint: 128 })],
  ['output zero point -129', 'OPTION_INVALID', () => gemm({ ...GEMM, outZeroPoint: -129 })],
  ['multiplier NaN', 'NOT_FINITE', () => gemm({ ...GEMM, multiplier: Number.NaN })],
  ['multiplier infinite', 'NOT_FINITE', () => gemm({ ...GEMM, multiplier: Float64Array.of(1, 1, Infinity) })],
  ['multiplier negative', 'OPTION_INVALID', () => gemm({ ...GEMM, multiplier: -1 })],
  ['multiplier huge', 'OPTION_INVALID', () => gemm({ ...GEMM, multiplier: 2 ** 30 })],
  [
    'multiplier a Float32Array',
    'OPTION_INVALID',
    () => gemm({ ...GEMM, multiplier: new Float32Array(3) as never }),
  ],
  ['multipliers too few', 'SHAPE_MISMATCH', () => gemm({ ...GEMM, multiplier: new Float64Array(2) })],
  ['activation', 'OPTION_INVALID', () => gemm({ ...GEMM, activation: 'tanh' as never })],
  ['relu6 without scale', 'OPTION_INVALID', () => gemm({ ...GEMM, activation: 'relu6' })],
  ['relu6 with scale 0', 'OPTION_INVALID', () => gemm({ ...GEMM, activation: 'relu6', outScale: 0 })],
  ['out too short', 'SHAPE_MISMATCH', () => gemm({ ...GEMM, out: new Int8Array(5) })],
  ['out of another class', 'DTYPE_MISMATCH', () => gemm({ ...GEMM, out: new Uint8Array(6) as never })],
  ['three extents', 'OPTION_INVALID', () => conv2d({ ...CONV, inputShape: [4, 4, 2] })],
  ['a shape that is huge', 'OPTION_INVALID', () => conv2d({ ...CONV, inputShape: [65536, 65536, 1, 1] })],
  ['filter of another depth', 'SHAPE_MISMATCH', () => conv2d({ ...CONV, filterShape: [3, 3, 3, 3] })],
  ['filter too large', 'SHAPE_MISMATCH', () => conv2d({ ...CONV, padding: 'valid', dilation: 4 })],
  ['padding', 'OPTION_INVALID', () => conv2d({ ...CONV, padding: 'SAME' as never })],
  ['stride 0', 'OPTION_INVALID', () => conv2d({ ...CONV, stride: 0 })],
  ['stride missing', 'OPTION_INVALID', () => conv2d({ ...CONV, stride: undefined as never })],
  ['three strides', 'OPTION_INVALID', () => conv2d({ ...CONV, stride: [1, 1, 1] as never })],
  [
    'depthwise of 2 filters',
    'OPTION_INVALID',
    () => depthwiseConv2d({ ...DEPTHWISE, filterShape: [2, 3, 3, 1] }),
  ],
  ['depth multiplier', 'SHAPE_MISMATCH', () => depthwiseConv2d({ ...DEPTHWISE, depthMultiplier: 2 })],
]
for (const [name, code, call] of WRONG) {
  test(`refused with ${code}: ${name} ${WRONG.findIndex((row) => row[2] === call)}`, (t) => {
    const error = t.throws(call, { code })
    t.regex(error.message, /^(gemm|conv2d|depthwiseConv2d): /)
  })
}

test('cpu tells levels, caches, threads and kernels', (t) => {
  const facts = cpu()
  t.true(facts.isas.includes(facts.isa))
  t.is(facts.isas[0], 'scalar')
  t.true(Number.isInteger(facts.threads) && facts.threads >= 1)
  t.deepEqual(Object.keys(facts.caches), ['l1', 'l2', 'l3'])
  t.true(facts.kernels.length > 0)
  for (const name of facts.kernels) t.regex(name, /^[\w.+-]+$/)
})

test('the entry lowbit/kernels is the same in both module systems', async (t) => {
  const names = ['LowbitError', 'conv2d', 'cpu', 'depthwiseConv2d', 'fullyConnected', 'gemm']
  t.deepEqual(Object.keys(createRequire(import.meta.url)('lowbit/kernels')).sort(), names)
  t.deepEqual(Object.keys(await import('lowbit/kernels')).sort(), names)
  const { exports } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  t.truthy(exports['./kernels'])
})

test('arguments in shared memory are read; an output there, and buffers that change their size, are named', (t) => {
  const shared = <T extends Int8Array | Int32Array | Float64Array>(array: T): T => {
    const copy = new SharedArrayBuffer(array.byteLength)
    const view = new (array.constructor as new (buffer: SharedArrayBuffer) => T)(copy)
    view.set(array)
    return view
  }
  const plain = {
    a: codes(1, 6),
    b: codes(2, 12, -127),
    bias: sums(3, 4),
    multiplier: Float64Array.of(0.001, 0.002, 0.003, 0.004),
  }
  const rest = { m: 2, n: 4, k: 3, aZeroPoint: 1, outZeroPoint: 2 }
  const { a, b, bias, multiplier } = plain
  const given = { a: shared(a), b: shared(b), bias: shared(bias), multiplier: shared(multiplier) }
  t.deepEqual(gemm({ ...rest, ...given }), gemm({ ...rest, ...plain }))
  const out = shared(new Int8Array(8))
  t.throws(() => gemm({ ...rest, ...plain, out }), { code: 'OPTION_INVALID', message: /gemm: out is / })
  const Resizable = ArrayBuffer as new (length: number, options: { maxByteLength: number }) => ArrayBuffer
  const resizable = new Int8Array(new Resizable(6, { maxByteLength: 9 }))
  const message = /gemm: a is .*fixed size/
  t.throws(() => gemm({ ...rest, ...plain, a: resizable }), { code: 'OPTION_INVALID', message })
})
