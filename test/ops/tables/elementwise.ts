// Operators that work element by element, with one operand, two or three.

import type { Dtype } from '#lib/tensor/dtype.js'
import type { OneOperatorSpec, TensorSpec } from '../../helpers/model-builder.js'
import {
  broadcastAt,
  type Case,
  codes,
  elements,
  FEW_ULPS,
  indicesOf,
  realCase,
  spread,
  type Table,
  tensor,
} from './table.js'

type Options = OneOperatorSpec['options']

/** A tensor whose codes cover an interval of real numbers. */
function covering(dtype: Dtype, shape: readonly number[], low: number, high: number): TensorSpec {
  if (dtype === 'int16') return codes(dtype, shape, Math.fround(Math.max(-low, high) / 32767))
  const scale = Math.fround((high - low) / 255)
  const lowest = dtype === 'int8' ? -128 : 0
  return codes(
    dtype,
    shape,
    scale,
    Math.min(lowest + 255, Math.max(lowest, Math.round(lowest - low / scale))),
  )
}

interface Unary {
  readonly f: (x: number) => number
  /** Where x is taken from, and where results lie. */
  readonly from: readonly [number, number]
  readonly to?: readonly [number, number]
  readonly dtypes?: readonly Dtype[]
  readonly whole?: readonly Dtype[]
  readonly options?: Options
  /** How many codes of int16 results may be off: the reference looks them up in a table of 513 entries. */
  readonly wide?: number
  /** The scale that the schema demands of quantised outputs. */
  readonly fixed?: Partial<Record<Dtype, readonly [scale: number, zeroPoint: number]>>
}

const SHAPES: readonly (readonly number[])[] = [[], [1], [37], [3, 1, 5], [2, 3, 2, 3]]

function unaryCases(
  type: string,
  { f, from, to, dtypes = [], whole = [], options, fixed, wide = 2 }: Unary,
): Case[] {
  const [low, high] = from
  const optioned = options ? { options } : {}
  const one = (dtype: Dtype, shape: readonly number[]) => {
    const isReal = dtype === 'float32' || whole.includes(dtype)
    const input = isReal ? tensor(dtype, ...shape) : covering(dtype, shape, low, high)
    const [scale, zero] = fixed?.[dtype] ?? []
    const output = isReal
      ? tensor(dtype, ...shape)
      : scale !== undefined
        ? codes(dtype, shape, scale, zero)
        : covering(dtype, shape, ...(to ?? from))
    const values = spread(elements(shape), low, high)
    return realCase(
      `${dtype} [${shape}]`,
      { type, inputs: [input], outputs: [output], ...optioned },
      [whole.includes(dtype) ? values.map(Math.round) : values],
      (x = []) => [x.map(f)],
      dtype === 'float32' ? FEW_ULPS : isReal ? 0 : dtype === 'int16' ? wide : 1,
    )
  }
  return [
    ...(whole.includes('bool') ? [] : SHAPES.map((shape) => one('float32', shape))),
    ...[...dtypes, ...whole].flatMap((dtype) => [one(dtype, [41]), one(dtype, [2, 3, 5])]),
  ]
}

const BYTES: readonly Dtype[] = ['int8', 'uint8']
const CODES: readonly Dtype[] = ['int8', 'uint8', 'int16']
const clamp = (low: number, high: number) => (x: number) => Math.min(high, Math.max(low, x))
const logistic = (x: number) => 1 / (1 + Math.exp(-x))
/** The normal distribution function by its series, good to 1e-12 for |x| < 5. */
function normal(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; n < 200; n++) {
    term *= (x * x) / (2 * n + 1)
    sum += term
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}
const roundToEven = (x: number) => {
  const below = Math.floor(x)
  return x - below < 0.5 || (x - below === 0.5 && below % 2 === 0) ? below : below + 1
}

const UNARY: Readonly<Record<string, Unary>> = {
  ABS: { f: Math.abs, from: [-4, 4], dtypes: ['int8', 'int16'], whole: ['int32', 'int64'] },
  CEIL: { f: Math.ceil, from: [-4.3, 4.6] },
  COS: { f: Math.cos, from: [-7, 7] },
  ELU: { f: (x) => (x < 0 ? Math.expm1(x) : x), from: [-3, 3], dtypes: ['int8'] },
  EXP: { f: Math.exp, from: [-2, 1.5], to: [0, 5], dtypes: ['int8', 'int16'] },
  FLOOR: { f: Math.floor, from: [-4.3, 4.6] },
  GELU: {
    f: (x) => x * normal(x),
    from: [-3, 3],
    dtypes: ['int8', 'uint8'],
    options: { approximate: false },
  },
  HARD_SWISH: { f: (x) => (x * clamp(0, 6)(x + 3)) / 6, from: [-4, 4], dtypes: BYTES },
  LEAKY_RELU: { f: (x) => (x < 0 ? x / 4 : x), from: [-4, 4], dtypes: CODES, options: { alpha: 0.25 } },
  LOG: { f: Math.log, from: [0.1, 5], to: [-2.5, 2], dtypes: ['int16'], wide: 40 },
  LOGICAL_NOT: { f: (x) => 1 - x, from: [0, 1], whole: ['bool'] },
  LOGISTIC: {
    f: logistic,
    from: [-5, 5],
    dtypes: CODES,
    fixed: { int8: [1 / 256, -128], uint8: [1 / 256, 0], int16: [1 / 32768, 0] },
  },
  NEG: { f: (x) => -x, from: [-4, 4], dtypes: ['int8', 'int16'], whole: ['int32', 'int64'] },
  RELU: { f: clamp(0, Number.POSITIVE_INFINITY), from: [-4, 4], dtypes: CODES },
  RELU6: { f: clamp(0, 6), from: [-8, 8], dtypes: CODES },
  RELU_0_TO_1: { f: clamp(0, 1), from: [-2, 2], dtypes: BYTES },
  RELU_N1_TO_1: { f: clamp(-1, 1), from: [-2, 2], dtypes: BYTES },
  ROUND: { f: roundToEven, from: [-4.5, 4.5] },
  RSQRT: { f: (x) => 1 / Math.sqrt(x), from: [0.25, 9], to: [0, 2], dtypes: ['int16'], wide: 300 },
  SIGN: { f: Math.sign, from: [-3, 3], whole: ['int32'] },
  SIN: { f: Math.sin, from: [-7, 7] },
  SQRT: { f: Math.sqrt, from: [0, 9], to: [0, 3], dtypes: ['int8', 'int16'] },
  SQUARE: { f: (x) => x * x, from: [-3, 3] },
  TANH: {
    f: Math.tanh,
    from: [-3, 3],
    dtypes: CODES,
    fixed: { int8: [1 / 128, 0], uint8: [1 / 128, 128], int16: [1 / 32768, 0] },
  },
}

interface Binary {
  readonly f: (a: number, b: number) => number
  readonly a: readonly [number, number]
  readonly b: readonly [number, number]
  readonly to?: readonly [number, number]
  readonly dtypes?: readonly Dtype[]
  readonly whole?: readonly Dtype[]
  readonly noReals?: true
  /** The type of the output where it is another. */
  readonly output?: Dtype
  /** Two operands of codes must have one scale. */
  readonly oneScale?: true
  readonly options?: Options
}

/** Shapes of a and b. */
const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [2, 3, 4],
    [2, 3, 4],
  ],
  [[2, 3, 4], []],
  [[1], [19]],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [
    [4, 1, 3, 1],
    [1, 2, 1, 5],
  ],
]

function binaryCases(type: string, spec: Binary): Case[] {
  const { f, dtypes = [], whole = [] } = spec
  const one = (dtype: Dtype, [a, b]: (typeof PAIRS)[number]) => {
    const rank = Math.max(a.length, b.length)
    const extent = (shape: readonly number[], i: number) => shape[i - rank + shape.length] ?? 1
    const shape = Array.from({ length: rank }, (_, i) => Math.max(extent(a, i), extent(b, i)))
    const isWhole = whole.includes(dtype)
    const isReal = dtype === 'float32' || isWhole
    const operand = (own: readonly number[], from: readonly [number, number]) =>
      isReal ? tensor(dtype, ...own) : covering(dtype, own, ...(spec.oneScale ? spec.a : from))
    const output =
      spec.output !== undefined
        ? tensor(spec.output, ...shape)
        : isReal
          ? tensor(dtype, ...shape)
          : covering(dtype, shape, ...(spec.to ?? spec.a))
    const values = (own: readonly number[], from: readonly [number, number]) =>
      spread(elements(own), ...from).map((x) => (isWhole ? Math.round(x) : x))
    return realCase(
      `${dtype} [${a}] with [${b}]`,
      {
        type,
        inputs: [operand(a, spec.a), operand(b, spec.b)],
        outputs: [output],
        ...(spec.options && { options: spec.options }),
      },
      [values(a, spec.a), values(b, spec.b)],
      (x = [], y = []) => [
        indicesOf(shape).map((index) => f(broadcastAt(a, x, index), broadcastAt(b, y, index))),
      ],
      spec.output !== undefined || isWhole ? 0 : dtype === 'float32' ? FEW_ULPS : 1,
    )
  }
  return [...(spec.noReals ? [] : (['float32'] as const)), ...dtypes, ...whole].flatMap((dtype) =>
    PAIRS.map((pair) => one(dtype, pair)),
  )
}

const ARITHMETIC = {
  a: [-4, 4],
  b: [-3, 3],
  to: [-7, 7],
  dtypes: CODES,
  whole: ['int32', 'int64'],
} as const satisfies Partial<Binary>
const compared = (f: (a: number, b: number) => boolean, ordered = true): Binary => ({
  f: (a, b) => Number(f(a, b)),
  a: [-3, 3],
  b: [-2, 2],
  oneScale: true,
  dtypes: CODES.slice(0, ordered ? 3 : 2),
  whole: ['int32', 'int64'],
  output: 'bool',
})
const logical = (f: (a: number, b: number) => number): Binary => ({
  f,
  a: [0, 1],
  b: [0, 1],
  whole: ['bool'],
  noReals: true,
})
const modulo = (a: number, b: number) => a - Math.floor(a / b) * b

const BINARY: Readonly<Record<string, Binary>> = {
  ADD: { ...ARITHMETIC, f: (a, b) => a + b },
  SUB: { ...ARITHMETIC, f: (a, b) => a - b },
  MUL: { ...ARITHMETIC, f: (a, b) => a * b, to: [-12, 12] },
  DIV: { f: (a, b) => a / b, a: [-4, 4], b: [1, 3] },
  MAXIMUM: { ...ARITHMETIC, f: Math.max, oneScale: true, to: [-4, 4] },
  MINIMUM: { ...ARITHMETIC, f: Math.min, oneScale: true, to: [-4, 4] },
  SQUARED_DIFFERENCE: {
    f: (a, b) => (a - b) ** 2,
    a: [-4, 4],
    b: [-3, 3],
    to: [0, 49],
    dtypes: ['int8'],
    whole: ['int32'],
  },
  POW: { f: (a, b) => a ** b, a: [0.5, 3], b: [-2, 3] },
  ATAN2: { f: Math.atan2, a: [-4, 4], b: [-3, 3] },
  FLOOR_DIV: { f: (a, b) => Math.floor(a / b), a: [-9, 9], b: [1, 4], whole: ['int32', 'int16', 'int8'] },
  FLOOR_MOD: { f: modulo, a: [-9, 9], b: [1, 4], whole: ['int32', 'int64', 'int16', 'int8'], noReals: true },
  BITWISE_XOR: {
    f: (a, b) => a ^ b,
    a: [-120, 120],
    b: [-99, 99],
    whole: ['int8', 'int16', 'int32'],
    noReals: true,
  },
  RIGHT_SHIFT: {
    f: (a, b) => a >> b,
    a: [-120, 120],
    b: [0, 6],
    whole: ['int8', 'int16', 'int32'],
    noReals: true,
  },
  EQUAL: { ...compared((a, b) => a === b, false) },
  NOT_EQUAL: { ...compared((a, b) => a !== b, false) },
  LESS: compared((a, b) => a < b),
  LESS_EQUAL: compared((a, b) => a <= b),
  GREATER: compared((a, b) => a > b),
  GREATER_EQUAL: compared((a, b) => a >= b),
  LOGICAL_AND: logical((a, b) => a & b),
  LOGICAL_OR: logical((a, b) => a | b),
}

const spread01 = (count: number) => spread(count, 0, 1).map(Math.round)
const PRELU: readonly Case[] = (['float32', 'int8', 'uint8'] as const).flatMap((dtype) =>
  [[4], [1, 1, 4], [3, 4]].map((slopes) => {
    const shape = [2, 3, 4]
    const isReal = dtype === 'float32'
    const [x, alpha, y] = [
      isReal ? tensor(dtype, ...shape) : covering(dtype, shape, -4, 4),
      isReal ? tensor(dtype, ...slopes) : covering(dtype, slopes, -1, 1),
      isReal ? tensor(dtype, ...shape) : covering(dtype, shape, -4, 4),
    ]
    const held = {
      ...alpha,
      data: isReal ? spread(elements(slopes), -0.9, 0.9) : spread(elements(slopes), 10, 100).map(Math.round),
    }
    const scale = isReal ? 1 : (alpha.scale as number)
    const zero = isReal ? 0 : (alpha.zeroPoint as number)
    const real = held.data.map((a) => (isReal ? Math.fround(a) : scale * (a - zero)))
    return realCase(
      `${dtype} with slopes [${slopes}]`,
      { type: 'PRELU', inputs: [x, held], outputs: [y] },
      [spread(24, -4, 4)],
      (values = []) => [
        indicesOf(shape).map((index, i) => {
          const value = values[i] as number
          return value >= 0 ? value : value * broadcastAt(slopes, real, index)
        }),
      ],
      isReal ? FEW_ULPS : 1,
    )
  }),
)

const SELECTS = (
  type: string,
  condition: readonly number[],
  shapes: readonly (readonly number[])[],
): Case[] =>
  (['float32', 'int8', 'int16', 'int32', 'int64', 'bool', 'float16'] as const).map((dtype) => {
    const [a = [], b = [], shape = []] = shapes
    return realCase(
      `${dtype} [${condition}] ? [${a}] : [${b}]`,
      {
        type,
        inputs: [tensor('bool', ...condition), tensor(dtype, ...a), tensor(dtype, ...b)],
        outputs: [tensor(dtype, ...shape)],
      },
      [
        spread01(elements(condition)),
        spread01(elements(a)),
        spread(elements(b), 0, 1).map((x) => 1 - Math.round(x)),
      ],
      (c = [], x = [], y = []) => [
        indicesOf(shape).map((index) => {
          // SELECT takes a condition of rank 1 along the first dimension.
          const chosen =
            type === 'SELECT' && condition.length === 1
              ? c[index[0] as number]
              : broadcastAt(condition, c, index)
          return chosen ? broadcastAt(a, x, index) : broadcastAt(b, y, index)
        }),
      ],
    )
  })

/** Other spellings of the same, on plain numbers. */
const STABLEHLO_UNARY: Readonly<Record<string, string>> = {
  STABLEHLO_ABS: 'ABS',
  STABLEHLO_COSINE: 'COS',
  STABLEHLO_EXPONENTIAL: 'EXP',
  STABLEHLO_FLOOR: 'FLOOR',
  STABLEHLO_LOG: 'LOG',
  STABLEHLO_LOGISTIC: 'LOGISTIC',
  STABLEHLO_NEGATE: 'NEG',
  STABLEHLO_RSQRT: 'RSQRT',
  STABLEHLO_TANH: 'TANH',
}
const STABLEHLO_BINARY: Readonly<Record<string, string>> = {
  STABLEHLO_ADD: 'ADD',
  STABLEHLO_AND: 'LOGICAL_AND',
  STABLEHLO_DIVIDE: 'DIV',
  STABLEHLO_MAXIMUM: 'MAXIMUM',
  STABLEHLO_MINIMUM: 'MINIMUM',
  STABLEHLO_MULTIPLY: 'MUL',
  STABLEHLO_OR: 'LOGICAL_OR',
  STABLEHLO_POWER: 'POW',
  STABLEHLO_SUBTRACT: 'SUB',
}
const respelled = <T>(
  names: Readonly<Record<string, string>>,
  from: Readonly<Record<string, T>>,
  cases: (type: string, spec: T) => Case[],
) =>
  Object.fromEntries(
    Object.entries(names).map(([type, own]) => [type, cases(type, { ...(from[own] as T), dtypes: [] })]),
  )

export const ELEMENTWISE: Table = {
  ...respelled(STABLEHLO_UNARY, UNARY, unaryCases),
  ...respelled(STABLEHLO_BINARY, BINARY, binaryCases),
  STABLEHLO_SELECT: SELECTS(
    'STABLEHLO_SELECT',
    [2, 3],
    [
      [2, 3],
      [2, 3],
      [2, 3],
    ],
  ),
  STABLEHLO_CONVERT: [
    realCase(
      'float32 to int32',
      { type: 'STABLEHLO_CONVERT', inputs: [tensor('float32', 20)], outputs: [tensor('int32', 20)] },
      [spread(20, -9, 9)],
      (x = []) => [x.map((one) => Math.trunc(one) + 0)],
    ),
  ],
  ...Object.fromEntries(Object.entries(UNARY).map(([type, spec]) => [type, unaryCases(type, spec)])),
  ...Object.fromEntries(Object.entries(BINARY).map(([type, spec]) => [type, binaryCases(type, spec)])),
  PRELU,
  SELECT: [
    ...SELECTS(
      'SELECT',
      [2, 3],
      [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
    ),
    ...SELECTS(
      'SELECT',
      [3],
      [
        [3, 4],
        [3, 4],
        [3, 4],
      ],
    ),
  ],
  SELECT_V2: [
    ...SELECTS('SELECT_V2', [2, 1, 3], [[4, 1], [3], [2, 4, 3]]),
    ...SELECTS('SELECT_V2', [], [[5], [1], [5]]),
  ],
}
