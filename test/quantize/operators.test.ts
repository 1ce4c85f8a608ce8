// Every operator with a rule, in every type that the rule names: the file that is written computes what the float model
// does, and LiteRT's reference kernels compute the same bits.

import test from 'ava'
import { decode } from '#lib/format/tflite/decode.js'
import { loadModel } from '#lib/index.js'
import { quantizeAffine } from '#lib/numerics/affine.js'
import { CODE_RANGES, CODE_TYPES, type CodeType, OPERATOR_RULES } from '#lib/quantize/rules.js'
import { quantize } from '#lib/quantize.js'
import type { TypedArray } from '#lib/tensor/dtype.js'
import { litertMissing, runLitert } from '../helpers/litert.js'
import { oneOperatorFile } from '../helpers/model-builder.js'
import { random } from '../helpers/random.js'
import { FLOAT_OPERATORS, type FloatOperator } from './operators.js'

const RUNS = 4

/** Values from -2 to 2. */
function samplesOf(operator: FloatOperator): Float32Array[][] {
  const next = random(9)
  const inputs = operator.inputs.filter((spec) => spec !== null && spec.data === undefined)
  return Array.from({ length: RUNS }, () =>
    inputs.map((spec) => {
      const count = spec?.shape.reduce((a, b) => a * b, 1) ?? 0
      return Float32Array.from({ length: count }, () => ((next() % 1025) - 512) / 256)
    }),
  )
}

async function quantized(operator: FloatOperator, type: CodeType) {
  const { title: _, ...spec } = operator
  const file = oneOperatorFile(spec)
  const samples = samplesOf(operator)
  const recipe = { version: 1, rules: [{ activations: { type } }] } as const
  return { file, samples, ...(await quantize(file, samples, recipe)) }
}

for (const operator of FLOAT_OPERATORS) {
  const { type: name, title = '' } = operator
  for (const type of OPERATOR_RULES[name]?.types ?? []) {
    test(`${name} ${title} ${type}`, async (t) => {
      const { file, samples, bytes, report } = await quantized(operator, type)
      t.is(report.layers[0]?.kept, undefined)
      const written = decode(bytes).subgraphs[0]
      t.deepEqual(
        written?.operators.map((one) => one.type),
        [name],
      )
      const operands = [...(written?.inputs ?? []), ...(written?.outputs ?? [])]
      t.true(operands.every((i) => [type, 'int32'].includes(written?.tensors[i]?.dtype ?? '')))

      const [before, after] = [await loadModel(file), await loadModel(bytes)]
      const runs: TypedArray[][] = []
      const outputs: TypedArray[][] = []
      for (const sample of samples) {
        const codes = sample.map((values, i) => codesOf(values, after.inputs[i]))
        const [expected, actual] = [await before.run(sample), await after.run(codes)]
        runs.push(codes)
        outputs.push(actual.map(({ data }) => data))
        if (name.startsWith('ARG_')) continue
        for (const [k, tensor] of actual.entries()) {
          const [x, y] = [(expected[k] as (typeof expected)[number]).toFloat32(), tensor.toFloat32()]
          t.true(sqnr(x, y) > 24, `output ${k}: ${sqnr(x, y)} dB`)
        }
      }
      if (litertMissing !== undefined) return
      const dtypes = after.outputs.map(({ dtype }) => dtype)
      t.deepEqual(runLitert([{ file: bytes, runs, outputs: dtypes }])[0], outputs)
    })
  }
}

test('LiteRT is asked too', (t) => {
  if (litertMissing !== undefined) t.log(`skipped: ${litertMissing}`)
  t.pass()
})

test('every rule has a row', (t) => {
  const tested = new Set(FLOAT_OPERATORS.map(({ type }) => type))
  t.deepEqual(
    Object.keys(OPERATOR_RULES).filter((type) => !tested.has(type)),
    [],
  )
})

type Info = Awaited<ReturnType<typeof loadModel>>['inputs'][number] | undefined

/** As lowbit rounds real inputs itself. */
function codesOf(values: Float32Array, info: Info): TypedArray {
  const type = CODE_TYPES.find((one) => one === info?.dtype)
  if (type === undefined) return values
  const codes = new { int8: Int8Array, uint8: Uint8Array, int16: Int16Array }[type](values.length)
  const { scale = [1], zeroPoint = [0] } = info?.quantization ?? {}
  const affine = { scale: scale[0] as number, zeroPoint: zeroPoint[0] as number, ...CODE_RANGES[type] }
  quantizeAffine(values, affine, codes)
  return codes
}

function sqnr(expected: Float32Array, actual: Float32Array): number {
  let [signal, noise] = [0, 0]
  for (const [i, value] of expected.entries()) {
    signal += value ** 2
    noise += (value - (actual[i] as number)) ** 2
  }
  return 10 * Math.log10(signal / noise)
}
