// Custom operators in JavaScript, between native steps.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { type CustomOp, LowbitError, loadModel, type TypedArray } from '#lib/index.js'
import { model, oneOperatorFile } from '../helpers/model-builder.js'
import { int8s } from '../helpers/small-models.js'

const codes = { dtype: 'int8', shape: [2, 4], scale: 1 } as const

/** relu -> Shift (by its option) -> relu -> Shift -> add with the first relu. */
const file = (second = 'Shift') =>
  encode(
    model([
      {
        tensors: {
          x: codes,
          a: codes,
          b: codes,
          c: codes,
          d: codes,
          e: codes,
          seed: { ...codes, data: int8s(8) },
        },
        operators: [
          { type: 'RELU', inputs: ['x'], outputs: ['a'] },
          { type: 'Shift', inputs: ['a', null], outputs: ['b'], customOptions: Uint8Array.of(256 - 3) },
          { type: 'RELU', inputs: ['b'], outputs: ['c'] },
          { type: second, inputs: ['c', 'seed'], outputs: ['d'], customOptions: Uint8Array.of(2) },
          { type: 'ADD', inputs: ['a', 'd'], outputs: ['e'] },
        ],
        inputs: ['x'],
        outputs: ['e', 'b'],
      },
    ]),
  )

const shift: CustomOp = {
  infer: ([input]) => [{ shape: input?.shape ?? [], dtype: 'int8' }],
  run([input], [output], options) {
    const by = ((options[0] ?? 0) << 24) >> 24
    const codes = input?.data as Int8Array
    output?.data.set(codes.map((code) => code + by) as never)
  },
}
const relu = (code: number) => Math.max(0, code)
const b = (x: Int8Array) => x.map((code) => relu(code) - 3)
const e = (x: Int8Array) => x.map((code, i) => relu(code) + relu(b(x)[i] as number) + 2)
const input = Int8Array.of(-5, 0, 1, 2, 3, 4, 50, 60)

test('a custom operator runs between native steps', async (t) => {
  const loaded = await loadModel(file(), { customOps: { Shift: shift } })
  for (const result of [loaded.runSync([input]), await loaded.run([input])]) {
    t.deepEqual(result[0]?.data, e(input))
    t.deepEqual(result[1]?.data, b(input))
  }
  const running = Array.from({ length: 20 }, (_, i) =>
    loaded.run([input.map((code) => (code === 1 ? i : code))]),
  )
  for (const [i, result] of (await Promise.all(running)).entries()) {
    t.deepEqual(result[0]?.data, e(input.map((code) => (code === 1 ? i : code))))
  }
})

test('with given outputs, keep, resize and profile', async (t) => {
  const loaded = await loadModel(file(), { customOps: { Shift: shift } })
  const outputs = [new Int8Array(8), new Int8Array(8)]
  const { kept } = loaded.runSync([input], { outputs, keep: ['c', 'x', 'seed'] })
  t.deepEqual(outputs[0], e(input))
  t.deepEqual(kept['c']?.data, b(input).map(relu))
  t.deepEqual(kept['x']?.data, input)
  t.deepEqual(kept['seed']?.data, int8s(8))
  const steps = await loaded.profile([input], { runs: 3 })
  t.deepEqual(
    steps.map(({ op, name, kernel }) => [op, name, kernel === 'javascript']),
    [
      ['relu', 'a', false],
      ['custom:Shift', 'b', true],
      ['relu', 'c', false],
      ['custom:Shift', 'd', true],
      ['add', 'e', false],
    ],
  )
  loaded.resize([[1, 3]])
  const few = Int8Array.of(1, 5, -9)
  t.deepEqual((await loaded.run([few]))[0]?.data, e(few))
  t.true(loaded.memory.arenaBytes > 0)
})

test('operands, options and constants are what the file says', async (t) => {
  const seen: unknown[] = []
  const spy: CustomOp = {
    infer(inputs, options) {
      seen.push(
        inputs.map((one) => one && [one.name, one.shape, one.dtype, one.data?.length]),
        [...options],
      )
      return shift.infer(inputs, options)
    },
    run(inputs, outputs, options) {
      seen.push(inputs.map((one) => one?.data.length))
      shift.run(inputs, outputs, options)
    },
  }
  const loaded = await loadModel(file(), { customOps: { Shift: spy } })
  t.deepEqual(seen, [
    [['a', [2, 4], 'int8', undefined], null],
    [253],
    [
      ['c', [2, 4], 'int8', undefined],
      ['seed', [2, 4], 'int8', 8],
    ],
    [2],
  ])
  loaded.runSync([input])
  t.deepEqual(seen.slice(4), [
    [8, undefined],
    [8, 8],
  ])
})

test('a model of one custom operator alone', async (t) => {
  const real = { dtype: 'float32', shape: [3] } as const
  const bytes = oneOperatorFile({ type: 'Two', inputs: [real], outputs: [real, { ...real, dtype: 'int64' }] })
  const two: CustomOp = {
    infer: () => [
      { shape: [1], dtype: 'float32' },
      { shape: [], dtype: 'int64' },
    ],
    run([x], [sum, count]) {
      const values = x?.data as Float32Array
      sum?.data.set([values.reduce((a, c) => a + c, 0)] as never)
      count?.data.set([BigInt(values.length)] as never)
    },
  }
  const loaded = await loadModel(bytes, { customOps: { Two: two } })
  const [sum, count] = await loaded.run([Float32Array.of(1, 2, 4)])
  t.deepEqual(sum?.data, Float32Array.of(7))
  t.deepEqual(count?.data, BigInt64Array.of(3n))
  t.deepEqual(
    loaded.outputs.map(({ shape }) => shape),
    [[1], []],
  )
})

test('an operator that nobody implements is named', async (t) => {
  for (const options of [{}, { customOps: { Shift: shift } }]) {
    await t.throwsAsync(loadModel(file('toString'), options), { code: 'OPERATOR_UNSUPPORTED' })
  }
})

const oops = new Error('oops')
const fails = (): never => {
  throw oops
}
const wrong: readonly (readonly [string, CustomOp['infer']])[] = [
  ['throws', fails],
  ['gives nothing', () => undefined as never],
  ['gives too many', () => [1, 2].map(() => ({ shape: [2, 4], dtype: 'int8' as const }))],
  ['gives no shape', () => [{ shape: [-1], dtype: 'int8' }]],
  ['gives no type', () => [{ shape: [1], dtype: 'int9' as 'int8' }]],
  ['gives another type', () => [{ shape: [1], dtype: 'uint8' }]],
  ['gives null', () => [null as never]],
  ['gives a promise', (async () => fails()) as never],
]
for (const [title, infer] of wrong) {
  test(`infer ${title}`, async (t) => {
    const error = await t.throwsAsync(loadModel(file(), { customOps: { Shift: { ...shift, infer } } }), {
      instanceOf: LowbitError,
      code: 'CUSTOM_OP_FAILED',
    })
    t.like(error, { operator: 'Shift #1', ...(infer === fails && { cause: oops }) })
  })
}

const wrongRuns: readonly (readonly [string, CustomOp['run']])[] = [
  ['throws', fails],
  ['gives a promise', (async () => fails()) as never],
  [
    'transfers its output',
    (_, [output]) => structuredClone(output?.data.buffer, { transfer: [output?.data.buffer as ArrayBuffer] }),
  ],
  [
    'replaces its output',
    (_, [output]) => {
      ;(output as { data: TypedArray }).data = new Int8Array(8)
    },
  ],
]
for (const [title, run] of wrongRuns) {
  test(`run ${title}`, async (t) => {
    const loaded = await loadModel(file(), { customOps: { Shift: { ...shift, run } } })
    const wanted = { instanceOf: LowbitError, code: 'CUSTOM_OP_FAILED' }
    for (const error of [
      t.throws(() => loaded.runSync([input]), wanted),
      await t.throwsAsync(loaded.run([input]), wanted),
      await t.throwsAsync(loaded.profile([input]), wanted),
    ]) {
      t.like(error, { operator: 'Shift #1', ...(run === fails && { cause: oops }) })
    }
  })
}

test('dispose, abort and callers who change their arrays', async (t) => {
  const loaded = await loadModel(file(), { customOps: { Shift: shift } })
  const mine = input.slice()
  const running = loaded.run([mine])
  mine.fill(0)
  t.deepEqual((await running)[0]?.data, e(input))
  const stop = new AbortController()
  const aborted = loaded.run([input], { signal: stop.signal })
  stop.abort(oops)
  await t.throwsAsync(aborted, { is: oops })
  const last = loaded.run([input])
  loaded.dispose()
  t.deepEqual((await last)[0]?.data, e(input))
  t.throws(() => loaded.runSync([input]), { code: 'DISPOSED' })
})
