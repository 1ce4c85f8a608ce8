// Each defect that the header and the tensors of a file can have, and its error.

import { BLOCKWISE, BUFFER, METADATA, MODEL, QUANTIZATION, TENSOR } from '#lib/format/tflite/schema.js'
import { bytes, type Flat, f32s, i8, i32, i32s, i64, i64s, table, tables } from '../../helpers/flat.js'
import { type Defect, testDefects } from './defect.js'
import type { Changes, Fields } from './sample.js'

const scales = (fields: Readonly<Record<number, Flat>>) => ({ [TENSOR.quantization]: table(fields) })
const details = (kind: number, fields: Readonly<Record<number, Flat>>): Changes => ({
  weights: scales({ [QUANTIZATION.detailsType]: i8(kind), [QUANTIZATION.details]: table(fields) }),
})
const blocks = { [BLOCKWISE.scales]: i32(0), [BLOCKWISE.zeroPoints]: i32(-1), [BLOCKWISE.blockSize]: i32(2) }
const strings = (...values: number[]): Changes => ({
  weights: { [TENSOR.type]: i8(5), [TENSOR.shape]: i32s(1), [TENSOR.quantization]: undefined },
  weightBuffer: { [BUFFER.data]: bytes(...values) },
})
const dtypeOnly = (type: number, count: number, extra: Fields = {}): Changes => ({
  weights: { [TENSOR.type]: i8(type), [TENSOR.quantization]: undefined, ...extra },
  weightBuffer: { [BUFFER.data]: bytes(...new Uint8Array(count)) },
})

const DEFECTS: readonly Defect[] = [
  ['version 2', { model: { [MODEL.version]: i32(2) } }, 'FILE_INVALID'],
  ['version 4', { model: { [MODEL.version]: i32(4) } }, 'FILE_INVALID'],
  ['no subgraph', { model: { [MODEL.subgraphs]: tables() } }, 'FILE_INVALID'],
  ['no list of subgraphs', { model: { [MODEL.subgraphs]: undefined } }, 'FILE_INVALID'],
  [
    'data in buffer 0',
    { model: { [MODEL.buffers]: tables(table({ [BUFFER.data]: bytes(1) })) } },
    'FILE_INVALID',
  ],
  ['buffer size beyond 2^53', { weightBuffer: { [BUFFER.size]: i64(1n << 60n) } }, 'FILE_INVALID'],
  [
    'buffer outside the file',
    { weightBuffer: { [BUFFER.data]: undefined, [BUFFER.offset]: i64(100n), [BUFFER.size]: i64(1n << 40n) } },
    'FILE_TRUNCATED',
  ],
  ['metadata of a buffer that does not exist', { metadata: { [METADATA.buffer]: i32(4) } }, 'FILE_INVALID'],

  ['rank 9', { input: { [TENSOR.shape]: i32s(1, 1, 1, 1, 1, 1, 1, 1, 32) } }, 'FILE_INVALID', 'image'],
  ['negative extent', { input: { [TENSOR.shape]: i32s(1, -1, 4, 2) } }, 'FILE_INVALID', 'image'],
  ['2^62 elements', { input: { [TENSOR.shape]: i32s(2 ** 31 - 1, 2 ** 31 - 1) } }, 'FILE_INVALID', 'image'],
  [
    '2^62 elements behind a zero',
    { input: { [TENSOR.shape]: i32s(0, 2 ** 31 - 1, 2 ** 31 - 1) } },
    'FILE_INVALID',
    'image',
  ],
  [
    'signature of another rank',
    { input: { [TENSOR.shapeSignature]: i32s(-1, 4, 4) } },
    'FILE_INVALID',
    'image',
  ],
  [
    'signature of another extent',
    { input: { [TENSOR.shapeSignature]: i32s(-1, 4, 5, 2) } },
    'FILE_INVALID',
    'image',
  ],
  ['signature of -2', { input: { [TENSOR.shapeSignature]: i32s(-2, 4, 4, 2) } }, 'FILE_INVALID', 'image'],
  [
    'signature of rank 40',
    { input: { [TENSOR.shapeSignature]: i32s(...new Array(40).fill(1)) } },
    'FILE_INVALID',
    'image',
  ],
  ['type 23', { input: { [TENSOR.type]: i8(23) } }, 'FILE_INVALID', 'image'],
  ['type -1', { input: { [TENSOR.type]: i8(-1) } }, 'FILE_INVALID', 'image'],
  ['type 20, which lowbit has not', { input: { [TENSOR.type]: i8(20) } }, 'DTYPE_UNSUPPORTED', 'image'],
  [
    'a tensor without a name',
    { input: { [TENSOR.name]: undefined, [TENSOR.type]: i8(99) } },
    'FILE_INVALID',
    '#0',
  ],
  ['buffer index beyond', { input: { [TENSOR.buffer]: i32(4) } }, 'FILE_INVALID', 'image'],
  ['data in another file', { weights: { [TENSOR.externalBuffer]: i32(1) } }, 'FILE_INVALID', 'weights'],
  ['a byte too few', { weightBuffer: { [BUFFER.data]: bytes(1, 2, 3, 4, 5) } }, 'FILE_INVALID', 'weights'],
  [
    'a byte too many',
    { weightBuffer: { [BUFFER.data]: bytes(1, 2, 3, 4, 5, 6, 7) } },
    'FILE_INVALID',
    'weights',
  ],
  ['int4 not packed', dtypeOnly(17, 6), 'FILE_INVALID', 'weights'],
  ['int4 without its last nibble', dtypeOnly(17, 2, { [TENSOR.shape]: i32s(5) }), 'FILE_INVALID', 'weights'],
  ['int2 not packed', dtypeOnly(19, 6), 'FILE_INVALID', 'weights'],
  ['a constant resource', dtypeOnly(13, 6), 'FILE_INVALID', 'weights'],
  ['variable with data', { weights: { [TENSOR.isVariable]: i8(1) } }, 'FILE_INVALID', 'weights'],
  ['strings: no room for the count', strings(1, 0), 'FILE_INVALID', 'weights'],
  ['strings: another count', strings(2, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0), 'FILE_INVALID', 'weights'],
  [
    'strings: first not behind the table',
    strings(1, 0, 0, 0, 13, 0, 0, 0, 13, 0, 0, 0, 65),
    'FILE_INVALID',
    'weights',
  ],
  [
    'strings: end beyond the data',
    strings(1, 0, 0, 0, 12, 0, 0, 0, 14, 0, 0, 0, 65),
    'FILE_INVALID',
    'weights',
  ],
  ['strings: end before start', strings(1, 0, 0, 0, 12, 0, 0, 0, 11, 0, 0, 0), 'FILE_INVALID', 'weights'],

  [
    'two zero points for three scales',
    { weightScales: { [QUANTIZATION.zeroPoint]: i64s(0, 0) } },
    'FILE_INVALID',
    'weights',
  ],
  [
    'two scales for extent 3',
    { weightScales: { [QUANTIZATION.scale]: f32s(1, 2), [QUANTIZATION.zeroPoint]: i64s(0, 0) } },
    'FILE_INVALID',
    'weights',
  ],
  [
    'quantised dimension 4 of rank 4',
    { weightScales: { [QUANTIZATION.quantizedDimension]: i32(4) } },
    'FILE_INVALID',
    'weights',
  ],
  [
    'quantised dimension -1',
    { weightScales: { [QUANTIZATION.quantizedDimension]: i32(-1) } },
    'FILE_INVALID',
    'weights',
  ],
  [
    'a quantised dimension of another extent',
    { weightScales: { [QUANTIZATION.quantizedDimension]: i32(3) } },
    'FILE_INVALID',
    'weights',
  ],
  [
    'a scale of NaN',
    { weightScales: { [QUANTIZATION.scale]: f32s(1, Number.NaN, 1) } },
    'NOT_FINITE',
    'weights',
  ],
  [
    'an infinite scale',
    { weightScales: { [QUANTIZATION.scale]: f32s(1, 1, Infinity) } },
    'NOT_FINITE',
    'weights',
  ],
  ['a scale of 0', { weightScales: { [QUANTIZATION.scale]: f32s(1, 0, 1) } }, 'FILE_INVALID', 'weights'],
  [
    'a negative scale of the output',
    { outputScales: { [QUANTIZATION.scale]: f32s(-1) } },
    'FILE_INVALID',
    'result',
  ],
  [
    'a zero point of 128',
    { outputScales: { [QUANTIZATION.zeroPoint]: i64s(128) } },
    'FILE_INVALID',
    'result',
  ],
  [
    'a zero point of -129',
    { outputScales: { [QUANTIZATION.zeroPoint]: i64s(-129) } },
    'FILE_INVALID',
    'result',
  ],
  [
    'a zero point beyond 2^53',
    { outputScales: { [QUANTIZATION.zeroPoint]: i64s(2 ** 60) } },
    'FILE_INVALID',
    'result',
  ],
  ['custom details', details(1, {}), 'DTYPE_UNSUPPORTED', 'weights'],
  ['multi-axis details', details(3, {}), 'DTYPE_UNSUPPORTED', 'weights'],
  ['details of kind 4', details(4, {}), 'FILE_INVALID', 'weights'],
  [
    'blockwise without details',
    { weights: scales({ [QUANTIZATION.detailsType]: i8(2) }) },
    'FILE_INVALID',
    'weights',
  ],
  ['blocks of size 0', details(2, { ...blocks, [BLOCKWISE.blockSize]: i32(0) }), 'FILE_INVALID', 'weights'],
  ['block scales beyond', details(2, { ...blocks, [BLOCKWISE.scales]: i32(4) }), 'FILE_INVALID', 'weights'],
  ['block scales of -1', details(2, { ...blocks, [BLOCKWISE.scales]: i32(-1) }), 'FILE_INVALID', 'weights'],
  [
    'block zero points beyond',
    details(2, { ...blocks, [BLOCKWISE.zeroPoints]: i32(4) }),
    'FILE_INVALID',
    'weights',
  ],
  [
    'block zero points of -2',
    details(2, { ...blocks, [BLOCKWISE.zeroPoints]: i32(-2) }),
    'FILE_INVALID',
    'weights',
  ],
  [
    'two-dimensional blocks',
    details(2, { ...blocks, [BLOCKWISE.blockShape]: i32s(2, 2) }),
    'DTYPE_UNSUPPORTED',
    'weights',
  ],
]

testDefects(DEFECTS)
