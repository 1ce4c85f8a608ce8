// What each operator asks of the numbers that it is given as codes, in lowbit and in the reference kernels of TFLite.

/** Types of computed tensors that are codes. */
export const CODE_TYPES = ['int8', 'uint8', 'int16'] as const
export type CodeType = (typeof CODE_TYPES)[number]

/** Lowest and highest code. */
export const CODE_RANGES = {
  int8: { low: -128, high: 127 },
  uint8: { low: 0, high: 255 },
  int16: { low: -32768, high: 32767 },
} as const satisfies Record<CodeType, { low: number; high: number }>

export interface Affine {
  readonly scale: number
  readonly zeroPoint: number
}

/** Operands of an operator that has weights. */
export interface LayerOperands {
  readonly input: number
  readonly weights: number
  readonly bias: number
}

export interface OperatorRule {
  readonly types: readonly CodeType[]
  /**
   * `free`: each tensor has codes of its own. `follow`: outputs have those of the input. `unite`: all float operands
   * and outputs have the same. `fixed`: outputs have those that the operator prescribes.
   */
  readonly law: 'free' | 'follow' | 'unite' | 'fixed'
  readonly fixed?: Partial<Readonly<Record<CodeType, Affine>>>
  readonly layer?: LayerOperands
  /**
   * Version of the operator that has a type.
   *
   * @see TFLite, tools/versioning/op_version.cc: GetBuiltinOperatorVersion; lower where the reference kernels have none
   *   so high.
   */
  readonly versions: Readonly<Record<CodeType, number>>
}

const ALL = CODE_TYPES
const BYTES = ['int8', 'uint8'] as const
const INT8 = ['int8'] as const
const SIGNED = ['int8', 'int16'] as const

/** uint8 came first. */
const versions = (int8: number, int16 = int8, uint8 = 1) => ({ int8, int16, uint8 })

type Numbers = Parameters<typeof versions>

const rule =
  (law: OperatorRule['law']) =>
  (types: readonly CodeType[], ...numbers: Numbers): OperatorRule => ({
    types,
    law,
    versions: versions(...numbers),
  })
const free = rule('free')
const follow = rule('follow')
const unite = rule('unite')
const layer = (operands: LayerOperands, ...numbers: Numbers): OperatorRule => ({
  ...free(ALL, ...numbers),
  layer: operands,
})
const fixed = (
  codes: Partial<Record<CodeType, readonly [scale: number, zeroPoint: number]>>,
  ...numbers: Numbers
): OperatorRule => ({
  ...rule('fixed')(Object.keys(codes) as CodeType[], ...numbers),
  fixed: Object.fromEntries(
    Object.entries(codes).map(([type, [scale, zeroPoint]]) => [type, { scale, zeroPoint }]),
  ),
})

const WEIGHTS_SECOND: LayerOperands = { input: 0, weights: 1, bias: 2 }
const SHARE = { int8: [1 / 256, -128], uint8: [1 / 256, 0], int16: [1 / 32768, 0] } as const

/** By operator, as files spell them. All others stay float32. */
export const OPERATOR_RULES: Readonly<Record<string, OperatorRule>> = {
  CONV_2D: layer(WEIGHTS_SECOND, 3, 4),
  DEPTHWISE_CONV_2D: layer(WEIGHTS_SECOND, 3, 5),
  FULLY_CONNECTED: layer(WEIGHTS_SECOND, 4, 7),
  TRANSPOSE_CONV: layer({ input: 2, weights: 1, bias: 3 }, 3, 4, 3),

  ADD: free(ALL, 2, 3),
  SUB: free(ALL, 2, 5),
  MUL: free(ALL, 3, 4),
  SQUARED_DIFFERENCE: free(INT8, 2),
  BATCH_MATMUL: free(SIGNED, 2, 3),
  MEAN: free(ALL, 2, 3),
  // The reference gives the zero point for sums of int8.
  SUM: free(['uint8'], 1),
  RELU: free(ALL, 2, 3, 2),
  RELU6: free(ALL, 2, 3),
  RELU_N1_TO_1: free(BYTES, 1),
  LEAKY_RELU: free(ALL, 1, 2),
  PRELU: free(BYTES, 1),
  HARD_SWISH: free(BYTES, 1),
  GELU: free(INT8, 2),
  ABS: free(SIGNED, 2, 3),
  EXP: free(SIGNED, 2),
  ARG_MAX: free(BYTES, 2),
  ARG_MIN: free(BYTES, 2),

  LOGISTIC: fixed(SHARE, 2, 3),
  SOFTMAX: fixed(SHARE, 2, 3),
  TANH: fixed({ int8: [1 / 128, 0], uint8: [1 / 128, 128], int16: [1 / 32768, 0] }, 2, 3),
  LOG_SOFTMAX: fixed({ int8: [1 / 16, 127], uint8: [1 / 16, 255] }, 2),
  L2_NORMALIZATION: fixed({ int8: [1 / 128, 0], uint8: [1 / 128, 128] }, 2),

  AVERAGE_POOL_2D: follow(ALL, 2, 3),
  MAX_POOL_2D: follow(ALL, 2, 3),
  RESHAPE: follow(ALL, 1),
  SQUEEZE: follow(ALL, 1),
  EXPAND_DIMS: follow(ALL, 1),
  TRANSPOSE: follow(ALL, 2, 5),
  SLICE: follow(ALL, 2, 4),
  STRIDED_SLICE: follow(ALL, 2, 4),
  SPLIT: follow(ALL, 2, 4),
  SPLIT_V: follow(ALL, 2),
  UNPACK: follow(ALL, 2, 4, 2),
  GATHER: follow(SIGNED, 2, 4),
  GATHER_ND: follow(SIGNED, 1, 3),
  PAD: follow(ALL, 2, 3),
  MIRROR_PAD: follow(INT8, 2),
  RESIZE_BILINEAR: follow(ALL, 2, 4),
  RESIZE_NEAREST_NEIGHBOR: follow(ALL, 2, 4),
  SPACE_TO_BATCH_ND: follow(ALL, 2, 4),
  BATCH_TO_SPACE_ND: follow(ALL, 2, 4),
  SPACE_TO_DEPTH: follow(BYTES, 2),
  DEPTH_TO_SPACE: follow(BYTES, 1),
  REVERSE_V2: follow(INT8, 3),
  TOPK_V2: follow(BYTES, 2),
  REDUCE_MAX: follow(SIGNED, 2, 3),
  REDUCE_MIN: follow(SIGNED, 2, 3),
  TILE: follow(SIGNED, 2),
  BROADCAST_TO: follow(SIGNED, 3),

  CONCATENATION: unite(ALL, 2, 3),
  PACK: unite(ALL, 2, 3),
  PADV2: unite(BYTES, 2),
  MAXIMUM: unite(ALL, 2, 4),
  MINIMUM: unite(ALL, 2, 4),
  SELECT: unite(SIGNED, 2),
  SELECT_V2: unite(SIGNED, 1),
}
