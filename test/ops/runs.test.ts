// Values that an operator has no result for fail the run that brings them, and no other.

import test from 'ava'
import { loadModel } from '#lib/index.js'
import type { TypedArray } from '#lib/tensor/dtype.js'
import { type OneOperatorSpec, oneOperatorFile, type TensorSpec } from '../helpers/model-builder.js'

const s32 = (...shape: readonly number[]): TensorSpec => ({ dtype: 'int32', shape })
const s8 = (shape: readonly number[], scale: number, zeroPoint: number): TensorSpec => ({
  dtype: 'int8',
  shape,
  scale,
  zeroPoint,
})

const table = Int32Array.of(1, 2, 3, 4)
const rows: readonly (readonly [
  what: string,
  spec: OneOperatorSpec,
  good: readonly TypedArray[],
  bad: readonly (readonly TypedArray[])[],
])[] = [
  [
    'GATHER',
    { type: 'GATHER', inputs: [s32(4), s32(2)], outputs: [s32(2)], options: { axis: 0, batchDims: 0 } },
    [table, Int32Array.of(0, 3)],
    [
      [table, Int32Array.of(0, 4)],
      [table, Int32Array.of(-1, 0)],
      [table, Int32Array.of(2 ** 31 - 1, -(2 ** 31))],
    ],
  ],
  [
    'GATHER by int64',
    {
      type: 'GATHER',
      inputs: [s32(4), { dtype: 'int64', shape: [1] }],
      outputs: [s32(1)],
      options: { axis: 0, batchDims: 0 },
    },
    [table, BigInt64Array.of(3n)],
    [
      [table, BigInt64Array.of(2n ** 32n)],
      [table, BigInt64Array.of(-(2n ** 63n))],
    ],
  ],
  [
    'GATHER_ND',
    { type: 'GATHER_ND', inputs: [s32(2, 2), s32(1, 2)], outputs: [s32(1)] },
    [table, Int32Array.of(1, 1)],
    [
      [table, Int32Array.of(0, 2)],
      [table, Int32Array.of(2, 0)],
      [table, Int32Array.of(1, -1)],
    ],
  ],
  [
    'EMBEDDING_LOOKUP',
    { type: 'EMBEDDING_LOOKUP', inputs: [s32(1), s32(4, 1)], outputs: [s32(1, 1)] },
    [Int32Array.of(0), table],
    [[Int32Array.of(4), table]],
  ],
  [
    'SCATTER_ND',
    {
      type: 'SCATTER_ND',
      inputs: [s32(1, 1), s32(1), { dtype: 'int32', shape: [1], data: [3] }],
      outputs: [s32(3)],
    },
    [Int32Array.of(2), Int32Array.of(1)],
    [
      [Int32Array.of(3), Int32Array.of(1)],
      [Int32Array.of(-1), Int32Array.of(1)],
    ],
  ],
  [
    'FLOOR_DIV',
    { type: 'FLOOR_DIV', inputs: [s32(4), s32(1)], outputs: [s32(4)] },
    [table, Int32Array.of(2)],
    [[table, Int32Array.of(0)]],
  ],
  [
    'FLOOR_MOD',
    { type: 'FLOOR_MOD', inputs: [s32(4), s32(4)], outputs: [s32(4)] },
    [table, table],
    [[table, Int32Array.of(1, 2, 0, 4)]],
  ],
  [
    'POW',
    { type: 'POW', inputs: [s32(4), s32(1)], outputs: [s32(4)] },
    [table, Int32Array.of(0)],
    [[table, Int32Array.of(-1)]],
  ],
  [
    'SQRT',
    { type: 'SQRT', inputs: [s8([2], 0.5, 3)], outputs: [s8([2], 0.5, 3)] },
    [Int8Array.of(3, 127)],
    [[Int8Array.of(3, 2)]],
  ],
  [
    'RSQRT',
    { type: 'RSQRT', inputs: [s8([2], 0.5, 3)], outputs: [s8([2], 0.5, 3)] },
    [Int8Array.of(3, 127)],
    [[Int8Array.of(3, 2)]],
  ],
]

for (const [what, spec, good, bad] of rows) {
  for (const threads of [1, 3]) {
    test(`${what} with ${threads} threads`, async (t) => {
      const model = await loadModel(oneOperatorFile(spec), { threads })
      const [expected] = model.runSync(good)
      for (const inputs of bad) {
        t.like(
          t.throws(() => model.runSync(inputs)),
          { name: 'LowbitError', code: 'DATA_INVALID' },
        )
        t.like(await t.throwsAsync(model.run(inputs)), { name: 'LowbitError', code: 'DATA_INVALID' })
        t.like(await t.throwsAsync(model.profile(inputs, { runs: 2 })), { code: 'DATA_INVALID' })
      }
      const [again] = await model.run(good)
      t.deepEqual(again?.data, expected?.data)
      model.dispose()
    })
  }
}
