// Operators that put elements elsewhere: the outputs are said by an index of the input for each element.

import type { Dtype } from '#lib/tensor/dtype.js'
import type { OneOperatorSpec, TensorSpec } from '../../helpers/model-builder.js'
import {
  arrayFor,
  at,
  type Case,
  constant,
  elements,
  f32,
  indicesOf,
  ints,
  s32,
  type Table,
  tensor,
} from './table.js'

/** Types whose elements every copying operator moves, one of each size first. */
export const MOVED: readonly Dtype[] = [
  'int8',
  'int16',
  'float32',
  'int64',
  'uint8',
  'bool',
  'float16',
  'uint16',
  'bfloat16',
  'int32',
  'uint32',
  'float64',
]

const numbered = (dtype: Dtype, count: number) =>
  Array.from({ length: count }, (_, i) => (dtype === 'bool' ? Number(i % 3 === 0) : (i * 37 + 5) % 120))

interface Move {
  readonly what?: string
  readonly shape: readonly number[]
  readonly to: readonly number[]
  /** Operands behind the data. */
  readonly operands?: readonly TensorSpec[]
  readonly options?: OneOperatorSpec['options']
  /** Where the element at an index of the output comes from; a number is the element itself. */
  readonly from: (index: readonly number[]) => readonly number[] | number
  readonly dtypes?: readonly Dtype[]
}

/** A case for each dtype; the second and later moves of an operator need no more than two types. */
export function moves(type: string, ...all: readonly Move[]): Case[] {
  return all.flatMap(({ what, shape, to, operands = [], options, from, dtypes }, place) =>
    (dtypes ?? (place === 0 ? MOVED : MOVED.slice(0, 2))).map((dtype) => {
      const values = numbered(dtype, elements(shape))
      const outputs = indicesOf(to).map((index) => {
        const source = from(index)
        return typeof source === 'number' ? source : at(shape, values, source)
      })
      return {
        what: `${dtype} [${shape}] to [${to}]${what ? `, ${what}` : ''}`,
        spec: {
          type,
          inputs: [tensor(dtype, ...shape), ...operands],
          outputs: [tensor(dtype, ...to)],
          ...(options && { options }),
        },
        inputs: [arrayFor(dtype, values)],
        outputs: [outputs],
      }
    }),
  )
}

/** Of several inputs or outputs, all of float32 or int8: the parts in order, each with its shape. */
function parts(
  type: string,
  ins: readonly (readonly number[])[],
  outs: readonly (readonly number[])[],
  options: OneOperatorSpec['options'],
  from: (output: number, index: readonly number[]) => readonly [input: number, index: readonly number[]],
  operands: (data: readonly TensorSpec[]) => readonly TensorSpec[] = (data) => data,
): Case[] {
  return MOVED.map((dtype) => {
    const values = ins.map((shape, i) =>
      numbered(dtype, elements(shape)).map((x) => (dtype === 'bool' ? x : x - i)),
    )
    return {
      what: `${dtype} ${ins.map((shape) => `[${shape}]`).join(' ')}`,
      spec: {
        type,
        inputs: operands(ins.map((shape) => tensor(dtype, ...shape))),
        outputs: outs.map((shape) => tensor(dtype, ...shape)),
        ...(options && { options }),
      },
      inputs: values.map((one) => arrayFor(dtype, one)),
      outputs: outs.map((shape, output) =>
        indicesOf(shape).map((index) => {
          const [input, source] = from(output, index)
          return at(ins[input] as number[], values[input] as number[], source)
        }),
      ),
    }
  })
}

const flat = (shape: readonly number[], index: readonly number[]) =>
  shape.reduce((sum, extent, i) => sum * extent + (index[i] as number), 0)
const unflat = (shape: readonly number[], place: number) => indicesOf(shape)[place] as number[]
const again = (shape: readonly number[], to: readonly number[]) => (index: readonly number[]) =>
  unflat(shape, flat(to, index))
/** Inside of the padding the element, outside of it `other`. */
const padded =
  (before: readonly number[], shape: readonly number[], other: number) => (index: readonly number[]) => {
    const source = index.map((i, d) => i - (before[d] as number))
    return source.every((i, d) => i >= 0 && i < (shape[d] as number)) ? source : other
  }
const mirrored = (i: number, extent: number, edge: 0 | 1) => {
  if (i < 0) return -i - 1 + (1 - edge)
  return i >= extent ? 2 * extent - 1 - i - (1 - edge) : i
}
const T = [3, 4, 2] as const

export const MOVEMENT: Table = {
  RESHAPE: moves(
    'RESHAPE',
    { shape: [2, 6], to: [3, 4], operands: [ints(3, -1)], from: again([2, 6], [3, 4]) },
    { shape: [1], to: [], operands: [constant('int32', [0], [])], from: () => [0] },
  ),
  SQUEEZE: moves('SQUEEZE', {
    shape: [1, 3, 1, 2],
    to: [3, 2],
    options: { squeezeDims: [0, 2] },
    from: again([1, 3, 1, 2], [3, 2]),
  }),
  EXPAND_DIMS: moves('EXPAND_DIMS', {
    shape: [3, 2],
    to: [3, 1, 2],
    operands: [constant('int32', [], [-2])],
    from: again([3, 2], [3, 1, 2]),
  }),
  BITCAST: [
    {
      what: 'float32 as int32',
      spec: { type: 'BITCAST', inputs: [f32(2)], outputs: [s32(2)] },
      inputs: [Float32Array.of(1, -2)],
      outputs: [[0x3f800000, 0xc0000000 - 2 ** 32]],
    },
    {
      what: 'int16 pairs as int32',
      spec: { type: 'BITCAST', inputs: [tensor('int16', 2, 2)], outputs: [s32(2)] },
      inputs: [Int16Array.of(1, 2, -1, -1)],
      outputs: [[0x20001, -1]],
    },
    {
      what: 'int32 as bytes',
      spec: { type: 'BITCAST', inputs: [s32(1)], outputs: [tensor('uint8', 1, 4)] },
      inputs: [Int32Array.of(0x04030201)],
      outputs: [[1, 2, 3, 4]],
    },
  ],
  TRANSPOSE: moves(
    'TRANSPOSE',
    { shape: T, to: [2, 3, 4], operands: [ints(2, 0, 1)], from: ([a, b, c]) => [b, c, a] as number[] },
    { shape: [5, 7], to: [7, 5], operands: [ints(1, 0)], from: ([a, b]) => [b, a] as number[] },
  ),
  SLICE: moves(
    'SLICE',
    {
      shape: T,
      to: [2, 3, 1],
      operands: [ints(1, 0, 1), ints(2, 3, -1)],
      from: ([a, b, c]) => [(a ?? 0) + 1, b, (c ?? 0) + 1] as number[],
    },
    { shape: [7], to: [0], operands: [ints(7), ints(0)], from: () => [0] },
  ),
  STRIDED_SLICE: moves(
    'STRIDED_SLICE',
    {
      shape: [5, 4],
      to: [2, 4],
      operands: [ints(4, 0), ints(0, 4), ints(-2, 1)],
      options: { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 },
      from: ([a, b]) => [4 - 2 * (a ?? 0), b] as number[],
    },
    {
      what: 'masks',
      shape: [5, 4],
      to: [2],
      operands: [ints(3, 0), ints(0, 0), ints(1, 2)],
      options: { beginMask: 2, endMask: 2, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 1 },
      from: ([b]) => [3, 2 * (b ?? 0)],
    },
  ),
  PAD: moves(
    'PAD',
    {
      shape: [2, 3],
      to: [5, 4],
      operands: [constant('int32', [2, 2], [1, 2, 0, 1])],
      from: padded([1, 0], [2, 3], 0),
      dtypes: MOVED.filter((t) => !['bool'].includes(t)),
    },
    {
      shape: [1, 2, 2, 1],
      to: [1, 4, 3, 1],
      operands: [constant('int32', [4, 2], [0, 0, 1, 1, 1, 0, 0, 0])],
      from: padded([0, 1, 1, 0], [1, 2, 2, 1], 0),
    },
  ),
  PADV2: (['float32', 'int32', 'int64'] as const).flatMap((dtype) =>
    moves('PADV2', {
      shape: [2, 3],
      to: [3, 5],
      operands: [constant('int32', [2, 2], [1, 0, 1, 1]), constant(dtype, [1], [9])],
      from: padded([1, 1], [2, 3], 9),
      dtypes: [dtype],
    }),
  ),
  MIRROR_PAD: ([0, 1] as const).flatMap((mode) =>
    moves('MIRROR_PAD', {
      what: mode === 0 ? 'without the edge' : 'with the edge',
      shape: [3, 4],
      to: [6, 7],
      operands: [constant('int32', [2, 2], [2, 1, 1, 2])],
      options: { mode },
      from: ([a, b]) => [mirrored((a ?? 0) - 2, 3, mode), mirrored((b ?? 0) - 1, 4, mode)],
    }),
  ),
  TILE: moves('TILE', {
    shape: [2, 3],
    to: [4, 9],
    operands: [ints(2, 3)],
    from: ([a, b]) => [(a ?? 0) % 2, (b ?? 0) % 3],
  }),
  BROADCAST_TO: moves('BROADCAST_TO', {
    shape: [3, 1],
    to: [2, 3, 4],
    operands: [ints(2, 3, 4)],
    from: ([, b]) => [b ?? 0, 0],
  }),
  REVERSE_V2: moves('REVERSE_V2', {
    shape: T,
    to: T,
    operands: [ints(1)],
    from: ([a, b, c]) => [a, 3 - (b ?? 0), c] as number[],
  }),
  REVERSE_SEQUENCE: moves('REVERSE_SEQUENCE', {
    shape: [3, 4, 2],
    to: [3, 4, 2],
    operands: [ints(2, 4, 1)],
    options: { seqDim: 1, batchDim: 0 },
    from: ([a = 0, b = 0, c]) => {
      const length = [2, 4, 1][a] as number
      return [a, b < length ? length - 1 - b : b, c] as number[]
    },
  }),
  SPACE_TO_DEPTH: moves('SPACE_TO_DEPTH', {
    shape: [1, 4, 6, 3],
    to: [1, 2, 3, 12],
    options: { blockSize: 2 },
    from: ([n, h = 0, w = 0, c = 0]) =>
      [n, 2 * h + Math.floor(c / 6), 2 * w + (Math.floor(c / 3) % 2), c % 3] as number[],
  }),
  DEPTH_TO_SPACE: moves('DEPTH_TO_SPACE', {
    shape: [1, 2, 3, 12],
    to: [1, 4, 6, 3],
    options: { blockSize: 2 },
    from: ([n, h = 0, w = 0, c = 0]) => [n, h >> 1, w >> 1, (h % 2) * 6 + (w % 2) * 3 + c] as number[],
  }),
  SPACE_TO_BATCH_ND: moves('SPACE_TO_BATCH_ND', {
    shape: [2, 3, 4, 1],
    to: [8, 2, 2, 1],
    operands: [ints(2, 2), constant('int32', [2, 2], [1, 0, 0, 0])],
    from: ([n = 0, h = 0, w = 0, c = 0]) => {
      const block = n >> 1
      const row = 2 * h + (block >> 1) - 1
      return row < 0 ? 0 : [n % 2, row, 2 * w + (block % 2), c]
    },
    dtypes: MOVED.filter((t) => t !== 'bool'),
  }),
  BATCH_TO_SPACE_ND: moves('BATCH_TO_SPACE_ND', {
    shape: [8, 2, 2, 1],
    to: [2, 3, 4, 1],
    operands: [ints(2, 2), constant('int32', [2, 2], [1, 0, 0, 0])],
    from: ([n = 0, h = 0, w = 0, c = 0]) => {
      const row = h + 1
      return [n + 2 * (2 * (row % 2) + (w % 2)), row >> 1, w >> 1, c]
    },
  }),
  CONCATENATION: parts(
    'CONCATENATION',
    [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    [[2, 6]],
    { axis: -1, fusedActivationFunction: 0 },
    (_, [a = 0, b = 0]) => (b < 3 ? [0, [a, b]] : b < 4 ? [1, [a, 0]] : [2, [a, b - 4]]),
  ),
  PACK: parts(
    'PACK',
    [
      [2, 3],
      [2, 3],
    ],
    [[2, 2, 3]],
    { axis: 1, valuesCount: 2 },
    (_, [a = 0, b = 0, c = 0]) => [b, [a, c]],
  ),
  UNPACK: parts('UNPACK', [[2, 3]], [[2], [2], [2]], { axis: 1, num: 3 }, (output, [a = 0]) => [
    0,
    [a, output],
  ]),
  SPLIT: parts(
    'SPLIT',
    [[2, 6]],
    [
      [2, 2],
      [2, 2],
      [2, 2],
    ],
    { numSplits: 3 },
    (output, [a = 0, b = 0]) => [0, [a, 2 * output + b]],
    (data) => [constant('int32', [], [1]), ...data],
  ),
  SPLIT_V: parts(
    'SPLIT_V',
    [[5, 2]],
    [
      [1, 2],
      [4, 2],
    ],
    { numSplits: 2 },
    (output, [a = 0, b = 0]) => [0, [a + output, b]],
    (data) => [...data, ints(1, -1), constant('int32', [], [0])],
  ),
}
