// lowbit inspect, bench and doctor: what they say, as JSON and as text.
import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { folderOf, lowbit } from '../helpers/cli.js'
import { model, oneOperatorFile } from '../helpers/model-builder.js'
import { colourSums } from '../helpers/picture-models.js'

const foreign = encode(
  model([
    {
      tensors: {
        x: { dtype: 'float32', shape: [1, 4] },
        y: { dtype: 'float32', shape: [1, 4] },
      },
      operators: [{ type: 'NoSuchOperator', inputs: ['x'], outputs: ['y'] }],
      inputs: ['x'],
      outputs: ['y'],
    },
  ]),
)
const at = folderOf({
  'model.tflite': colourSums('int8'),
  'foreign.tflite': foreign,
  'text.tflite': oneOperatorFile({
    type: 'NoSuchOperator',
    inputs: [{ dtype: 'string', shape: [1] }],
    outputs: [{ dtype: 'string', shape: [1] }],
  }),
})

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await lowbit([...args, '--json'])
  return { code, stderr, result: JSON.parse(stdout) }
}

test('inspect: operators, tensors, kernels, memory', async (t) => {
  const { code, result } = await json('inspect', at('model.tflite'))
  t.is(code, 0)
  const { operators, tensors, run } = result
  t.is(operators.length, 1)
  t.like(operators[0], { index: 0, type: 'FULLY_CONNECTED', version: 1, supported: true, macs: 48 })
  t.is(operators[0].kernels.length, 1)
  t.is(tensors.length, 4)
  t.like(tensors[result.inputs[0]], { shape: [1, 2, 2, 3], dtype: 'int8', constantBytes: null })
  t.deepEqual(tensors[result.inputs[0]].quantization, { scale: [1], zeroPoint: [-128], axis: 0 })
  t.is(run.macs, 48)
  t.is(run.memory.weightBytes, 48 + 16)
  t.true(run.memory.arenaBytes >= 16)
  for (const { offset, bytes } of run.arena) t.true(offset + bytes <= run.memory.arenaBytes)
  t.deepEqual(result.unsupported, [])
  t.false('error' in result)
})

test('inspect as text fits 80 columns on request of a terminal, and says what matters', async (t) => {
  const { code, stdout, stderr } = await lowbit(['inspect', at('model.tflite')])
  t.is(code, 0)
  t.is(stderr, '')
  for (const part of ['Operators', 'Tensors', 'Memory plan', 'FULLY_CONNECTED', 'arena', 'packed']) {
    t.true(stdout.includes(part), part)
  }
})

test('inspect shows a model that does not run, names what is in the way, and fails', async (t) => {
  const { code, stderr, result } = await json('inspect', at('foreign.tflite'))
  t.is(code, 1)
  t.is(result.run, null)
  t.deepEqual(result.unsupported, ['NoSuchOperator'])
  t.is(result.error.code, 'OPERATOR_UNSUPPORTED')
  t.is(result.operators[0].supported, false)
  t.regex(stderr, /^lowbit: OPERATOR_UNSUPPORTED: /)
  const text = await lowbit(['inspect', at('foreign.tflite')])
  t.is(text.code, 1)
  t.regex(text.stdout, /not supported: NoSuchOperator/)
  t.is((await json('inspect', at('text.tflite'))).code, 1)
})

test('bench: the figures of the contract', async (t) => {
  const { code, result } = await json(
    'bench',
    at('model.tflite'),
    '--seconds',
    '0.05',
    '--threads',
    '1',
    '--memory',
    'fast',
  )
  t.is(code, 0)
  t.deepEqual(Object.keys(result), [
    'model',
    'isa',
    'threads',
    'samples',
    'loadMs',
    'firstMs',
    'latencyMs',
    'macs',
    'arenaBytes',
    'weightBytes',
    'packedBytes',
  ])
  const { min, median, mean, p90, p99 } = result.latencyMs
  t.true(0 < min && min <= median && median <= p90 && p90 <= p99 && min <= mean)
  t.is(result.threads, 1)
  t.is(result.macs, 48)
  t.is(result.weightBytes, 64)
  t.true(result.samples >= 1)
})

test('bench --profile adds the steps', async (t) => {
  const { result } = await json('bench', at('model.tflite'), '--seconds', '0.05', '--profile')
  t.is(result.steps.length, 1)
  t.like(result.steps[0], { index: 0, op: 'fully_connected', macs: 48 })
  const { code, stdout } = await lowbit(['bench', at('model.tflite'), '--seconds', '0.05', '--profile'])
  t.is(code, 0)
  t.regex(stdout, /kernel/)
})

test('LOWBIT_ISA and LOWBIT_THREADS show in the figures', async (t) => {
  const args = ['bench', at('model.tflite'), '--seconds', '0.05', '--json']
  const { stdout } = await lowbit(args, { LOWBIT_ISA: 'scalar', LOWBIT_THREADS: '1' })
  t.like(JSON.parse(stdout), { isa: 'scalar', threads: 1 })
})

test('doctor: all well here, every level tested', async (t) => {
  const { code, result } = await json('doctor')
  t.is(code, 0)
  t.true(result.ok)
  t.true(result.binary.path.endsWith('.node'))
  t.deepEqual(
    result.selfTest.map((s: { isa: string }) => s.isa),
    result.cpu.isas,
  )
  t.true(result.selfTest.every((s: { ok: boolean }) => s.ok))
  t.deepEqual(Object.keys(result.peers), ['sharp', 'vega', 'vega-lite'])
  for (const version of Object.values(result.peers)) t.is(typeof version, 'string')
  t.is((await lowbit(['doctor'])).code, 0)
})

test('doctor without a binary says what was tried, and fails', async (t) => {
  const { code, stdout } = await lowbit(['doctor', '--json'], { LOWBIT_BINARY: 'no/such.node' })
  t.is(code, 1)
  const result = JSON.parse(stdout)
  t.false(result.ok)
  t.is(result.error.code, 'NO_BINARY')
  t.is(result.binary.tried.length, 1)
  const text = await lowbit(['doctor'], { LOWBIT_BINARY: 'no/such.node' })
  t.regex(text.stdout, /tried .*such\.node/)
})

test('doctor capped by LOWBIT_ISA tests the levels below', async (t) => {
  const { stdout } = await lowbit(['doctor', '--json'], { LOWBIT_ISA: 'scalar' })
  const result = JSON.parse(stdout)
  t.is(result.cpu.isa, 'scalar')
  t.deepEqual(
    result.selfTest.map((s: { isa: string }) => s.isa),
    ['scalar'],
  )
})
