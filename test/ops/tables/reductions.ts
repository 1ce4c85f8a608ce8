// Operators that look at rows or at whole dimensions: reductions, running sums, order, normalisation.

import type { Dtype } from '#lib/tensor/dtype.js'
import {
  arrayFor,
  at,
  type Case,
  codes,
  constant,
  elements,
  FEW_ULPS,
  f32,
  indicesOf,
  ints,
  realCase,
  s32,
  spread,
  type Table,
  tensor,
} from './table.js'

const SHAPE = [3, 4, 5] as const
const CODES: readonly Dtype[] = ['int8', 'uint8', 'int16']
const quantized = (dtype: Dtype, shape: readonly number[], scale = 1 / 32) =>
  codes(
    dtype,
    shape,
    dtype === 'int16' ? scale / 128 : scale,
    dtype === 'uint8' ? 120 : dtype === 'int8' ? -7 : 0,
  )

/** Groups of elements that share an output, in the order of the outputs. */
function groups(values: readonly number[], axes: readonly number[]): number[][] {
  const kept = SHAPE.filter((_, d) => !axes.includes(d))
  return indicesOf(kept).map((index) =>
    indicesOf(SHAPE)
      .filter((inner) => inner.filter((_, d) => !axes.includes(d)).every((x, d) => x === index[d]))
      .map((inner) => at(SHAPE, values, inner)),
  )
}

function reduced(
  type: string,
  f: (values: readonly number[]) => number,
  dtypes: readonly Dtype[],
  [low, high]: readonly [number, number] = [-2, 2],
  outScale = 1 / 32,
): Case[] {
  return dtypes.flatMap((dtype) =>
    [[1], [0, 2], [0, 1, 2], [-1]].flatMap((axes) =>
      [false, true].map((keepDims) => {
        const found = axes.map((axis) => (axis + 3) % 3)
        const shape = keepDims
          ? SHAPE.map((extent, d) => (found.includes(d) ? 1 : extent))
          : SHAPE.filter((_, d) => !found.includes(d))
        const isCode = CODES.includes(dtype)
        const isWhole = dtype === 'int32' || dtype === 'int64' || dtype === 'bool'
        return realCase(
          `${dtype} along ${axes}${keepDims ? ', kept' : ''}`,
          {
            type,
            inputs: [isCode ? quantized(dtype, SHAPE) : tensor(dtype, ...SHAPE), ints(...axes)],
            outputs: [isCode ? quantized(dtype, shape, outScale) : tensor(dtype, ...shape)],
            options: { keepDims },
          },
          [spread(60, low, high).map((x) => (isWhole ? Math.round(x) : x))],
          (x = []) => [groups(x, found).map(f)],
          isCode ? 1 : dtype === 'float32' ? 60 * FEW_ULPS : 0,
        )
      }),
    ),
  )
}

const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
const product = (values: readonly number[]) => values.reduce((a, b) => a * b, 1)
const ORDERED: readonly Dtype[] = ['float32', 'int8', 'uint8', 'int16', 'int32', 'int64']

const args = (type: string, better: (a: number, b: number) => boolean): Case[] =>
  [...ORDERED, 'bool' as const].flatMap((dtype) =>
    (['int32', 'int64'] as const).flatMap((index) =>
      [0, 1, -1].map((axis) => {
        const along = (axis + 3) % 3
        const values = spread(60, 0, dtype === 'bool' ? 1 : 9).map(Math.round)
        return {
          what: `${dtype} along ${axis} as ${index}`,
          spec: {
            type,
            inputs: [tensor(dtype, ...SHAPE), constant('int32', [], [axis])],
            outputs: [tensor(index, ...SHAPE.filter((_, d) => d !== along))],
            options: { outputType: index === 'int32' ? 2 : 4 },
          },
          inputs: [arrayFor(dtype, values)],
          // The first of equals.
          outputs: [
            groups(values, [along]).map((group) =>
              group.reduce((best, x, i) => (better(x, group[best] as number) ? i : best), 0),
            ),
          ],
        }
      }),
    ),
  )

const topk: readonly Case[] = ORDERED.map((dtype) => {
  const values = spread(24, 0, 9).map(Math.round)
  const rows = [0, 1, 2, 3].map((row) =>
    values
      .slice(6 * row, 6 * row + 6)
      .map((x, i) => ({ x, i }))
      .sort((a, b) => b.x - a.x || a.i - b.i)
      .slice(0, 4),
  )
  return {
    what: dtype,
    spec: {
      type: 'TOPK_V2',
      inputs: [tensor(dtype, 2, 2, 6), constant('int32', [], [4])],
      outputs: [tensor(dtype, 2, 2, 4), s32(2, 2, 4)],
    },
    inputs: [arrayFor(dtype, values)],
    outputs: [rows.flatMap((row) => row.map(({ x }) => x)), rows.flatMap((row) => row.map(({ i }) => i))],
  }
})

const cumsum: readonly Case[] = (['float32', 'int32', 'int64'] as const).flatMap((dtype) =>
  [0, 1, -1].flatMap((axis) =>
    [false, true].flatMap((exclusive) =>
      [false, true].map((reverse) => {
        const along = (axis + 3) % 3
        const values = spread(60, -9, 9).map(Math.round)
        const before = (a: number, b: number) => (reverse ? a > b : a < b) || (a === b && !exclusive)
        return {
          what: `${dtype} along ${axis}${exclusive ? ', exclusive' : ''}${reverse ? ', from the end' : ''}`,
          spec: {
            type: 'CUMSUM',
            inputs: [tensor(dtype, ...SHAPE), constant('int32', [], [axis])],
            outputs: [tensor(dtype, ...SHAPE)],
            options: { exclusive, reverse },
          },
          inputs: [arrayFor(dtype, values)],
          outputs: [
            indicesOf(SHAPE).map((index) =>
              total(
                Array.from({ length: SHAPE[along] as number }, (_, i) => i)
                  .filter((i) => before(i, index[along] as number))
                  .map((i) => at(SHAPE, values, index.toSpliced(along, 1, i))),
              ),
            ),
          ],
        }
      }),
    ),
  ),
)

/** A function of each row of the last dimension. */
function rowwise(
  type: string,
  f: (row: readonly number[]) => readonly number[],
  outputs: Partial<Record<Dtype, readonly [scale: number, zeroPoint: number]>>,
  options?: Readonly<Record<string, number>>,
): Case[] {
  return (['float32', ...(Object.keys(outputs) as Dtype[])] as const).flatMap((dtype) =>
    [[7], [3, 5], [2, 2, 1, 6]].map((shape) => {
      const width = shape.at(-1) as number
      const lead = shape.length === 1 ? [1, width] : shape
      const out = outputs[dtype]
      return realCase(
        `${dtype} [${lead}]`,
        {
          type,
          inputs: [out ? quantized(dtype, lead) : tensor(dtype, ...lead)],
          outputs: [out ? codes(dtype, lead, ...out) : tensor(dtype, ...lead)],
          ...(options && { options }),
        },
        [spread(elements(lead), -2, 2)],
        (x = []) => [
          Array.from({ length: x.length / width }, (_, row) =>
            f(x.slice(row * width, (row + 1) * width)),
          ).flat(),
        ],
        dtype === 'float32' ? 8 * FEW_ULPS : dtype === 'int16' ? 8 : 1,
      )
    }),
  )
}
const softmax = (beta: number) => (row: readonly number[]) => {
  const powers = row.map((x) => Math.exp(beta * x))
  return powers.map((x) => x / total(powers))
}

const added: readonly Case[] = (['float32', 'int32'] as const).map((dtype) => ({
  what: `three of ${dtype}`,
  spec: {
    type: 'ADD_N',
    inputs: [1, 2, 3].map(() => tensor(dtype, 2, 2)),
    outputs: [tensor(dtype, 2, 2)],
  },
  inputs: [1, 10, -100].map((x) => arrayFor(dtype, [x, 2 * x, 3 * x, 0])),
  outputs: [[-89, -178, -267, 0]],
}))

function segments(type: string, dtypes: readonly Dtype[], expected: readonly number[]): Case[] {
  return dtypes.map((dtype) => ({
    what: dtype,
    spec: {
      type,
      inputs: [
        tensor(dtype, 4, 2),
        type === 'SEGMENT_SUM' ? ints(0, 0, 2, 2) : constant('int32', [4], [2, 0, -1, 2]),
        ...(type === 'SEGMENT_SUM' ? [] : [constant('int32', [], [3])]),
      ],
      outputs: [tensor(dtype, 3, 2)],
    },
    inputs: [arrayFor(dtype, [1, 2, 3, 4, 5, 6, 7, 8])],
    outputs: [expected],
  }))
}
const BOTH: readonly Dtype[] = ['float32', 'int32']
const LEAST = -(2 ** 31)

export const REDUCTIONS: Table = {
  MEAN: reduced('MEAN', (x) => total(x) / x.length, ['float32', ...CODES]),
  SUM: reduced('SUM', total, ORDERED, [-2, 2], 1 / 8),
  REDUCE_MAX: reduced('REDUCE_MAX', (x) => Math.max(...x), ORDERED),
  REDUCE_MIN: reduced('REDUCE_MIN', (x) => Math.min(...x), ORDERED),
  REDUCE_PROD: reduced('REDUCE_PROD', product, ['float32', 'int32', 'int64'], [0.9, 1.1]),
  REDUCE_ANY: reduced('REDUCE_ANY', (x) => Math.max(...x), ['bool'], [0, 0.52]),
  REDUCE_ALL: reduced('REDUCE_ALL', (x) => Math.min(...x), ['bool'], [0.48, 1]),
  ARG_MAX: args('ARG_MAX', (a, b) => a > b),
  ARG_MIN: args('ARG_MIN', (a, b) => a < b),
  TOPK_V2: topk,
  CUMSUM: cumsum,
  SOFTMAX: [
    ...rowwise(
      'SOFTMAX',
      softmax(1),
      { int8: [1 / 256, -128], uint8: [1 / 256, 0], int16: [1 / 32768, 0] },
      { beta: 1 },
    ),
    ...rowwise('SOFTMAX', softmax(0.5), { int8: [1 / 256, -128] }, { beta: 0.5 }),
  ],
  LOG_SOFTMAX: rowwise('LOG_SOFTMAX', (row) => softmax(1)(row).map(Math.log), {
    int8: [16 / 256, 127],
    uint8: [16 / 256, 255],
  }),
  L2_NORMALIZATION: rowwise(
    'L2_NORMALIZATION',
    (row) => row.map((x) => x / Math.sqrt(total(row.map((y) => y * y)))),
    { int8: [1 / 128, 0], uint8: [1 / 128, 128] },
    { fusedActivationFunction: 0 },
  ),
  ADD_N: added,
  SEGMENT_SUM: segments('SEGMENT_SUM', BOTH, [4, 6, 0, 0, 12, 14]),
  UNSORTED_SEGMENT_SUM: segments('UNSORTED_SEGMENT_SUM', BOTH, [3, 4, 0, 0, 8, 10]),
  UNSORTED_SEGMENT_PROD: segments('UNSORTED_SEGMENT_PROD', BOTH, [3, 4, 1, 1, 7, 16]),
  UNSORTED_SEGMENT_MAX: [
    ...segments(
      'UNSORTED_SEGMENT_MAX',
      ['float32'],
      [3, 4, -3.4028234663852886e38, -3.4028234663852886e38, 7, 8],
    ),
    ...segments('UNSORTED_SEGMENT_MAX', ['int32'], [3, 4, LEAST, LEAST, 7, 8]),
  ],
  UNSORTED_SEGMENT_MIN: [
    ...segments(
      'UNSORTED_SEGMENT_MIN',
      ['float32'],
      [3, 4, 3.4028234663852886e38, 3.4028234663852886e38, 1, 2],
    ),
    ...segments('UNSORTED_SEGMENT_MIN', ['int32'], [3, 4, -LEAST - 1, -LEAST - 1, 1, 2]),
  ],
  LOCAL_RESPONSE_NORMALIZATION: [
    realCase(
      'over neighbours',
      {
        type: 'LOCAL_RESPONSE_NORMALIZATION',
        inputs: [f32(2, 1, 2, 6)],
        outputs: [f32(2, 1, 2, 6)],
        options: { radius: 2, bias: 1.5, alpha: 0.25, beta: 0.75 },
      },
      [spread(24, -3, 3)],
      (x = []) => [
        x.map((value, i) => {
          const row = Math.floor(i / 6) * 6
          const near = x.filter((_, j) => j >= Math.max(row, i - 2) && j < Math.min(row + 6, i + 3))
          return value * (1.5 + 0.25 * total(near.map((y) => y * y))) ** -0.75
        }),
      ],
      8 * FEW_ULPS,
    ),
  ],
}
