// Results that can be read off the definition, of operators and forms that the conformance cases leave out.

import test from 'ava'
import { loadModel } from '#lib/index.js'
import type { TypedArray } from '#lib/tensor/dtype.js'
import { type OneOperatorSpec, oneOperatorFile, type TensorSpec } from '../helpers/model-builder.js'

const f32 = (shape: readonly number[], data?: readonly number[]): TensorSpec => ({
  dtype: 'float32',
  shape,
  ...(data && { data }),
})
const s32 = (shape: readonly number[], data?: readonly number[]): TensorSpec => ({
  dtype: 'int32',
  shape,
  ...(data && { data }),
})
const s64 = (shape: readonly number[], data?: readonly number[]): TensorSpec => ({
  ...s32(shape, data),
  dtype: 'int64',
})
const bool = (shape: readonly number[]): TensorSpec => ({ dtype: 'bool', shape })
const codes = (
  dtype: 'int8' | 'int16',
  count: number,
  scale: number,
  zeroPoint = 0,
  data?: readonly number[],
): TensorSpec => ({ dtype, shape: [count], scale, zeroPoint, ...(data && { data }) })

const NAN = Number.NaN
const rows: readonly (readonly [
  what: string,
  spec: OneOperatorSpec,
  inputs: readonly TypedArray[],
  outputs: readonly (readonly number[])[],
])[] = [
  [
    'FLOOR_DIV of int32 rounds down',
    { type: 'FLOOR_DIV', inputs: [s32([6]), s32([6])], outputs: [s32([6])] },
    [Int32Array.of(7, -7, 7, -7, 6, -(2 ** 31)), Int32Array.of(2, 2, -2, -2, -3, -1)],
    [[3, -4, -4, 3, -2, -(2 ** 31)]],
  ],
  [
    'FLOOR_MOD has the sign of the divisor',
    { type: 'FLOOR_MOD', inputs: [s32([5]), s32([5])], outputs: [s32([5])] },
    [Int32Array.of(7, -7, 7, -7, -(2 ** 31)), Int32Array.of(3, 3, -3, -3, -1)],
    [[1, 2, -2, -1, 0]],
  ],
  [
    'FLOOR_MOD of float32',
    { type: 'FLOOR_MOD', inputs: [f32([3]), f32([1])], outputs: [f32([3])] },
    [Float32Array.of(5.5, -5.5, 4), Float32Array.of(2)],
    [[1.5, 0.5, 0]],
  ],
  [
    'DIV of int32 cuts off',
    { type: 'DIV', inputs: [s32([3]), s32([3])], outputs: [s32([3])] },
    [Int32Array.of(7, -7, -(2 ** 31)), Int32Array.of(2, 2, -1)],
    [[3, -3, -(2 ** 31)]],
  ],
  [
    'POW of int32 wraps',
    { type: 'POW', inputs: [s32([4]), s32([4])], outputs: [s32([4])] },
    [Int32Array.of(-3, 5, 0, 3), Int32Array.of(3, 0, 0, 21)],
    [[-27, 1, 1, 3 ** 21 - 2 * 2 ** 32]],
  ],
  [
    'NEG of codes minds both zero points',
    { type: 'NEG', inputs: [codes('int8', 3, 0.5, 10)], outputs: [codes('int8', 3, 0.25, -3)] },
    [Int8Array.of(10, 20, 0)],
    [[-3, -23, 17]],
  ],
  [
    'NEG and ABS of plain int16 wrap',
    { type: 'ABS', inputs: [{ dtype: 'int16', shape: [3] }], outputs: [{ dtype: 'int16', shape: [3] }] },
    [Int16Array.of(-32768, -5, 7)],
    [[-32768, 5, 7]],
  ],
  [
    'SQRT of int8 cuts off',
    { type: 'SQRT', inputs: [codes('int8', 3, 1, -128)], outputs: [codes('int8', 3, 0.5, -128)] },
    [Int8Array.of(-128, -124, -126)],
    [[-128, -124, -126]],
  ],
  [
    'GREATER of int16 with two scales',
    {
      type: 'GREATER',
      inputs: [codes('int16', 2, 0.5), codes('int16', 2, 0.25)],
      outputs: [bool([2])],
    },
    [Int16Array.of(3, 3), Int16Array.of(5, 7)],
    [[1, 0]],
  ],
  [
    'SELECT by one condition a row',
    { type: 'SELECT', inputs: [bool([2]), s32([2, 2]), s32([2, 2])], outputs: [s32([2, 2])] },
    [Uint8Array.of(0, 2), Int32Array.of(1, 2, 3, 4), Int32Array.of(5, 6, 7, 8)],
    [[5, 6, 3, 4]],
  ],
  [
    'SELECT_V2 broadcasts all three',
    { type: 'SELECT_V2', inputs: [bool([2, 1]), s32([2]), s32([])], outputs: [s32([2, 2])] },
    [Uint8Array.of(1, 0), Int32Array.of(1, 2), Int32Array.of(9)],
    [[1, 2, 9, 9]],
  ],
  [
    'GATHER by int64 in batches',
    {
      type: 'GATHER',
      inputs: [s32([2, 3]), s64([2, 2])],
      outputs: [s32([2, 2])],
      options: { axis: 1, batchDims: 1 },
    },
    [Int32Array.of(1, 2, 3, 4, 5, 6), BigInt64Array.of(2n, 0n, 1n, 1n)],
    [[3, 1, 5, 5]],
  ],
  [
    'GATHER_ND of whole slices',
    { type: 'GATHER_ND', inputs: [s32([2, 2]), s32([3, 1])], outputs: [s32([3, 2])] },
    [Int32Array.of(1, 2, 3, 4), Int32Array.of(1, 0, 1)],
    [[3, 4, 1, 2, 3, 4]],
  ],
  [
    'EMBEDDING_LOOKUP with a scale a row',
    {
      type: 'EMBEDDING_LOOKUP',
      inputs: [s32([2]), { dtype: 'int4', shape: [2, 3], data: [1, 2, 3, -8, 7, 0], scale: [0.5, 2] }],
      outputs: [f32([2, 3])],
    },
    [Int32Array.of(1, 0)],
    [[-16, 14, 0, 0.5, 1, 1.5]],
  ],
  [
    'SCATTER_ND adds what meets',
    { type: 'SCATTER_ND', inputs: [s32([3, 1]), s32([3]), s32([1], [4])], outputs: [s32([4])] },
    [Int32Array.of(1, 3, 1), Int32Array.of(10, 20, 30)],
    [[0, 40, 0, 20]],
  ],
  [
    'ONE_HOT along the first dimension',
    {
      type: 'ONE_HOT',
      inputs: [s32([2]), s32([], [3]), s32([], [7]), s32([], [-1])],
      outputs: [s32([3, 2])],
      options: { axis: 0 },
    },
    [Int32Array.of(2, 5)],
    [[-1, -1, -1, -1, 7, -1]],
  ],
  [
    'TOPK_V2 puts NaN last and keeps the order of ties',
    { type: 'TOPK_V2', inputs: [f32([5]), s32([], [4])], outputs: [f32([4]), s32([4])] },
    [Float32Array.of(2, NAN, 3, 2, 3)],
    [
      [3, 3, 2, 2],
      [2, 4, 0, 3],
    ],
  ],
  [
    'FILL with a value of the run',
    { type: 'FILL', inputs: [s32([2], [2, 2]), f32([])], outputs: [f32([2, 2])] },
    [Float32Array.of(1.5)],
    [[1.5, 1.5, 1.5, 1.5]],
  ],
  [
    'ZEROS_LIKE',
    { type: 'ZEROS_LIKE', inputs: [s64([2])], outputs: [s64([2])] },
    [BigInt64Array.of(5n, -1n)],
    [[0, 0]],
  ],
  [
    'RELU_0_TO_1 of float32',
    { type: 'RELU_0_TO_1', inputs: [f32([3])], outputs: [f32([3])] },
    [Float32Array.of(-1, 0.5, 2)],
    [[0, 0.5, 1]],
  ],
  [
    'RELU_0_TO_1 of int8',
    { type: 'RELU_0_TO_1', inputs: [codes('int8', 3, 0.5, 2)], outputs: [codes('int8', 3, 0.25, -1)] },
    [Int8Array.of(0, 3, 9)],
    [[-1, 1, 3]],
  ],
  ['SHAPE', { type: 'SHAPE', inputs: [f32([2, 3])], outputs: [s32([2])] }, [new Float32Array(6)], [[2, 3]]],
  ['RANK', { type: 'RANK', inputs: [f32([2, 3])], outputs: [s32([])] }, [new Float32Array(6)], [[2]]],
  [
    'RFFT2D of an impulse, then of a wave',
    {
      type: 'RFFT2D',
      inputs: [f32([2, 1, 4]), s32([2], [1, 4])],
      outputs: [{ dtype: 'complex64', shape: [2, 1, 3] }],
    },
    [Float32Array.of(1, 0, 0, 0, 1, -1, 1, -1)],
    [[1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 0]],
  ],
  [
    'COMPLEX_ABS',
    { type: 'COMPLEX_ABS', inputs: [{ dtype: 'complex64', shape: [2] }], outputs: [f32([2])] },
    [Float32Array.of(3, -4, 0, 2)],
    [[5, 2]],
  ],
  [
    'MIRROR_PAD with and without the edge',
    {
      type: 'MIRROR_PAD',
      inputs: [s32([3]), s32([1, 2], [2, 1])],
      outputs: [s32([6])],
      options: { mode: 0 },
    },
    [Int32Array.of(1, 2, 3)],
    [[3, 2, 1, 2, 3, 2]],
  ],
]

for (const [what, spec, inputs, outputs] of rows) {
  test(what, async (t) => {
    const model = await loadModel(oneOperatorFile(spec), { threads: 1 })
    const results = await model.run(inputs)
    for (const [i, expected] of outputs.entries()) {
      t.deepEqual(
        Array.from(results[i]?.data as ArrayLike<number>, (x) => Number(x) + 0),
        expected,
      )
    }
    model.dispose()
  })
}

for (const [start, limit, delta, expected] of [
  [10, -4, -3, [10, 7, 4, 1, -2]],
  [0, 6, 3, [0, 3]],
  [3, 3, 1, []],
] as const) {
  test(`RANGE from ${start} to ${limit} by ${delta}`, async (t) => {
    const model = await loadModel(
      oneOperatorFile({
        type: 'RANGE',
        inputs: [s32([], [start]), s32([], [limit]), s32([], [delta])],
        outputs: [s32([expected.length])],
      }),
    )
    const [result] = await model.run([])
    t.deepEqual(result?.data, Int32Array.from(expected))
    model.dispose()
  })
}
