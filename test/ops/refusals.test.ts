// What the operators that move, look up, compare and generate refuse: one row a defect.

import test from 'ava'
import type { ErrorCode } from '#lib/errors.js'
import { loadModel } from '#lib/index.js'
import { type OneOperatorSpec, oneOperatorFile, type TensorSpec } from '../helpers/model-builder.js'

const f32 = (...shape: readonly number[]): TensorSpec => ({ dtype: 'float32', shape })
const bool = (...shape: readonly number[]): TensorSpec => ({ dtype: 'bool', shape })
const s8 = (shape: readonly number[], scale = 0.5, zeroPoint = 0): TensorSpec => ({
  dtype: 'int8',
  shape,
  scale,
  zeroPoint,
})
const list = (...data: readonly number[]): TensorSpec => ({ dtype: 'int32', shape: [data.length], data })
const one = (value: number): TensorSpec => ({ dtype: 'int32', shape: [], data: [value] })
const real = (value: number): TensorSpec => ({ dtype: 'float32', shape: [], data: [value] })
const pairs = (...data: readonly number[]): TensorSpec => ({
  dtype: 'int32',
  shape: [data.length / 2, 2],
  data,
})
const indices = (...shape: readonly number[]): TensorSpec => ({ dtype: 'int32', shape })
const MOST = 2 ** 31 - 1

const op = (
  type: string,
  inputs: readonly TensorSpec[],
  output: TensorSpec,
  options?: OneOperatorSpec['options'],
): OneOperatorSpec => ({ type, inputs, outputs: [output], ...(options && { options }) })

const toBatch = (block: TensorSpec, pads: TensorSpec, input = f32(1, 4, 4, 1)) =>
  op('SPACE_TO_BATCH_ND', [input, block, pads], f32(4, 2, 2, 1))
const toSpace = (block: TensorSpec, crops: TensorSpec, input = f32(4, 2, 2, 1)) =>
  op('BATCH_TO_SPACE_ND', [input, block, crops], f32(1, 4, 4, 1))
const mirror = (mode: number, ...amounts: readonly number[]) =>
  op('MIRROR_PAD', [f32(3), pairs(...amounts)], f32(4), { mode })
const range = (start: TensorSpec, limit: TensorSpec, delta: TensorSpec) =>
  op('RANGE', [start, limit, delta], f32(1))
const hot = (depth: TensorSpec, axis: number, on = f32(), off = f32()) =>
  op('ONE_HOT', [indices(2), depth, on, off], f32(2, 3), { axis })
const topk = (k: TensorSpec, input = f32(2, 3)): OneOperatorSpec => ({
  type: 'TOPK_V2',
  inputs: [input, k],
  outputs: [f32(2, 1), indices(2, 1)],
})
const l2 = (output: TensorSpec, options?: OneOperatorSpec['options']) =>
  op('L2_NORMALIZATION', [s8([4])], output, options)
const embed = (table: TensorSpec, output = f32(2, 3)) => op('EMBEDDING_LOOKUP', [indices(2), table], output)
const codes = new Int8Array(12)

const rows: readonly (readonly [what: string, code: ErrorCode, spec: OneOperatorSpec])[] = [
  ['ABS of uint8', 'DTYPE_UNSUPPORTED', op('ABS', [{ dtype: 'uint8', shape: [2] }], f32(2))],
  ['EXP of codes without scales', 'FILE_INVALID', op('EXP', [{ dtype: 'int8', shape: [2] }], s8([2]))],
  ['POW of int8', 'DTYPE_UNSUPPORTED', op('POW', [s8([2]), s8([2])], s8([2]))],
  ['EQUAL of two types', 'FILE_INVALID', op('EQUAL', [f32(2), s8([2])], bool(2))],
  ['EQUAL into float32', 'FILE_INVALID', op('EQUAL', [f32(2), f32(2)], f32(2))],
  ['LESS of bools', 'DTYPE_UNSUPPORTED', op('LESS', [bool(2), bool(2)], bool(2))],
  ['LESS of shapes that differ', 'SHAPE_MISMATCH', op('LESS', [f32(2), f32(3)], bool(2))],
  ['LOGICAL_AND of float32', 'DTYPE_UNSUPPORTED', op('LOGICAL_AND', [f32(2), f32(2)], bool(2))],
  ['SELECT without a bool', 'DTYPE_UNSUPPORTED', op('SELECT', [f32(2), f32(2), f32(2)], f32(2))],
  ['SELECT that broadcasts', 'SHAPE_MISMATCH', op('SELECT', [bool(2, 1), f32(2, 3), f32(2, 3)], f32(2, 3))],
  ['SELECT of two types', 'FILE_INVALID', op('SELECT', [bool(2), f32(2), s8([2])], f32(2))],
  ['SELECT_V2 that cannot', 'SHAPE_MISMATCH', op('SELECT_V2', [bool(2), f32(3), f32(3)], f32(3))],
  ['PRELU that grows', 'SHAPE_MISMATCH', op('PRELU', [f32(1, 3), f32(2, 3)], f32(2, 3))],
  ['PRELU with int8 slopes of float32', 'DTYPE_UNSUPPORTED', op('PRELU', [f32(3), s8([3])], f32(3))],
  ['CAST to complex128', 'DTYPE_UNSUPPORTED', op('CAST', [f32(3)], { dtype: 'complex128', shape: [3] })],
  ['GATHER by float32', 'DTYPE_UNSUPPORTED', op('GATHER', [f32(3), f32(1)], f32(1))],
  [
    'GATHER of int4',
    'DTYPE_UNSUPPORTED',
    op('GATHER', [{ dtype: 'int4', shape: [4] }, indices(1)], { dtype: 'int4', shape: [1] }),
  ],
  ['GATHER of a scalar', 'SHAPE_MISMATCH', op('GATHER', [f32(), indices(1)], f32(1))],
  ['GATHER_ND with long indices', 'SHAPE_MISMATCH', op('GATHER_ND', [f32(3), indices(1, 2)], f32(1))],
  ['GATHER_ND behind the end', 'SHAPE_MISMATCH', op('GATHER_ND', [f32(3, 2), pairs(2, 2)], f32(1))],
  [
    'GATHER_ND of rank 9',
    'OPERATOR_UNSUPPORTED',
    op('GATHER_ND', [f32(1, 1, 1, 1, 2), indices(1, 1, 1, 1, 1, 1)], f32(1)),
  ],
  ['EMBEDDING_LOOKUP of a vector', 'SHAPE_MISMATCH', embed(f32(4), f32(2))],
  [
    'EMBEDDING_LOOKUP with a scale a column',
    'FILE_INVALID',
    embed({ dtype: 'int8', shape: [4, 3], data: codes, scale: [1, 1, 1], axis: 1 }),
  ],
  [
    'EMBEDDING_LOOKUP with a zero point',
    'OPERATOR_UNSUPPORTED',
    embed({ dtype: 'int8', shape: [4, 3], data: codes, scale: 1, zeroPoint: 1 }),
  ],
  [
    'EMBEDDING_LOOKUP in int4 that is computed',
    'OPERATOR_UNSUPPORTED',
    embed({ dtype: 'int4', shape: [4, 3], scale: 1 }),
  ],
  [
    'SCATTER_ND of other slices',
    'SHAPE_MISMATCH',
    op('SCATTER_ND', [indices(2, 1), f32(3), list(4)], f32(4)),
  ],
  ['SCATTER_ND without room', 'SHAPE_MISMATCH', op('SCATTER_ND', [indices(2, 2), f32(2), list(4)], f32(4))],
  [
    'SCATTER_ND beyond memory',
    'LIMIT_EXCEEDED',
    op('SCATTER_ND', [indices(1, 1), f32(1), list(MOST)], f32(4)),
  ],
  ['blocks of 0', 'FILE_INVALID', toBatch(list(0, 2), pairs(0, 0, 0, 0))],
  ['negative pads', 'FILE_INVALID', toBatch(list(2, 2), pairs(-2, 0, 0, 0))],
  ['an image not made of blocks', 'SHAPE_MISMATCH', toBatch(list(3, 2), pairs(0, 0, 0, 0))],
  ['one block extent', 'SHAPE_MISMATCH', toBatch(list(2), pairs(0, 0, 0, 0))],
  ['an image of rank 2', 'SHAPE_MISMATCH', toBatch(list(2, 2), pairs(0, 0, 0, 0), f32(4, 4))],
  ['huge blocks', 'LIMIT_EXCEEDED', toBatch(list(1, 1), pairs(MOST, 0, MOST, 0))],
  ['crops of more than there is', 'SHAPE_MISMATCH', toSpace(list(2, 2), pairs(3, 2, 0, 0))],
  ['a batch that does not divide', 'SHAPE_MISMATCH', toSpace(list(3, 2), pairs(0, 0, 0, 0))],
  [
    'blocks with other codes',
    'OPERATOR_UNSUPPORTED',
    op('SPACE_TO_BATCH_ND', [s8([1, 4, 4, 1]), list(2, 2), pairs(0, 0, 0, 0)], s8([4, 2, 2, 1], 0.25)),
  ],
  ['a mirror that reaches too far', 'SHAPE_MISMATCH', mirror(0, 3, 0)],
  ['a mirror with the edge that reaches too far', 'SHAPE_MISMATCH', mirror(1, 4, 0)],
  ['a negative mirror', 'SHAPE_MISMATCH', mirror(1, -1, 0)],
  [
    'a mirror of 2^30',
    'OPERATOR_UNSUPPORTED',
    op('MIRROR_PAD', [s8([2 ** 30]), pairs(2 ** 29, 0)], s8([2 ** 30]), { mode: 1 }),
  ],
  ['CUMSUM along no axis', 'SHAPE_MISMATCH', op('CUMSUM', [f32(3), one(1)], f32(3))],
  ['CUMSUM of int8', 'DTYPE_UNSUPPORTED', op('CUMSUM', [s8([3]), one(0)], s8([3]))],
  ['the largest 4 of 3', 'SHAPE_MISMATCH', topk(one(4))],
  ['the largest of bools', 'DTYPE_UNSUPPORTED', topk(one(1), bool(2, 3))],
  ['lengths in other codes', 'OPERATOR_UNSUPPORTED', l2(s8([4], 0.5))],
  [
    'lengths with a fused activation',
    'OPERATOR_UNSUPPORTED',
    l2(s8([4], 1 / 128), { fusedActivationFunction: 1 }),
  ],
  [
    'L2_POOL_2D of codes',
    'DTYPE_UNSUPPORTED',
    op('L2_POOL_2D', [s8([1, 2, 2, 1])], s8([1, 1, 1, 1]), {
      padding: 1,
      strideW: 1,
      strideH: 1,
      filterWidth: 2,
      filterHeight: 2,
    }),
  ],
  [
    'a transform of 3 x 4',
    'OPERATOR_UNSUPPORTED',
    op('RFFT2D', [f32(3, 4), list(3, 4)], { dtype: 'complex64', shape: [3, 3] }),
  ],
  [
    'a transform that no memory holds',
    'LIMIT_EXCEEDED',
    op('RFFT2D', [f32(3, 4), list(2 ** 24, 2 ** 24)], { dtype: 'complex64', shape: [3, 3] }),
  ],
  ['the real part of float32', 'DTYPE_UNSUPPORTED', op('REAL', [f32(3)], f32(3))],
  ['SHAPE as float32', 'DTYPE_UNSUPPORTED', op('SHAPE', [f32(3)], f32(1))],
  ['a range by 0', 'FILE_INVALID', range(real(0), real(4), real(0))],
  ['a range the wrong way', 'FILE_INVALID', range(real(0), real(4), real(-1))],
  ['a range to infinity', 'FILE_INVALID', range(real(0), real(Number.POSITIVE_INFINITY), real(1))],
  ['a range of 2^30', 'LIMIT_EXCEEDED', range(one(0), one(2 ** 30), one(1))],
  ['FILL with two values', 'SHAPE_MISMATCH', op('FILL', [list(2), f32(2)], f32(2))],
  ['FILL of a negative extent', 'SHAPE_MISMATCH', op('FILL', [list(-2), f32()], f32(2))],
  ['FILL of 2^62', 'LIMIT_EXCEEDED', op('FILL', [list(MOST, MOST), f32()], f32(2))],
  ['ONE_HOT of a negative depth', 'FILE_INVALID', hot(one(-1), -1)],
  ['ONE_HOT of 2^30', 'LIMIT_EXCEEDED', hot(one(2 ** 30), -1)],
  ['ONE_HOT along no axis', 'SHAPE_MISMATCH', hot(one(3), 2)],
  ['ONE_HOT of two types', 'FILE_INVALID', hot(one(3), -1, f32(), s8([]))],
  ['ONE_HOT with two values', 'SHAPE_MISMATCH', hot(one(3), -1, f32(2), f32())],
]

for (const [what, code, spec] of rows) {
  test(`refused: ${what}`, async (t) => {
    const error = await t.throwsAsync(loadModel(oneOperatorFile(spec)))
    t.like(error, { name: 'LowbitError', code })
  })
}
