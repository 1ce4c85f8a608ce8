// The public API on small models: what it tells, what it gives, what it refuses.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { LowbitError, loadModel, type TensorData } from '#lib/index.js'
import { oneOperatorFile } from '../helpers/model-builder.js'
import { projectRoot } from '../helpers/shared.js'
import { convFile, identityFile, identityModel, int8s } from '../helpers/small-models.js'

const CODES = Int8Array.of(-128, -1, 3, 127)

test('a model tells its inputs and outputs', async (t) => {
  const model = await loadModel(identityFile(4))
  t.is(model.inputs.length, 1)
  const [input] = model.inputs
  t.like(input, { name: 'x', shape: [1, 4], shapeSignature: [-1, 4], dtype: 'int8' })
  t.deepEqual(input?.quantization, { scale: Float32Array.of(0.5), zeroPoint: Int32Array.of(3), axis: 0 })
  t.like(model.outputs[0], { name: 'y', shape: [1, 4], shapeSignature: [1, 4], dtype: 'int8' })
})

test('run and runSync give tensors', async (t) => {
  const model = await loadModel(identityFile(4))
  for (const [tensor, ...rest] of [await model.run([CODES]), model.runSync([CODES])]) {
    t.is(rest.length, 0)
    t.like(tensor, { name: 'y', shape: [1, 4], dtype: 'int8', data: CODES })
    t.deepEqual(tensor?.toFloat32(), Float32Array.of(-65.5, -2, 0, 62))
  }
})

test('what a model tells cannot be changed, and later runs do not read the scales that were given out', async (t) => {
  const model = await loadModel(identityFile(4))
  const [input] = model.inputs
  const [output] = model.outputs
  const facts = [model.inputs, input, input?.quantization, input?.shape, model.outputs, output, model.memory]
  for (const fact of [...facts, model.signatures, model.metadata, ...model.runSync([CODES])]) {
    t.true(Object.isFrozen(fact))
  }
  const values = Float32Array.of(-65.5, -2, 0, 62)
  for (const info of [input, output]) {
    info?.quantization?.scale.fill(9)
    info?.quantization?.zeroPoint.fill(9)
  }
  const again = () => model.runSync([values]).map((tensor) => [tensor.data, tensor.toFloat32()])
  t.deepEqual(again(), [[CODES, values]])
  model.resize([[1, 4]])
  t.deepEqual(again(), [[CODES, values]])
  t.is(model.inputs[0]?.quantization?.scale[0], 0.5)
})

test('a file is read by its path', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lowbit-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'identity.tflite')
  writeFileSync(path, identityFile(4))
  const model = await loadModel(path)
  t.deepEqual(model.runSync([CODES])[0]?.data, CODES)
  const error = await t.throwsAsync(loadModel(join(folder, 'none.tflite')), { code: 'DATA_INVALID' })
  t.is((error?.cause as NodeJS.ErrnoException | undefined)?.code, 'ENOENT')
})

test('bytes are read before loadModel returns, and not kept', async (t) => {
  const bytes = identityFile(4)
  const loading = loadModel(bytes)
  bytes.fill(0)
  t.deepEqual((await loading).runSync([CODES])[0]?.data, CODES)
})

test('bytes in shared memory and at any offset load too', async (t) => {
  const bytes = identityFile(4)
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 1), 1)
  shared.set(bytes)
  t.deepEqual((await loadModel(shared)).runSync([CODES])[0]?.data, CODES)
})

test('inputs are copied before run returns', async (t) => {
  const model = await loadModel(identityFile(4))
  const input = CODES.slice()
  const running = model.run([input])
  input.fill(0)
  t.deepEqual((await running)[0]?.data, CODES)
})

test('many runs in flight each give their own result', async (t) => {
  const model = await loadModel(convFile())
  const inputs = Array.from({ length: 50 }, (_, seed) => int8s(256, seed))
  const results = await Promise.all(inputs.map((input) => model.run([input])))
  for (const [i, input] of inputs.entries()) t.deepEqual(results[i], model.runSync([input]))
})

test('given outputs are filled and returned', async (t) => {
  const model = await loadModel(identityFile(4))
  const around = new Int8Array(6).fill(77)
  const outputs = [around.subarray(1, 5)]
  t.is(model.runSync([CODES], { outputs })[0]?.data, outputs[0])
  t.deepEqual([...around], [77, ...CODES, 77])
  outputs[0]?.fill(0)
  t.is((await model.run([CODES], { outputs }))[0]?.data, outputs[0])
  t.deepEqual([...around], [77, ...CODES, 77])
})

test('results are arrays of their own', async (t) => {
  const model = await loadModel(identityFile(4))
  const first = model.runSync([CODES])[0]?.data
  model.runSync([new Int8Array(4)])
  t.deepEqual(first, CODES)
  t.true(first?.buffer instanceof ArrayBuffer)
})

test('real values for a quantised input are rounded as QUANTIZE does', async (t) => {
  const values = Float32Array.of(0.25, -0.25, 0.24, -100)
  const model = await loadModel(identityFile(4))
  t.deepEqual([...(model.runSync([values])[0]?.data ?? [])], [4, 2, 3, -128])
  const unsigned = await loadModel(identityFile(4, { dtype: 'uint8', zeroPoint: 10 }))
  t.deepEqual([...((await unsigned.run([values]))[0]?.data ?? [])], [11, 9, 10, 0])
  t.throws(() => model.runSync([Float32Array.of(0, Number.NaN, 0, 0)]), {
    code: 'NOT_FINITE',
    message: /"x".*value 1/,
  })
})

test('inputs in shared memory are copied', async (t) => {
  const shared = new Int8Array(new SharedArrayBuffer(4))
  shared.set(CODES)
  const model = await loadModel(identityFile(4))
  t.deepEqual(model.runSync([shared])[0]?.data, CODES)
})

test('a Buffer is a Uint8Array', async (t) => {
  const model = await loadModel(identityFile(4, { dtype: 'uint8' }))
  t.deepEqual([...(model.runSync([Buffer.from([1, 2, 3, 255])])[0]?.data ?? [])], [1, 2, 3, 255])
})

const resizable = (bytes: number, max: number): Int8Array => {
  const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer
  return new Int8Array(new Resizable(bytes, { maxByteLength: max }))
}
const detached = (): Int8Array => {
  const array = new Int8Array(4)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

const refused: readonly (readonly [string, unknown, string, object])[] = [
  ['no list', CODES, 'OPTION_INVALID', {}],
  ['no inputs', [], 'INPUT_COUNT', { expected: 1, actual: 0 }],
  ['two inputs', [CODES, CODES], 'INPUT_COUNT', { expected: 1, actual: 2 }],
  ['too short', [CODES.subarray(1)], 'SHAPE_MISMATCH', { tensor: 'x', expected: 4, actual: 3 }],
  ['too long', [new Int8Array(5)], 'SHAPE_MISMATCH', { expected: 4, actual: 5 }],
  [
    'another class',
    [new Uint8Array(4)],
    'DTYPE_MISMATCH',
    { tensor: 'x', expected: 'Int8Array', actual: 'Uint8Array' },
  ],
  ['int32', [new Int32Array(4)], 'DTYPE_MISMATCH', { actual: 'Int32Array' }],
  ['float64', [new Float64Array(4)], 'DTYPE_MISMATCH', { actual: 'Float64Array' }],
  ['numbers', [[1, 2, 3, 4]], 'OPTION_INVALID', { actual: 'array' }],
  ['a DataView', [new DataView(new ArrayBuffer(4))], 'OPTION_INVALID', {}],
  ['an ArrayBuffer', [new ArrayBuffer(4)], 'OPTION_INVALID', {}],
  ['nothing', [undefined], 'OPTION_INVALID', {}],
  ['real values, too few', [new Float32Array(3)], 'SHAPE_MISMATCH', { expected: 4, actual: 3 }],
  ['a resizable buffer', [resizable(4, 8)], 'OPTION_INVALID', { tensor: 'x' }],
  ['a transferred buffer', [detached()], 'SHAPE_MISMATCH', { actual: 0 }],
]
for (const [title, inputs, code, facts] of refused) {
  test(`inputs refused: ${title}`, async (t) => {
    const model = await loadModel(identityFile(4))
    const given = inputs as TensorData[]
    for (const error of [
      t.throws(() => model.runSync(given), { instanceOf: LowbitError }),
      await t.throwsAsync(model.run(given), { instanceOf: LowbitError }),
      await t.throwsAsync(model.profile(given), { instanceOf: LowbitError }),
    ]) {
      t.like(error, { code, ...facts })
    }
  })
}

const refusedOptions: readonly (readonly [string, unknown, string])[] = [
  ['unknown key', { output: [] }, 'OPTION_INVALID'],
  ['outputs that are no list', { outputs: CODES }, 'OPTION_INVALID'],
  ['too few outputs', { outputs: [] }, 'INPUT_COUNT'],
  ['an output of another class', { outputs: [new Uint8Array(4)] }, 'DTYPE_MISMATCH'],
  ['an output of another length', { outputs: [new Int8Array(5)] }, 'SHAPE_MISMATCH'],
  ['a shared output', { outputs: [new Int8Array(new SharedArrayBuffer(4))] }, 'OPTION_INVALID'],
  ['a resizable output', { outputs: [resizable(4, 4)] }, 'OPTION_INVALID'],
  ['a transferred output', { outputs: [detached()] }, 'SHAPE_MISMATCH'],
  ['no array as output', { outputs: [{}] }, 'OPTION_INVALID'],
  ['a signal that is none', { signal: {} }, 'OPTION_INVALID'],
]
for (const [title, options, code] of refusedOptions) {
  test(`options of run refused: ${title}`, async (t) => {
    const model = await loadModel(identityFile(4))
    t.throws(() => model.runSync([CODES], options as object), { instanceOf: LowbitError, code })
    await t.throwsAsync(model.run([CODES], options as object), { instanceOf: LowbitError, code })
  })
}

test('a model tells its memory', async (t) => {
  const { memory } = await loadModel(convFile({ image: 8, channels: 4, layers: 2 }))
  t.is(memory.weightBytes, 2 * 4 * 9 * 4 + 9 * 4 + 3 * 16)
  t.is(memory.arenaBytes, 2 * 8 * 8 * 4)
  t.true(memory.packedBytes > 0 && memory.scratchBytes >= 0)
})

test('a profile has one entry a step', async (t) => {
  const model = await loadModel(convFile({ image: 8, channels: 4, layers: 1 }))
  const steps = await model.profile([int8s(256)], { runs: 5 })
  t.deepEqual(
    steps.map(({ index, op, name, macs }) => ({ index, op, name, macs })),
    [
      { index: 0, op: 'conv2d', name: 't1', macs: 64 * 4 * 36 },
      { index: 1, op: 'depthwise_conv2d', name: 't2', macs: 64 * 4 * 9 },
    ],
  )
  t.true(steps.every(({ medianUs, kernel }) => medianUs > 0 && kernel.length > 0))
  for (const runs of [0, 1.5, 1e9]) {
    await t.throwsAsync(model.profile([int8s(256)], { runs }), { code: 'OPTION_INVALID' })
  }
})

test('a disposed model runs nothing', async (t) => {
  const model = await loadModel(identityFile(4))
  model.dispose()
  model.dispose()
  t.throws(() => model.runSync([CODES]), { code: 'DISPOSED' })
  await t.throwsAsync(model.run([CODES]), { code: 'DISPOSED' })
  await t.throwsAsync(model.profile([CODES]), { code: 'DISPOSED' })
  t.is(model.inputs.length, 1)
})

test('runs in flight finish when the model is disposed', async (t) => {
  const model = await loadModel(convFile({ image: 64, channels: 16 }))
  const input = int8s(64 * 64 * 16)
  const expected = model.runSync([input])
  const running = Array.from({ length: 6 }, () => model.run([input]))
  model.dispose()
  for (const result of await Promise.all(running)) t.deepEqual(result, expected)
})

test('disposing by symbol; the asynchronous one waits for runs in flight', async (t) => {
  const model = await loadModel(convFile({ image: 64, channels: 16 }))
  let ended = false
  const running = model.run([int8s(64 * 64 * 16)]).then(() => {
    ended = true
  })
  await model[Symbol.asyncDispose]()
  t.true(ended)
  await running
  const other = await loadModel(identityFile(4))
  other[Symbol.dispose]()
  t.throws(() => other.runSync([CODES]), { code: 'DISPOSED' })
})

test('operators that lowbit does not run are named', async (t) => {
  const codes = { dtype: 'int8', shape: [4], scale: 1 } as const
  for (const type of ['HASHTABLE_LOOKUP', 'My:Operator']) {
    const error = await t.throwsAsync(
      loadModel(oneOperatorFile({ type, inputs: [codes], outputs: [codes] })),
      { instanceOf: LowbitError },
    )
    t.like(error, { code: 'OPERATOR_UNSUPPORTED', operator: `${type} #0` })
    t.regex(error?.message ?? '', new RegExp(type))
  }
})

test('broken metadata is a warning', async (t) => {
  const whole = identityModel(4)
  t.deepEqual((await loadModel(encode(whole))).metadata, {})
  const broken = encode({ ...whole, metadata: [{ name: 'TFLITE_METADATA', data: new Uint8Array(40) }] })
  const model = await loadModel(broken)
  t.deepEqual(Object.keys(model.metadata), ['warning'])
  t.deepEqual(model.runSync([CODES])[0]?.data, CODES)
})

test('a source that is neither a path nor bytes is refused', async (t) => {
  for (const source of [undefined, 5, new ArrayBuffer(8), new Int8Array(8), {}]) {
    await t.throwsAsync(loadModel(source as Uint8Array), { code: 'OPTION_INVALID' })
  }
})

test('defects of files have codes', async (t) => {
  const bytes = identityFile(4)
  const real = { dtype: 'complex128', shape: [1] } as const
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [new Uint8Array(0), 'FILE_TRUNCATED'],
    [bytes.subarray(0, bytes.length - 8), 'FILE_TRUNCATED'],
    [bytes.map((byte, at) => (at === 4 ? byte ^ 1 : byte)), 'FILE_INVALID'],
    [identityFile(4, { scale: Number.NaN }), 'NOT_FINITE'],
    [oneOperatorFile({ type: 'RESHAPE', inputs: [real], outputs: [real] }), 'DTYPE_UNSUPPORTED'],
  ]
  for (const [file, code] of cases) await t.throwsAsync(loadModel(file), { instanceOf: LowbitError, code })
})

test('without a binary for the platform there is an error that says so', (t) => {
  const script = `
    import('lowbit').then(({ loadModel }) => loadModel(new Uint8Array(8)))
      .catch((error) => console.log(error.name, error.code))`
  const output = execFileSync(process.execPath, ['-e', script], {
    cwd: projectRoot,
    env: { ...process.env, LOWBIT_BINARY: join(tmpdir(), 'no-such.node') },
    encoding: 'utf8',
  })
  t.is(output, 'LowbitError NO_BINARY\n')
})
