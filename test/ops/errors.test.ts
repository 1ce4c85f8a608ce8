// What operators refuse, and with which code: one row a defect.

import test from 'ava'
import type { ErrorCode } from '#lib/errors.js'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel } from '#lib/index.js'
import { type OneOperatorSpec, oneOperator, type TensorSpec } from '../helpers/model-builder.js'

const s8 = (
  shape: readonly number[],
  scale: number | readonly number[] = 0.5,
  zeroPoint = 0,
): TensorSpec => ({
  dtype: 'int8',
  shape,
  scale,
  zeroPoint: typeof scale === 'number' ? zeroPoint : scale.map(() => zeroPoint),
})
const f32 = (shape: readonly number[]): TensorSpec => ({ dtype: 'float32', shape })
const s32 = (...data: readonly number[]): TensorSpec => ({ dtype: 'int32', shape: [data.length], data })
const image = [1, 4, 4, 2]
const window = { padding: 1, strideW: 1, strideH: 1, filterWidth: 2, filterHeight: 2 }
const pool = (options: object, input = s8(image), output = s8([1, 3, 3, 2])): OneOperatorSpec => ({
  type: 'AVERAGE_POOL_2D',
  inputs: [input],
  outputs: [output],
  options: { ...window, ...options },
})

const rows: readonly (readonly [what: string, code: ErrorCode, spec: OneOperatorSpec])[] = [
  ['a stride of 0', 'FILE_INVALID', pool({ strideH: 0 })],
  ['a negative stride', 'FILE_INVALID', pool({ strideW: -1 })],
  ['an empty window', 'FILE_INVALID', pool({ filterHeight: 0 })],
  ['a window beyond int32', 'FILE_INVALID', pool({ filterWidth: 2 ** 31 - 1, padding: 0 })],
  ['a window larger than the image', 'SHAPE_MISMATCH', pool({ filterHeight: 5 })],
  ['an image of rank 3', 'SHAPE_MISMATCH', pool({}, s8([4, 4, 2]), s8([3, 3, 2]))],
  ['a fused tanh', 'OPERATOR_UNSUPPORTED', pool({ fusedActivationFunction: 4 })],
  [
    'codes without quantisation',
    'FILE_INVALID',
    pool({}, { dtype: 'int8', shape: image }, { dtype: 'int8', shape: [1, 3, 3, 2] }),
  ],
  ['an output of another type', 'FILE_INVALID', pool({}, s8(image), f32([1, 3, 3, 2]))],
  [
    'a pool of int32',
    'DTYPE_UNSUPPORTED',
    pool({}, { dtype: 'int32', shape: image }, { dtype: 'int32', shape: image }),
  ],
  [
    'shapes that do not broadcast',
    'SHAPE_MISMATCH',
    { type: 'ADD', inputs: [s8([2, 3]), s8([2])], outputs: [s8([2, 3])] },
  ],
  ['operands of two types', 'FILE_INVALID', { type: 'ADD', inputs: [s8([2]), f32([2])], outputs: [s8([2])] }],
  [
    'operands of rank 7',
    'SHAPE_MISMATCH',
    { type: 'MUL', inputs: [f32([1, 1, 1, 1, 1, 1, 2]), f32([2])], outputs: [f32([2])] },
  ],
  ['one operand', 'FILE_INVALID', { type: 'ADD', inputs: [s8([2])], outputs: [s8([2])] }],
  [
    'scales per channel',
    'OPERATOR_UNSUPPORTED',
    { type: 'ADD', inputs: [s8([2], [0.5, 0.25]), s8([2])], outputs: [s8([2])] },
  ],
  ['two outputs', 'FILE_INVALID', { type: 'ADD', inputs: [s8([2]), s8([2])], outputs: [s8([2]), s8([2])] }],
  [
    'an axis that does not exist',
    'SHAPE_MISMATCH',
    { type: 'MEAN', inputs: [s8(image), s32(4)], outputs: [s8([1])] },
  ],
  [
    'a mean over nothing',
    'SHAPE_MISMATCH',
    { type: 'MEAN', inputs: [s8([0, 2]), s32(0)], outputs: [s8([2])] },
  ],
  [
    'int8 parts of other scales',
    'OPERATOR_UNSUPPORTED',
    {
      type: 'CONCATENATION',
      inputs: [s8([2], 0.5), s8([2], 0.25)],
      outputs: [s8([4])],
      options: { axis: 0 },
    },
  ],
  [
    'parts that do not fit',
    'SHAPE_MISMATCH',
    { type: 'CONCATENATION', inputs: [s8([2, 2]), s8([2, 3])], outputs: [s8([4, 2])], options: { axis: 0 } },
  ],
  [
    'a concatenation along axis 9',
    'SHAPE_MISMATCH',
    { type: 'CONCATENATION', inputs: [s8([2])], outputs: [s8([2])], options: { axis: 9 } },
  ],
  [
    'no parts',
    'FILE_INVALID',
    { type: 'CONCATENATION', inputs: [], outputs: [s8([2])], options: { axis: 0 } },
  ],
  [
    'negative padding',
    'FILE_INVALID',
    { type: 'PAD', inputs: [s8([2]), { dtype: 'int32', shape: [1, 2], data: [-1, 3] }], outputs: [s8([4])] },
  ],
  [
    'padding for another rank',
    'SHAPE_MISMATCH',
    {
      type: 'PAD',
      inputs: [s8([2]), { dtype: 'int32', shape: [2, 2], data: [0, 0, 0, 0] }],
      outputs: [s8([2])],
    },
  ],
  [
    'padding beyond 2^31 elements',
    'LIMIT_EXCEEDED',
    {
      type: 'PAD',
      inputs: [s8([2]), { dtype: 'int32', shape: [1, 2], data: [2 ** 31 - 1, 2 ** 31 - 1] }],
      outputs: [s8([2])],
    },
  ],
  [
    'a reshape to another size',
    'SHAPE_MISMATCH',
    { type: 'RESHAPE', inputs: [s8([2, 3]), s32(4, 2)], outputs: [s8([4, 2])] },
  ],
  [
    'a reshape with two free extents',
    'SHAPE_MISMATCH',
    { type: 'RESHAPE', inputs: [s8([2, 3]), s32(-1, -1)], outputs: [s8([2, 3])] },
  ],
  [
    'a free extent among zeros',
    'SHAPE_MISMATCH',
    { type: 'RESHAPE', inputs: [s8([2, 3]), s32(-1, 0)], outputs: [s8([2, 3])] },
  ],
  [
    'a squeeze of 3',
    'SHAPE_MISMATCH',
    { type: 'SQUEEZE', inputs: [s8([3])], outputs: [s8([])], options: { squeezeDims: [0] } },
  ],
  [
    'an infinite beta',
    'NOT_FINITE',
    { type: 'SOFTMAX', inputs: [f32([4])], outputs: [f32([4])], options: { beta: Number.POSITIVE_INFINITY } },
  ],
  [
    'a negative beta on codes',
    'OPERATOR_UNSUPPORTED',
    { type: 'SOFTMAX', inputs: [s8([4])], outputs: [s8([4], 1 / 256, -128)], options: { beta: -1 } },
  ],
  [
    'a softmax of a scalar',
    'SHAPE_MISMATCH',
    { type: 'SOFTMAX', inputs: [f32([])], outputs: [f32([])], options: { beta: 1 } },
  ],
  [
    'an order that names a dimension twice',
    'FILE_INVALID',
    { type: 'TRANSPOSE', inputs: [s8([2, 3]), s32(0, 0)], outputs: [s8([2, 2])] },
  ],
  [
    'an order of three for a matrix',
    'SHAPE_MISMATCH',
    { type: 'TRANSPOSE', inputs: [s8([2, 3]), s32(0, 1, 2)], outputs: [s8([2, 3])] },
  ],
  [
    'a slice beyond the end',
    'SHAPE_MISMATCH',
    { type: 'SLICE', inputs: [s8([4]), s32(3), s32(2)], outputs: [s8([2])] },
  ],
  [
    'a stride of 0 in a slice',
    'FILE_INVALID',
    { type: 'STRIDED_SLICE', inputs: [s8([4]), s32(0), s32(4), s32(0)], outputs: [s8([4])] },
  ],
  [
    'an index beyond the end',
    'SHAPE_MISMATCH',
    {
      type: 'STRIDED_SLICE',
      inputs: [s8([4]), s32(4), s32(5), s32(1)],
      outputs: [s8([])],
      options: { shrinkAxisMask: 1 },
    },
  ],
  [
    'a split into unequal parts',
    'SHAPE_MISMATCH',
    { type: 'SPLIT', inputs: [s32(0), s8([5])], outputs: [s8([2]), s8([3])], options: { numSplits: 2 } },
  ],
  [
    'a split into -1 parts',
    'SHAPE_MISMATCH',
    { type: 'SPLIT', inputs: [s32(0), s8([4])], outputs: [s8([4])], options: { numSplits: -1 } },
  ],
  [
    'parts that are not the whole',
    'SHAPE_MISMATCH',
    {
      type: 'SPLIT_V',
      inputs: [s8([5]), s32(2, 2), s32(0)],
      outputs: [s8([2]), s8([2])],
      options: { numSplits: 2 },
    },
  ],
  [
    'an empty picture',
    'SHAPE_MISMATCH',
    { type: 'RESIZE_BILINEAR', inputs: [s8([1, 0, 4, 2]), s32(2, 2)], outputs: [s8([1, 2, 2, 2])] },
  ],
  [
    'a picture of -1 rows',
    'SHAPE_MISMATCH',
    { type: 'RESIZE_NEAREST_NEIGHBOR', inputs: [s8(image), s32(-1, 2)], outputs: [s8(image)] },
  ],
  [
    'no element to choose',
    'SHAPE_MISMATCH',
    { type: 'ARG_MAX', inputs: [s8([0]), s32(0)], outputs: [{ dtype: 'int32', shape: [] }] },
  ],
  [
    'an unquantised QUANTIZE',
    'FILE_INVALID',
    { type: 'QUANTIZE', inputs: [f32([2])], outputs: [{ dtype: 'int8', shape: [2] }] },
  ],
  [
    'codes of a type that has none',
    'DTYPE_UNSUPPORTED',
    { type: 'DEQUANTIZE', inputs: [{ dtype: 'int64', shape: [2] }], outputs: [f32([2])] },
  ],
  [
    'a logistic of another output scale',
    'OPERATOR_UNSUPPORTED',
    { type: 'LOGISTIC', inputs: [s8([2])], outputs: [s8([2], 0.5)] },
  ],
  [
    'an index of a slice that does not exist',
    'SHAPE_MISMATCH',
    { type: 'GATHER', inputs: [s8([3]), s32(3)], outputs: [s8([1])] },
  ],
  [
    'shared dimensions behind the axis',
    'SHAPE_MISMATCH',
    {
      type: 'GATHER',
      inputs: [s8([3, 2]), s32(0)],
      outputs: [s8([1, 2])],
      options: { axis: 0, batchDims: 1 },
    },
  ],
  ['-1 tiles', 'FILE_INVALID', { type: 'TILE', inputs: [s8([3]), s32(-1)], outputs: [s8([3])] }],
  [
    'a shape that is smaller',
    'SHAPE_MISMATCH',
    { type: 'BROADCAST_TO', inputs: [s8([3]), s32(2)], outputs: [s8([2])] },
  ],
  [
    'blocks of 0',
    'FILE_INVALID',
    { type: 'SPACE_TO_DEPTH', inputs: [s8(image)], outputs: [s8(image)], options: { blockSize: 0 } },
  ],
  [
    'channels that are no block',
    'SHAPE_MISMATCH',
    { type: 'DEPTH_TO_SPACE', inputs: [s8(image)], outputs: [s8(image)], options: { blockSize: 2 } },
  ],
  [
    'a cast to a type of two codes a byte',
    'DTYPE_UNSUPPORTED',
    { type: 'CAST', inputs: [s8([2])], outputs: [{ dtype: 'int4', shape: [2] }] },
  ],
  [
    'an alpha that is no number',
    'NOT_FINITE',
    { type: 'LEAKY_RELU', inputs: [f32([2])], outputs: [f32([2])], options: { alpha: Number.NaN } },
  ],
]

for (const [what, code, spec] of rows) {
  test(`${spec.type} refuses ${what}`, async (t) => {
    const error = await t.throwsAsync(loadModel(encode(oneOperator(spec)), { threads: 1 }))
    t.is((error as { code?: string } | undefined)?.code, code, error?.message)
    t.regex(error?.message ?? '', new RegExp(spec.type), 'the message names the operator')
  })
}
