// Each defect that the operators, the flow of data, the calls and the signatures of a file can have, and its error.

import test from 'ava'
import { LowbitError } from '#lib/errors.js'
import { decode } from '#lib/format/tflite/decode.js'
import { MODEL, OPERATOR, OPERATOR_CODE, SIGNATURE, SUBGRAPH, TENSOR_MAP } from '#lib/format/tflite/schema.js'
import { bytes, type Flat, i8, i32, i32s, i64, table, tables, text } from '../../helpers/flat.js'
import { type Defect, errorOf, testDefects } from './defect.js'
import { coded, type Fields, rawFile } from './sample.js'

const again = (slot: number, field: Flat): Fields => ({ [slot]: field })
const CONV = 'CONV_2D #0'

const calling = (code: number, type: number, ...subgraphs: number[]) =>
  coded(code, {
    [OPERATOR.builtinOptionsType]: i8(type),
    [OPERATOR.builtinOptions]: table(Object.fromEntries(subgraphs.map((index, slot) => [slot, i32(index)]))),
  })
const DEFECTS: readonly Defect[] = [
  ['negative operator code', coded(-1), 'FILE_INVALID'],
  ['custom operator without a name', coded(32), 'FILE_INVALID'],
  ['operator code entry beyond', { operator: again(OPERATOR.opcodeIndex, i32(1)) }, 'FILE_INVALID', '#0'],
  ['input index beyond', { operator: again(OPERATOR.inputs, i32s(0, 4, 2)) }, 'FILE_INVALID', CONV],
  ['input index -2', { operator: again(OPERATOR.inputs, i32s(0, 1, -2)) }, 'FILE_INVALID', CONV],
  ['output index beyond', { operator: again(OPERATOR.outputs, i32s(4)) }, 'FILE_INVALID', CONV],
  ['output index -1', { operator: again(OPERATOR.outputs, i32s(-1)) }, 'FILE_INVALID', CONV],
  ['intermediate beyond', { operator: again(OPERATOR.intermediates, i32s(4)) }, 'FILE_INVALID', CONV],
  [
    'options of another operator',
    { operator: again(OPERATOR.builtinOptionsType, i8(5)) },
    'FILE_INVALID',
    CONV,
  ],
  [
    'options of an unknown kind',
    { operator: again(OPERATOR.builtinOptionsType, i8(-1)) },
    'FILE_INVALID',
    CONV,
  ],
  [
    'options of the second union',
    { operator: again(OPERATOR.builtinOptions2Type, i8(1)) },
    'FILE_INVALID',
    CONV,
  ],
  [
    'options for an operator without',
    coded(14, { [OPERATOR.builtinOptionsType]: i8(1) }),
    'FILE_INVALID',
    'LOGISTIC #0',
  ],
  ['options without content', { operator: { [OPERATOR.builtinOptions]: undefined } }, 'FILE_INVALID', CONV],
  ['padding 2', { options: { 0: i8(2) } }, 'FILE_INVALID', CONV],
  ['activation -1', { options: { 3: i8(-1) } }, 'FILE_INVALID', CONV],
  [
    'custom options outside the file',
    { operator: { [OPERATOR.largeCustomOptionsOffset]: i64(1n << 30n) } },
    'FILE_TRUNCATED',
    CONV,
  ],

  ['graph input beyond', { subgraph: { [SUBGRAPH.inputs]: i32s(4) } }, 'FILE_INVALID'],
  ['graph input -1', { subgraph: { [SUBGRAPH.inputs]: i32s(-1) } }, 'FILE_INVALID'],
  ['graph input twice', { subgraph: { [SUBGRAPH.inputs]: i32s(0, 0) } }, 'FILE_INVALID', 'image'],
  ['graph input with data', { subgraph: { [SUBGRAPH.inputs]: i32s(0, 1) } }, 'FILE_INVALID', 'weights'],
  ['graph output beyond', { subgraph: { [SUBGRAPH.outputs]: i32s(4) } }, 'FILE_INVALID'],
  ['an operand that nobody produces', { subgraph: { [SUBGRAPH.inputs]: i32s() } }, 'FILE_INVALID', 'image'],
  [
    'an operand that is its own result',
    { operator: again(OPERATOR.inputs, i32s(3, 1, 2)) },
    'FILE_INVALID',
    'result',
  ],
  ['an output that nobody produces', { operator: again(OPERATOR.outputs, i32s()) }, 'FILE_INVALID', 'result'],
  [
    'a result written twice by one operator',
    { operator: again(OPERATOR.outputs, i32s(3, 3)) },
    'FILE_INVALID',
    'result',
  ],
  ['a constant written', { operator: again(OPERATOR.outputs, i32s(1)) }, 'FILE_INVALID', 'weights'],
  ['a graph input written', { operator: again(OPERATOR.outputs, i32s(0)) }, 'FILE_INVALID', 'image'],

  ['CALL of a subgraph beyond', calling(31, 16, 1), 'FILE_INVALID', 'CALL #0'],
  ['CALL of itself', calling(31, 16, 0), 'FILE_INVALID'],
  ['CALL without options', coded(31), 'FILE_INVALID', 'CALL #0'],
  ['IF beyond', calling(118, 92, 0, 1), 'FILE_INVALID', 'IF #0'],
  ['IF into itself', calling(118, 92, 0, 0), 'FILE_INVALID'],
  ['WHILE beyond', calling(119, 93, -1, 0), 'FILE_INVALID', 'WHILE #0'],
  ['CALL_ONCE beyond', calling(129, 103, 7), 'FILE_INVALID', 'CALL_ONCE #0'],
  [
    'STABLEHLO_COMPOSITE beyond',
    coded(206, { [OPERATOR.builtinOptions2Type]: i8(21), [OPERATOR.builtinOptions2]: table({ 1: i32(1) }) }),
    'FILE_INVALID',
    'STABLEHLO_COMPOSITE #0',
  ],
  [
    'STABLEHLO_CASE beyond',
    coded(209, { [OPERATOR.builtinOptions2Type]: i8(23), [OPERATOR.builtinOptions2]: table({ 0: i32s(1) }) }),
    'FILE_INVALID',
    'STABLEHLO_CASE #0',
  ],

  ['signature of a subgraph beyond', { signature: { [SIGNATURE.subgraphIndex]: i32(1) } }, 'FILE_INVALID'],
  ['signature input beyond', { signatureInput: { [TENSOR_MAP.tensorIndex]: i32(4) } }, 'FILE_INVALID'],
  [
    'signature input that is no graph input',
    { signatureInput: { [TENSOR_MAP.tensorIndex]: i32(1) } },
    'FILE_INVALID',
  ],
  [
    'signature output that is no graph output',
    { signature: { [SIGNATURE.outputs]: tables(table({ [TENSOR_MAP.tensorIndex]: i32(1) })) } },
    'FILE_INVALID',
  ],
  [
    'two inputs of one name',
    {
      signature: {
        [SIGNATURE.inputs]: tables(
          table({ [TENSOR_MAP.name]: text('x') }),
          table({ [TENSOR_MAP.name]: text('x') }),
        ),
      },
    },
    'FILE_INVALID',
  ],
  [
    'two signatures of one name',
    {
      model: {
        [MODEL.signatureDefs]: tables(
          table({ [SIGNATURE.signatureKey]: text('a') }),
          table({ [SIGNATURE.signatureKey]: text('a') }),
        ),
      },
    },
    'FILE_INVALID',
  ],
  ['a name that is not UTF-8', { subgraph: { [SUBGRAPH.name]: bytes(0x66, 0xff) } }, 'FILE_INVALID'],
  [
    'a 64-bit option beyond 2^53',
    coded(169, {
      [OPERATOR.builtinOptions2Type]: i8(1),
      [OPERATOR.builtinOptions2]: table({ 0: i64(1n << 60n) }),
    }),
    'FILE_INVALID',
    'STABLEHLO_CONCATENATE #0',
  ],
]

testDefects(DEFECTS)

test('two subgraphs that call each other are refused', (t) => {
  const empty = (callee: number) =>
    table({
      [SUBGRAPH.operators]: tables(
        table({
          [OPERATOR.builtinOptionsType]: i8(16),
          [OPERATOR.builtinOptions]: table({ 0: i32(callee) }),
        }),
      ),
    })
  const call = table({ [OPERATOR_CODE.deprecatedBuiltinCode]: i8(31), [OPERATOR_CODE.builtinCode]: i32(31) })
  const file = (...callees: readonly number[]) =>
    rawFile({
      model: {
        [MODEL.operatorCodes]: tables(call),
        [MODEL.subgraphs]: tables(...callees.map(empty), table({})),
        [MODEL.signatureDefs]: undefined,
      },
    })
  t.is(decode(file(1, 2, 3)).subgraphs.length, 4)
  t.is(decode(file(3, 3, 3)).subgraphs.length, 4)
  for (const callees of [
    [1, 0],
    [1, 2, 0],
    [3, 2, 1],
    [3, 1],
  ]) {
    const error = errorOf(file(...callees))
    t.true(error instanceof LowbitError && error.code === 'FILE_INVALID', callees.join())
  }
})
