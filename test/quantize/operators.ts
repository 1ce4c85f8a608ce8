// One float32 model an operator that the quantiser knows: what its rules are tested on.

import type { OptionValue } from '#lib/model/model.js'
import type { TensorSpec } from '../helpers/model-builder.js'
import { random } from '../helpers/random.js'

export interface FloatOperator {
  readonly type: string
  /** Beside the type, where there are several. */
  readonly title?: string
  readonly inputs: readonly (TensorSpec | null)[]
  readonly outputs: readonly TensorSpec[]
  readonly options?: Readonly<Record<string, OptionValue>>
}

const next = random(5)
/** From -1 to 1, in steps of 1/128. */
const values = (count: number) => Float32Array.from({ length: count }, () => ((next() % 257) - 128) / 128)

const real = (...shape: number[]): TensorSpec => ({ dtype: 'float32', shape })
const weights = (...shape: number[]): TensorSpec => ({
  ...real(...shape),
  data: values(shape.reduce((a, b) => a * b, 1)),
})
const ints = (...data: number[]): TensorSpec => ({ dtype: 'int32', shape: [data.length], data })
const scalar = (value: number): TensorSpec => ({ dtype: 'int32', shape: [], data: [value] })

const IMAGE = real(1, 5, 6, 4)
const ROWS = real(3, 8)
const WINDOW = { padding: 0, strideH: 1, strideW: 1 }
const POOL = { ...WINDOW, filterHeight: 2, filterWidth: 2 }
const same = (type: string, input = IMAGE, options?: FloatOperator['options']): FloatOperator => ({
  type,
  inputs: [input],
  outputs: [input],
  ...(options && { options }),
})
const pair = (type: string, options?: FloatOperator['options']): FloatOperator => ({
  type,
  inputs: [IMAGE, IMAGE],
  outputs: [IMAGE],
  ...(options && { options }),
})

export const FLOAT_OPERATORS: readonly FloatOperator[] = [
  {
    type: 'CONV_2D',
    inputs: [IMAGE, weights(7, 3, 3, 4), weights(7)],
    outputs: [real(1, 5, 6, 7)],
    options: { ...WINDOW, fusedActivationFunction: 1 },
  },
  {
    type: 'CONV_2D',
    title: 'without bias, RELU6',
    inputs: [IMAGE, weights(7, 2, 3, 4)],
    outputs: [real(1, 5, 6, 7)],
    options: { ...WINDOW, fusedActivationFunction: 3 },
  },
  {
    type: 'DEPTHWISE_CONV_2D',
    inputs: [IMAGE, weights(1, 3, 3, 4), weights(4)],
    outputs: [IMAGE],
    options: { ...WINDOW, depthMultiplier: 1 },
  },
  { type: 'FULLY_CONNECTED', inputs: [ROWS, weights(5, 8), weights(5)], outputs: [real(3, 5)] },
  {
    type: 'FULLY_CONNECTED',
    title: 'without bias',
    inputs: [ROWS, weights(5, 8), null],
    outputs: [real(3, 5)],
  },
  {
    type: 'TRANSPOSE_CONV',
    inputs: [ints(1, 10, 12, 3), weights(3, 2, 2, 4), IMAGE, weights(3)],
    outputs: [real(1, 10, 12, 3)],
    options: { padding: 0, strideH: 2, strideW: 2 },
  },

  pair('ADD', { fusedActivationFunction: 1 }),
  { ...pair('ADD'), title: 'of a constant', inputs: [IMAGE, weights(4)] },
  pair('SUB'),
  pair('MUL'),
  { ...pair('MUL'), title: 'by a constant', inputs: [IMAGE, weights(1)] },
  pair('SQUARED_DIFFERENCE'),
  { type: 'BATCH_MATMUL', inputs: [real(2, 3, 8), real(2, 8, 5)], outputs: [real(2, 3, 5)] },
  {
    type: 'BATCH_MATMUL',
    title: 'by a constant',
    inputs: [real(2, 3, 8), weights(2, 8, 5)],
    outputs: [real(2, 3, 5)],
  },
  { type: 'MEAN', inputs: [IMAGE, ints(1, 2)], outputs: [real(1, 4)] },
  { type: 'SUM', inputs: [IMAGE, ints(1, 2)], outputs: [real(1, 1, 1, 4)], options: { keepDims: true } },
  same('RELU'),
  same('RELU6'),
  same('RELU_N1_TO_1'),
  same('LEAKY_RELU', IMAGE, { alpha: 0.25 }),
  { type: 'PRELU', inputs: [IMAGE, weights(1, 1, 4)], outputs: [IMAGE] },
  same('HARD_SWISH'),
  same('GELU'),
  same('ABS'),
  same('EXP'),
  {
    type: 'ARG_MAX',
    inputs: [ROWS, scalar(1)],
    outputs: [{ dtype: 'int32', shape: [3] }],
    options: { outputType: 2 },
  },
  {
    type: 'ARG_MIN',
    inputs: [ROWS, scalar(1)],
    outputs: [{ dtype: 'int32', shape: [3] }],
    options: { outputType: 2 },
  },

  same('LOGISTIC'),
  same('SOFTMAX', ROWS, { beta: 1 }),
  same('TANH'),
  same('LOG_SOFTMAX', ROWS),
  same('L2_NORMALIZATION', ROWS),

  { ...same('AVERAGE_POOL_2D'), options: POOL },
  { ...same('MAX_POOL_2D'), options: POOL },
  { type: 'RESHAPE', inputs: [IMAGE, ints(1, 120)], outputs: [real(1, 120)] },
  { type: 'SQUEEZE', inputs: [real(1, 5, 1, 4)], outputs: [real(5, 4)] },
  { type: 'EXPAND_DIMS', inputs: [ROWS, scalar(0)], outputs: [real(1, 3, 8)] },
  { type: 'TRANSPOSE', inputs: [IMAGE, ints(0, 3, 1, 2)], outputs: [real(1, 4, 5, 6)] },
  { type: 'SLICE', inputs: [ROWS, ints(1, 2), ints(2, 4)], outputs: [real(2, 4)] },
  {
    type: 'STRIDED_SLICE',
    inputs: [ROWS, ints(0, 1), ints(3, 8), ints(1, 2)],
    outputs: [real(3, 4)],
  },
  { type: 'SPLIT', inputs: [scalar(1), ROWS], outputs: [real(3, 4), real(3, 4)], options: { numSplits: 2 } },
  {
    type: 'SPLIT_V',
    inputs: [ROWS, ints(3, 5), scalar(1)],
    outputs: [real(3, 3), real(3, 5)],
    options: { numSplits: 2 },
  },
  { type: 'UNPACK', inputs: [real(2, 8)], outputs: [real(8), real(8)], options: { num: 2, axis: 0 } },
  { type: 'GATHER', inputs: [ROWS, ints(2, 0)], outputs: [real(2, 8)] },
  {
    type: 'GATHER_ND',
    inputs: [ROWS, { dtype: 'int32', shape: [2, 1], data: [2, 0] }],
    outputs: [real(2, 8)],
  },
  {
    type: 'PAD',
    inputs: [ROWS, { dtype: 'int32', shape: [2, 2], data: [1, 0, 2, 1] }],
    outputs: [real(4, 11)],
  },
  {
    type: 'MIRROR_PAD',
    inputs: [ROWS, { dtype: 'int32', shape: [2, 2], data: [1, 0, 2, 1] }],
    outputs: [real(4, 11)],
    options: { mode: 0 },
  },
  {
    type: 'RESIZE_BILINEAR',
    inputs: [IMAGE, ints(7, 9)],
    outputs: [real(1, 7, 9, 4)],
    options: { halfPixelCenters: true },
  },
  { type: 'RESIZE_NEAREST_NEIGHBOR', inputs: [IMAGE, ints(10, 12)], outputs: [real(1, 10, 12, 4)] },
  {
    type: 'SPACE_TO_BATCH_ND',
    inputs: [real(1, 4, 6, 4), ints(2, 2), { dtype: 'int32', shape: [2, 2], data: [0, 0, 0, 0] }],
    outputs: [real(4, 2, 3, 4)],
  },
  {
    type: 'BATCH_TO_SPACE_ND',
    inputs: [real(4, 2, 3, 4), ints(2, 2), { dtype: 'int32', shape: [2, 2], data: [0, 0, 0, 0] }],
    outputs: [real(1, 4, 6, 4)],
  },
  {
    type: 'SPACE_TO_DEPTH',
    inputs: [real(1, 4, 6, 4)],
    outputs: [real(1, 2, 3, 16)],
    options: { blockSize: 2 },
  },
  {
    type: 'DEPTH_TO_SPACE',
    inputs: [real(1, 2, 3, 16)],
    outputs: [real(1, 4, 6, 4)],
    options: { blockSize: 2 },
  },
  { type: 'REVERSE_V2', inputs: [ROWS, ints(1)], outputs: [ROWS] },
  {
    type: 'TOPK_V2',
    inputs: [ROWS, scalar(3)],
    outputs: [real(3, 3), { dtype: 'int32', shape: [3, 3] }],
  },
  { type: 'REDUCE_MAX', inputs: [IMAGE, ints(1, 2)], outputs: [real(1, 4)] },
  { type: 'REDUCE_MIN', inputs: [IMAGE, ints(1, 2)], outputs: [real(1, 4)] },
  { type: 'TILE', inputs: [ROWS, ints(2, 1)], outputs: [real(6, 8)] },
  { type: 'BROADCAST_TO', inputs: [real(1, 8), ints(3, 8)], outputs: [real(3, 8)] },

  { type: 'CONCATENATION', inputs: [ROWS, real(3, 2)], outputs: [real(3, 10)], options: { axis: 1 } },
  {
    type: 'CONCATENATION',
    title: 'with a constant',
    inputs: [ROWS, weights(3, 2)],
    outputs: [real(3, 10)],
    options: { axis: 1 },
  },
  { type: 'PACK', inputs: [ROWS, ROWS], outputs: [real(2, 3, 8)], options: { valuesCount: 2, axis: 0 } },
  {
    type: 'PADV2',
    inputs: [ROWS, { dtype: 'int32', shape: [2, 2], data: [1, 0, 2, 1] }, { ...real(), data: [-0.5] }],
    outputs: [real(4, 11)],
  },
  pair('MAXIMUM'),
  { ...pair('MINIMUM'), title: 'of a constant', inputs: [IMAGE, weights(4)] },
  {
    type: 'SELECT',
    inputs: [
      { dtype: 'bool', shape: [3, 8], data: Uint8Array.from({ length: 24 }, (_, i) => i % 2) },
      ROWS,
      ROWS,
    ],
    outputs: [ROWS],
  },
  {
    type: 'SELECT_V2',
    inputs: [{ dtype: 'bool', shape: [3, 1], data: Uint8Array.of(1, 0, 1) }, ROWS, weights(3, 8)],
    outputs: [ROWS],
  },
]
