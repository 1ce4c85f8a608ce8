// What the decoder makes of sound files.

import test from 'ava'
import { LowbitError } from '#lib/errors.js'
import { decode } from '#lib/format/tflite/decode.js'
import { BUFFER, OPERATOR, OPERATOR_CODE, QUANTIZATION, TENSOR } from '#lib/format/tflite/schema.js'
import { f32, i8, i32, i32s, i64, table, text } from '../../helpers/flat.js'
import { errorOf } from './defect.js'
import { type Changes, coded, rawFile } from './sample.js'

test('a sound file says what was written', (t) => {
  const file = rawFile()
  const found = decode(file)
  t.is(found.version, 3)
  t.is(found.fileBytes, file.length)
  t.deepEqual(found.metadata, [{ name: 'min_runtime_version', data: new TextEncoder().encode('1.5.0') }])
  t.deepEqual(found.signatures, [
    { name: 'serve', subgraph: 0, inputs: [{ name: 'x', tensor: 0 }], outputs: [{ name: 'y', tensor: 3 }] },
  ])
  const [main] = found.subgraphs
  t.is(main?.name, 'main')
  t.deepEqual(main?.inputs, [0])
  t.deepEqual(main?.outputs, [3])
  t.deepEqual(main?.operators, [
    {
      code: 3,
      type: 'CONV_2D',
      version: 1,
      inputs: [0, 1, 2],
      outputs: [3],
      intermediates: [],
      options: {
        padding: 1,
        strideW: 1,
        strideH: 1,
        fusedActivationFunction: 3,
        dilationWFactor: 1,
        dilationHFactor: 1,
        quantizedBiasType: 0,
      },
    },
  ])
  t.deepEqual(main?.tensors[1], {
    name: 'weights',
    shape: [3, 1, 1, 2],
    shapeSignature: [3, 1, 1, 2],
    dtype: 'int8',
    data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    isVariable: false,
    quantization: { scale: Float32Array.of(0.5, 1.5, 2.5), zeroPoint: new Int32Array(3), axis: 0 },
    isSparse: false,
  })
})

test('constants are views of the file', (t) => {
  const file = rawFile()
  t.is(decode(file).subgraphs[0]?.tensors[1]?.data?.buffer, file.buffer)
})

const inverse = (changes: Changes) => decode(rawFile(changes)).subgraphs[0]
const floats = { [TENSOR.type]: i8(0) }
test('an operator code in the old field alone, and beyond it, is read', (t) => {
  const old = inverse({ operatorCode: { [OPERATOR_CODE.builtinCode]: undefined } })
  t.is(old?.operators[0]?.type, 'CONV_2D')
  const none = { [OPERATOR.builtinOptionsType]: undefined, [OPERATOR.builtinOptions]: undefined }
  const code = (old: number, wide: number): Changes => ({
    operatorCode: { [OPERATOR_CODE.deprecatedBuiltinCode]: i8(old), [OPERATOR_CODE.builtinCode]: i32(wide) },
    operator: none,
  })
  t.is(inverse(code(127, 150))?.operators[0]?.type, 'GELU')
  t.is(inverse(code(0, 135))?.operators[0]?.type, 'COMPLEX_ABS')
  t.is(inverse(code(127, 999))?.operators[0]?.type, 'UNKNOWN_999')
  t.deepEqual(inverse(code(3, 3))?.operators[0]?.options, {})
})

test('data outside the flatbuffer is found, offsets 0 and 1 mean none', (t) => {
  const file = (offset: number) =>
    rawFile({
      weightBuffer: {
        [BUFFER.data]: undefined,
        [BUFFER.offset]: i64(BigInt(offset)),
        [BUFFER.size]: i64(6n),
      },
    })
  const inner = file(1000)
  t.true(inner.length <= 1000)
  const whole = new Uint8Array(1006)
  whole.set(inner)
  whole.set([9, 8, 7, 6, 5, 4], 1000)
  t.deepEqual(decode(whole).subgraphs[0]?.tensors[1]?.data, Uint8Array.of(9, 8, 7, 6, 5, 4))
  for (const offset of [0, 1]) {
    const error = errorOf(file(offset))
    t.true(error instanceof LowbitError && error.operator === 'CONV_2D #0' && error.tensor === 'weights')
  }
  const options = rawFile({
    operatorCode: {
      [OPERATOR_CODE.deprecatedBuiltinCode]: i8(32),
      [OPERATOR_CODE.builtinCode]: i32(32),
      [OPERATOR_CODE.customCode]: text('mine'),
    },
    operator: {
      [OPERATOR.builtinOptionsType]: undefined,
      [OPERATOR.builtinOptions]: undefined,
      [OPERATOR.largeCustomOptionsOffset]: i64(8n),
      [OPERATOR.largeCustomOptionsSize]: i64(4n),
    },
  })
  t.deepEqual(decode(options).subgraphs[0]?.operators[0]?.customOptions, options.subarray(8, 12))
})

test('zero points may be absent; scales of floats say nothing', (t) => {
  const absent = inverse({ weightScales: { [QUANTIZATION.zeroPoint]: undefined } })
  t.deepEqual(absent?.tensors[1]?.quantization?.zeroPoint, new Int32Array(3))
  t.is(inverse({ output: floats })?.tensors[3]?.quantization, undefined)
})

test('tensors without elements that nothing computes are constants', (t) => {
  const empty = inverse({
    bias: { [TENSOR.shape]: i32s(0), [TENSOR.buffer]: undefined, [TENSOR.quantization]: undefined },
  })
  t.deepEqual(empty?.tensors[2]?.data, new Uint8Array(0))
})

test('options keep floats, texts and lists', (t) => {
  const softmax = inverse(
    coded(25, { [OPERATOR.builtinOptionsType]: i8(9), [OPERATOR.builtinOptions]: table({ 0: f32(0.5) }) }),
  )
  t.deepEqual(softmax?.operators[0]?.options, { beta: 0.5 })
  const variable = inverse(
    coded(142, {
      [OPERATOR.builtinOptionsType]: i8(111),
      [OPERATOR.builtinOptions]: table({ 1: text('state') }),
    }),
  )
  t.deepEqual(variable?.operators[0]?.options, { container: '', sharedName: 'state' })
  const reshape = inverse(
    coded(22, {
      [OPERATOR.builtinOptionsType]: i8(17),
      [OPERATOR.builtinOptions]: table({ 0: i32s(1, -1) }),
    }),
  )
  t.deepEqual(reshape?.operators[0]?.options, { newShape: [1, -1] })
})
