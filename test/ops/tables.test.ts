// Runs the test tables of operators, and sees that every operator of the registry has one.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { loadModel } from '#lib/index.js'
import { OPS } from '#lib/ops/registry.js'
import { oneOperatorFile } from '../helpers/model-builder.js'
import { TABLES } from './tables/all.js'
import type { Case } from './tables/table.js'

/** Operators with a test file of their own, which holds their table. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ASSIGN_VARIABLE: 'graph/expand',
  BIDIRECTIONAL_SEQUENCE_LSTM: 'ops/recurrent',
  BIDIRECTIONAL_SEQUENCE_RNN: 'ops/recurrent',
  CALL_ONCE: 'graph/expand',
  CAST: 'ops/cast',
  IF: 'session/flow',
  LSTM: 'ops/recurrent',
  READ_VARIABLE: 'graph/expand',
  RNN: 'ops/recurrent',
  TFLite_Detection_PostProcess: 'ops/detection',
  UNIDIRECTIONAL_SEQUENCE_LSTM: 'ops/recurrent',
  UNIDIRECTIONAL_SEQUENCE_RNN: 'ops/recurrent',
  UNIQUE: 'session/open-shapes',
  WHERE: 'session/open-shapes',
  WHILE: 'session/flow',
}

test('every operator has a table', (t) => {
  const tabled = new Map(Object.entries(TABLES))
  for (const { tflite } of OPS) {
    const file = ELSEWHERE[tflite.type]
    if (file === undefined) t.true((tabled.get(tflite.type)?.length ?? 0) > 0, tflite.type)
    else t.true(readFileSync(`test/${file}.test.ts`, 'utf8').includes(tflite.type), tflite.type)
  }
  const types = new Set(OPS.map(({ tflite }) => tflite.type))
  t.deepEqual(
    [...tabled.keys(), ...Object.keys(ELSEWHERE)].filter((type) => !types.has(type)),
    [],
    'tables of operators that do not exist',
  )
})

/** Results that sit at one end of their range in most places show nothing. */
function saturates({ spec }: Case, results: readonly number[]): boolean {
  const [output] = spec.outputs
  if (output?.scale === undefined || results.length < 8) return false
  const ends: Record<string, readonly number[]> = {
    int8: [-128, 127],
    uint8: [0, 255],
    int16: [-32768, 32767],
  }
  return results.filter((x) => ends[output.dtype]?.includes(x)).length > 0.7 * results.length
}

for (const [type, cases] of Object.entries(TABLES)) {
  test(`${type}: ${cases.length} cases`, async (t) => {
    for (const one of cases) {
      t.false(
        one.outputs.every((expected) => saturates(one, expected)),
        `${one.what} saturates`,
      )
      for (const threads of [1, 2]) {
        const model = await loadModel(oneOperatorFile(one.spec), { threads })
        const results = await model.run(one.inputs)
        for (const [i, expected] of one.outputs.entries()) {
          const actual = Array.from(results[i]?.data as ArrayLike<number | bigint>, Number)
          t.is(actual.length, expected.length, one.what)
          const isReal = results[i]?.dtype === 'float32'
          const off = actual.findIndex((x, j) => {
            const wanted = expected[j] as number
            const size = isReal ? Math.max(1, Math.abs(wanted)) : 1
            return !(x === wanted || Math.abs(x - wanted) <= (one.bound ?? 0) * size)
          })
          if (off >= 0)
            t.fail(`${one.what}: element ${off} of output ${i} is ${actual[off]}, ${expected[off]} expected`)
        }
        model.dispose()
      }
    }
    t.pass()
  })
}
