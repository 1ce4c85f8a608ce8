// Round trips through encoder and decoder, and what the encoder refuses.

import test from 'ava'
import fc from 'fast-check'
import { type ErrorCode, LowbitError } from '#lib/errors.js'
import { decode } from '#lib/format/tflite/decode.js'
import { encode } from '#lib/format/tflite/encode.js'
import { BUILTIN_OPERATORS } from '#lib/format/tflite/schema.js'
import { type Field, optionTable, optionTableOf } from '#lib/format/tflite/schema-options.js'
import type { ModelFile, OptionValue } from '#lib/model/model.js'
import { byteLength, type Dtype } from '#lib/tensor/dtype.js'
import {
  type OneOperatorSpec,
  oneOperator,
  oneOperatorFile,
  type TensorSpec,
} from '../../helpers/model-builder.js'
import { RICH, RICH_FILE, rawFile } from './sample.js'

const F32: TensorSpec = { dtype: 'float32', shape: [1, 2] }

function reread(model: ModelFile): ModelFile {
  return { ...decode(encode(model)), fileBytes: model.fileBytes }
}

test('a rich model comes back equal', (t) => {
  t.deepEqual(reread(RICH), RICH)
})

test('a file by another writer comes back equal', (t) => {
  const model = decode(rawFile())
  t.deepEqual(reread(model), model)
})

test('constants lie at multiples of 16 bytes', (t) => {
  const constants = decode(RICH_FILE).subgraphs.flatMap(({ tensors }) =>
    tensors.flatMap(({ data }) => data ?? []),
  )
  const placed = constants.filter((data) => data.length > 0)
  t.true(placed.length >= 4)
  for (const data of placed) t.is((data.byteOffset - RICH_FILE.byteOffset) % 16, 0)
})

test('tensors that share data share a buffer', (t) => {
  const data = new Uint8Array(10_000)
  const shared = { dtype: 'int8', shape: [10_000], data } as const
  const file = oneOperatorFile({ type: 'mine', inputs: [shared, shared], outputs: [F32] })
  t.true(file.length < 12_000)
  const [first, second] = decode(file).subgraphs[0]?.tensors ?? []
  t.is(first?.data?.byteOffset, second?.data?.byteOffset)
  const apart = { ...shared, data: data.slice() }
  t.true(oneOperatorFile({ type: 'mine', inputs: [shared, apart], outputs: [F32] }).length > 20_000)
})

/** A value unlike the default of a field. */
function sampleOf({ kind, values, fallback }: Field): OptionValue {
  switch (kind) {
    case 'bool':
      return fallback !== true
    case 'enum':
    case 'enum32':
      return values - 1
    case 'i32':
      return -7
    case 'i64':
      return -(2 ** 40)
    case 'bigint':
      return -(2n ** 62n)
    case 'f32':
      return 0.75
    case 'string':
      return 'täxt'
    case '[u8]':
      return Uint8Array.of(1, 2, 255)
    case '[bool]':
      return [1, 0]
    case '[i32]':
      return [3, -1]
    case '[i64]':
      return [2 ** 40, -1]
    case '[f32]':
      return [0.5, -2]
    default:
      throw new Error(`no value for ${kind}`)
  }
}

for (const { name, options } of BUILTIN_OPERATORS) {
  const table = options === undefined ? undefined : optionTable(options)
  const fields = table?.fields.filter(({ kind }) => kind !== 'gone') ?? []
  // Calls need further subgraphs; the rich model has one.
  if (name === 'CUSTOM' || fields.some(({ kind }) => kind.includes('subgraph'))) continue
  test(`options of ${name} come back, set and default`, (t) => {
    if (options !== undefined) t.truthy(table, `no table ${options}`)
    const values = Object.fromEntries(fields.map((field) => [field.name, sampleOf(field)]))
    const file = (given: OneOperatorSpec['options']) =>
      decode(oneOperatorFile({ type: name, options: given ?? {}, inputs: [F32], outputs: [F32] }))
        .subgraphs[0]?.operators[0]
    t.is(file(values)?.type, name)
    t.deepEqual(file(values)?.options, values)
    const [first] = fields
    if (first === undefined) return
    const partial = file({ [first.name]: sampleOf(first) })?.options ?? {}
    for (const { name: key, kind, fallback } of fields.slice(1)) {
      const list = kind === '[u8]' ? new Uint8Array(0) : []
      const absent = kind === 'bigint' ? 0n : kind === 'string' ? '' : kind.startsWith('[') ? list : fallback
      t.deepEqual(partial[key], absent, key)
    }
  })
}

test('unions count as the schema does', (t) => {
  // Last and first entries of the schema: one table left out anywhere would shift the last.
  t.is(optionTableOf(1, 1)?.name, 'Conv2D')
  t.is(optionTableOf(1, 126)?.name, 'RightShift')
  t.is(optionTableOf(1, 127), undefined)
  t.is(optionTableOf(2, 1)?.name, 'StablehloConcatenate')
  t.is(optionTableOf(2, 21)?.name, 'StableHLOComposite')
  t.is(BUILTIN_OPERATORS[206]?.name, 'STABLEHLO_COMPOSITE')
  t.is(BUILTIN_OPERATORS[127]?.name, 'PLACEHOLDER_FOR_GREATER_OP_CODES')
})

const DTYPES: readonly Dtype[] = [
  'int2',
  'int4',
  'int8',
  'uint8',
  'int16',
  'int32',
  'int64',
  'float16',
  'float32',
  'bool',
  'complex64',
]
const zeroPoints: Partial<Record<Dtype, number>> = {
  int2: -2,
  int4: 7,
  int8: -128,
  uint8: 255,
  int16: 32767,
  int32: -5,
}

const tensorSpec = fc
  .record({
    dtype: fc.constantFrom(...DTYPES),
    shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 8 }),
    constant: fc.boolean(),
    quantized: fc.constantFrom('no', 'tensor', 'channel'),
    axis: fc.nat(),
    free: fc.boolean(),
  })
  .map(({ dtype, shape, constant, quantized, axis, free }): TensorSpec => {
    const zeroPoint = zeroPoints[dtype]
    const dimension = shape.length === 0 ? 0 : axis % shape.length
    const channels = quantized === 'channel' ? (shape[dimension] ?? 1) : 1
    const count = zeroPoint === undefined || quantized === 'no' || channels === 0 ? 0 : channels
    return {
      dtype,
      shape,
      ...(free && !constant && { shapeSignature: shape.map((extent, place) => (place === 0 ? -1 : extent)) }),
      ...(constant && { data: new Uint8Array(byteLength(dtype, shape) ?? 0).fill(0x35) }),
      ...(count > 0 && {
        scale: Array.from({ length: count }, (_, place) => 0.5 ** place),
        zeroPoint: Array.from({ length: count }, () => zeroPoint ?? 0),
        axis: count > 1 ? dimension : 0,
      }),
    }
  })

test('any tensors come back', (t) => {
  fc.assert(
    fc.property(fc.array(fc.option(tensorSpec), { maxLength: 6 }), fc.string(), (inputs, type) => {
      const spec = { type: `my ${type}`, inputs, outputs: [F32], customOptions: new Uint8Array(type.length) }
      const model = oneOperator(spec)
      t.deepEqual(reread(model), model)
    }),
    { seed: 1, numRuns: 300 },
  )
})

const refuses = test.macro<[code: ErrorCode, model: ModelFile]>({
  exec(t, code, model) {
    const error = t.throws(() => encode(model), { instanceOf: LowbitError })
    t.is(error?.code, code)
  },
  title: (title, code) => `the encoder refuses ${title}: ${code}`,
})
const conv = (options: OneOperatorSpec['options']) =>
  oneOperator({ type: 'CONV_2D', options: options ?? {}, inputs: [F32], outputs: [F32] })
const changed = (change: (model: ModelFile) => Partial<ModelFile['subgraphs'][0]>): ModelFile => {
  const model = oneOperator({ type: 'RELU', inputs: [F32], outputs: [F32] })
  return { ...model, subgraphs: model.subgraphs.map((subgraph) => ({ ...subgraph, ...change(model) })) }
}
test('an unknown option', refuses, 'OPTION_INVALID', conv({ stride: 1 }))
test('an option of another type', refuses, 'OPTION_INVALID', conv({ strideW: '1' }))
test('a fraction', refuses, 'OPTION_INVALID', conv({ strideW: 1.5 }))
test('a number beyond 32 bits', refuses, 'OPTION_INVALID', conv({ strideW: 2 ** 31 }))
test('an enum out of range', refuses, 'OPTION_INVALID', conv({ padding: 2 }))
test(
  'a name of another operator',
  refuses,
  'OPTION_INVALID',
  changed((model) => ({
    operators: (model.subgraphs[0]?.operators ?? []).map((o) => ({ ...o, type: 'TANH' })),
  })),
)
test(
  'a code of no operator',
  refuses,
  'OPERATOR_UNSUPPORTED',
  changed((model) => ({
    operators: (model.subgraphs[0]?.operators ?? []).map((o) => ({ ...o, code: 999 })),
  })),
)
test(
  'a sparse tensor',
  refuses,
  'DTYPE_UNSUPPORTED',
  changed((model) => ({
    tensors: (model.subgraphs[0]?.tensors ?? []).map((x) => ({ ...x, isSparse: true })),
  })),
)
