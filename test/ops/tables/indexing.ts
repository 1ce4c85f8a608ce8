// Operators that pick or place elements by indices, and those that make tensors of shapes and single numbers.

import type { Dtype } from '#lib/tensor/dtype.js'
import { MOVED, moves } from './movement.js'
import { arrayFor, constant, elements, f32, ints, s32, type Table, tensor } from './table.js'

export const INDEXING: Table = {
  GATHER: moves(
    'GATHER',
    {
      shape: [4, 3],
      to: [2, 2, 3],
      operands: [constant('int32', [2, 2], [3, 0, 0, 1])],
      options: { axis: 0, batchDims: 0 },
      from: ([a = 0, b = 0, c = 0]) => [[3, 0, 0, 1][2 * a + b] as number, c],
    },
    {
      what: 'int64 in batches',
      shape: [2, 3],
      to: [2, 2],
      operands: [constant('int64', [2, 2], [2, 0, 1, 1])],
      options: { axis: 1, batchDims: 1 },
      from: ([a = 0, b = 0]) => [a, [2, 0, 1, 1][2 * a + b] as number],
    },
  ),
  GATHER_ND: moves('GATHER_ND', {
    shape: [4, 3],
    to: [3],
    operands: [constant('int32', [3, 2], [3, 2, 0, 1, 3, 0])],
    from: ([a = 0]) => [[3, 0, 3][a], [2, 1, 0][a]] as number[],
  }),
  EMBEDDING_LOOKUP: (['float32', 'int32'] as const).map((dtype) => ({
    what: dtype,
    spec: {
      type: 'EMBEDDING_LOOKUP',
      inputs: [s32(3), constant(dtype, [3, 2], [1, 2, 3, 4, 5, 6])],
      outputs: [tensor(dtype, 3, 2)],
    },
    inputs: [Int32Array.of(2, 0, 2)],
    outputs: [[5, 6, 1, 2, 5, 6]],
  })),
  DYNAMIC_UPDATE_SLICE: MOVED.map((dtype) => ({
    what: `${dtype}, cut to the edge`,
    spec: {
      type: 'DYNAMIC_UPDATE_SLICE',
      inputs: [tensor(dtype, 3, 4), tensor(dtype, 2, 2), s32(2)],
      outputs: [tensor(dtype, 3, 4)],
    },
    inputs: [arrayFor(dtype, new Array(12).fill(0)), arrayFor(dtype, [1, 1, 1, 1]), Int32Array.of(-3, 3)],
    outputs: [[0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0]],
  })),
  SCATTER_ND: (['float32', 'int8', 'uint8', 'int16', 'int32', 'int64', 'bool'] as const).map((dtype) => ({
    what: dtype,
    spec: {
      type: 'SCATTER_ND',
      inputs: [s32(3, 1), tensor(dtype, 3, 2), ints(4, 2)],
      outputs: [tensor(dtype, 4, 2)],
    },
    inputs: [Int32Array.of(2, 0, 2), arrayFor(dtype, [1, 0, 1, 1, 0, 1])],
    outputs: [[1, 1, 0, 0, 1, 1, 0, 0]],
  })),
  MATRIX_DIAG: moves('MATRIX_DIAG', {
    shape: [2, 3],
    to: [2, 3, 3],
    from: ([a = 0, b, c]) => (b === c ? ([a, b] as number[]) : 0),
  }),
  MATRIX_SET_DIAG: MOVED.map((dtype) => ({
    what: dtype,
    spec: {
      type: 'MATRIX_SET_DIAG',
      inputs: [tensor(dtype, 2, 2, 3), tensor(dtype, 2, 2)],
      outputs: [tensor(dtype, 2, 2, 3)],
    },
    inputs: [arrayFor(dtype, new Array(12).fill(1)), arrayFor(dtype, [0, 1, 1, 0])],
    outputs: [[0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1]],
  })),
  ONE_HOT: (['float32', 'int8', 'uint8', 'int16', 'int32', 'int64', 'bool'] as const).flatMap((dtype) =>
    ([-1, 0] as const).map((axis) => ({
      what: `${dtype} along ${axis}`,
      spec: {
        type: 'ONE_HOT',
        inputs: [s32(3), constant('int32', [], [4]), constant(dtype, [], [1]), constant(dtype, [], [0])],
        outputs: [tensor(dtype, ...(axis === 0 ? [4, 3] : [3, 4]))],
        options: { axis },
      },
      inputs: [Int32Array.of(2, 0, 4)],
      outputs: [axis === 0 ? [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0] : [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]],
    })),
  ),
  FILL: (['float32', 'int8', 'int16', 'int32', 'int64', 'bool'] as const).map((dtype) => ({
    what: dtype,
    spec: { type: 'FILL', inputs: [ints(2, 3), tensor(dtype)], outputs: [tensor(dtype, 2, 3)] },
    inputs: [arrayFor(dtype, [1])],
    outputs: [[1, 1, 1, 1, 1, 1]],
  })),
  ZEROS_LIKE: (['float32', 'int32', 'int64'] as const).map((dtype) => ({
    what: dtype,
    spec: { type: 'ZEROS_LIKE', inputs: [tensor(dtype, 2, 2)], outputs: [tensor(dtype, 2, 2)] },
    inputs: [arrayFor(dtype, [1, 2, 3, 4])],
    outputs: [[0, 0, 0, 0]],
  })),
  SHAPE: (['int32', 'int64'] as const).map((dtype) => ({
    what: `as ${dtype}`,
    spec: {
      type: 'SHAPE',
      inputs: [f32(2, 3, 1)],
      outputs: [tensor(dtype, 3)],
      options: { outType: dtype === 'int32' ? 2 : 4 },
    },
    inputs: [new Float32Array(6)],
    outputs: [[2, 3, 1]],
  })),
  RANK: [[], [4], [2, 3, 1, 1]].map((shape) => ({
    what: `[${shape}]`,
    spec: { type: 'RANK', inputs: [f32(...shape)], outputs: [s32()] },
    inputs: [new Float32Array(elements(shape))],
    outputs: [[shape.length]],
  })),
  RANGE: [
    ['int32', 3, 11, 4, [3, 7]],
    ['int32', 5, -1, -3, [5, 2]],
    ['float32', 0, 1, 0.25, [0, 0.25, 0.5, 0.75]],
  ].map(([dtype, start, limit, delta, result]) => ({
    what: `${dtype} from ${start} to ${limit}`,
    spec: {
      type: 'RANGE',
      inputs: [start, limit, delta].map((x) => constant(dtype as Dtype, [], [x as number])),
      outputs: [tensor(dtype as Dtype, (result as number[]).length)],
    },
    inputs: [],
    outputs: [result as number[]],
  })),
  BROADCAST_ARGS: [
    {
      what: 'shapes of other ranks',
      spec: { type: 'BROADCAST_ARGS', inputs: [ints(2, 1, 3), ints(4, 1)], outputs: [s32(3)] },
      inputs: [],
      outputs: [[2, 4, 3]],
    },
  ],
}
