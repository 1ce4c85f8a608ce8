// lowbit inspect --strict: every problem of every operator, not the first alone.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { OPERATOR, TENSOR } from '#lib/format/tflite/schema.js'
import { rawFile } from '../format/tflite/sample.js'
import { folderOf, lowbit } from '../helpers/cli.js'
import { i8, i32s } from '../helpers/flat.js'
import { model, type OperatorSpec, type TensorSpec } from '../helpers/model-builder.js'
import { identityFile, mixedFile } from '../helpers/small-models.js'

const real: TensorSpec = { dtype: 'float32', shape: [1, 4] }
const names = Array.from({ length: 8 }, (_, i) => `t${i}`)
const operators: readonly OperatorSpec[] = [
  { type: 'RELU', inputs: ['t0'], outputs: ['t1'] },
  { type: 'NoSuchOperator', inputs: ['t1'], outputs: ['t2'] },
  { type: 'HASHTABLE_LOOKUP', inputs: ['t2'], outputs: ['t3'] },
  { type: 'ADD', inputs: ['t3', 'five'], outputs: ['t4'] },
  // A run decides on its shape: no finding.
  { type: 'RESHAPE', inputs: ['t4', 'computed'], outputs: ['t5'] },
  { type: 'LOGISTIC', inputs: ['whole'], outputs: ['t6'] },
]
const tensors = {
  ...Object.fromEntries(names.map((name) => [name, real])),
  five: { dtype: 'float32', shape: [5], data: [1, 2, 3, 4, 5] },
  computed: { dtype: 'int32', shape: [2] },
  whole: { dtype: 'int32', shape: [1, 4] },
} satisfies Record<string, TensorSpec>
const broken = encode(
  model([
    { tensors, operators, inputs: ['t0', 'computed', 'whole'], outputs: ['t5', 't6'] },
    {
      tensors: { x: { dtype: 'string', shape: [1] }, y: { dtype: 'string', shape: [1] } },
      operators: [{ type: 'Other', inputs: ['x'], outputs: ['y'] }],
      inputs: ['x'],
      outputs: ['y'],
    },
  ]),
)
const defects = rawFile({
  weights: { [TENSOR.shape]: i32s(-1, 2) },
  bias: { [TENSOR.type]: i8(20) },
  operator: { [OPERATOR.outputs]: i32s(9) },
})
const at = folderOf({
  'defects.tflite': defects,
  'broken.tflite': broken,
  'cut.tflite': broken.subarray(0, broken.length - 100),
  'identity.tflite': identityFile(4),
  'mixed.tflite': mixedFile(),
})
const strict = async (name: string) => {
  const { code, stdout, stderr } = await lowbit(['inspect', at(name), '--strict', '--json'])
  return { code, stderr, result: JSON.parse(stdout) }
}

test('all problems are found, each once', async (t) => {
  const { code, result } = await strict('broken.tflite')
  t.is(code, 1)
  t.deepEqual(
    result.findings.map((one: { code: string; operator?: string; subgraph: number }) => [
      one.subgraph,
      one.operator ?? null,
      one.code,
    ]),
    [
      [0, 'NoSuchOperator #1', 'OPERATOR_UNSUPPORTED'],
      [0, 'HASHTABLE_LOOKUP #2', 'OPERATOR_UNSUPPORTED'],
      [0, 'ADD #3', 'SHAPE_MISMATCH'],
      [0, 'LOGISTIC #5', 'DTYPE_UNSUPPORTED'],
      [1, null, 'DTYPE_UNSUPPORTED'],
      [1, null, 'DTYPE_UNSUPPORTED'],
      [1, 'Other #0', 'OPERATOR_UNSUPPORTED'],
    ],
  )
  t.is(result.operators.length, 6)
})

test('a sound model has no findings', async (t) => {
  for (const name of ['identity.tflite', 'mixed.tflite']) {
    const { code, stderr, result } = await strict(name)
    t.is(code, 0)
    t.is(stderr, '')
    t.deepEqual(result.findings, [])
    t.truthy(result.run)
  }
})

test('of a file that cannot be read all defects are found', async (t) => {
  const { code, result } = await strict('defects.tflite')
  t.is(code, 1)
  t.deepEqual(
    result.findings.map((one: { code: string; operator?: string; tensor?: string }) => [
      one.operator ?? one.tensor,
      one.code,
    ]),
    [
      ['weights', 'FILE_INVALID'],
      ['bias', 'DTYPE_UNSUPPORTED'],
      ['CONV_2D #0', 'FILE_INVALID'],
    ],
  )
  const cut = await strict('cut.tflite')
  t.is(cut.code, 1)
  t.true(cut.result.findings.length > 0)
  for (const finding of cut.result.findings) t.regex(finding.code, /^FILE_/)
})

test('as text', async (t) => {
  const bad = await lowbit(['inspect', at('broken.tflite'), '--strict'])
  t.is(bad.code, 1)
  t.regex(bad.stdout, /Findings\n(OPERATOR_UNSUPPORTED {2}NoSuchOperator #1[^\n]*\n)/)
  t.regex(bad.stdout, /subgraph 1: Other #0/)
  const good = await lowbit(['inspect', at('identity.tflite'), '--strict'])
  t.is(good.code, 0)
  t.regex(good.stdout, /Findings\nnone\n$/)
})
