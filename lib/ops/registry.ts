// All operators that lowbit runs.

import {
  elu,
  gelu,
  hardSwish,
  leakyRelu,
  logistic,
  relu,
  relu0To1,
  relu6,
  reluN1To1,
  tanh,
} from './activations.js'
import { addN } from './add-n.js'
import { argMax, argMin } from './arg-max.js'
import { batchMatmul } from './batch-matmul.js'
import { batchToSpaceNd, spaceToBatchNd } from './batch-space.js'
import {
  add,
  atan2,
  bitwiseXor,
  div,
  floorDiv,
  floorMod,
  maximum,
  minimum,
  mul,
  pow,
  rightShift,
  squaredDifference,
  sub,
} from './binary.js'
import { bucketize } from './bucketize.js'
import { cast } from './cast.js'
import { equal, greater, greaterEqual, less, lessEqual, logicalAnd, logicalOr, notEqual } from './compare.js'
import { complexAbs, imag, real, rfft2d } from './complex.js'
import { concatenation, pack } from './concatenation.js'
import type { Op } from './contract.js'
import { conv3d } from './conv-3d.js'
import { conv2d } from './conv2d.js'
import { cumsum } from './cumsum.js'
import { depthwiseConv2d } from './depthwise-conv2d.js'
import { detectionPostProcess } from './detection.js'
import { dynamicUpdateSlice } from './dynamic-update-slice.js'
import { fakeQuant } from './fake-quant.js'
import { callOnce, ifOp, whileOp } from './flow.js'
import { fullyConnected } from './fully-connected.js'
import {
  abs,
  ceil,
  cos,
  exp,
  floor,
  log,
  logicalNot,
  neg,
  round,
  rsqrt,
  sign,
  sin,
  sqrt,
  square,
} from './functions.js'
import { embeddingLookup, gather, gatherNd } from './gather.js'
import { head } from './head.js'
import { l2Normalization, l2Pool2d } from './l2.js'
import { layerNorm } from './layer-norm.js'
import { localResponseNormalization } from './local-response-normalization.js'
import { bidirectionalSequenceLstm, lstm, unidirectionalSequenceLstm } from './lstm.js'
import { matrixDiag, matrixSetDiag } from './matrix-diag.js'
import { mirrorPad } from './mirror-pad.js'
import { nonMaxSuppressionV4, nonMaxSuppressionV5 } from './non-max-suppression.js'
import { oneHot } from './one-hot.js'
import { pad, padV2 } from './pad.js'
import { averagePool2d, maxPool2d } from './pool.js'
import { prelu } from './prelu.js'
import { dequantize, quantize } from './quantize.js'
import { quantizeRows } from './quantize-rows.js'
import { broadcastTo, depthToSpace, reverseV2, spaceToDepth, tile } from './rearrange.js'
import { mean, reduceAll, reduceAny, reduceMax, reduceMin, reduceProd, sum } from './reduce.js'
import { bitcast, expandDims, reshape, squeeze } from './reshape.js'
import { resizeBilinear, resizeNearestNeighbor } from './resize.js'
import { reverseSequence } from './reverse-sequence.js'
import { bidirectionalSequenceRnn, rnn, unidirectionalSequenceRnn } from './rnn.js'
import { scatterNd } from './scatter-nd.js'
import {
  segmentSum,
  unsortedSegmentMax,
  unsortedSegmentMin,
  unsortedSegmentProd,
  unsortedSegmentSum,
} from './segment.js'
import { select, selectV2 } from './select.js'
import { broadcastArgs, fill, range, rank, shape, zerosLike } from './shape-values.js'
import { slice, stridedSlice } from './slice.js'
import { logSoftmax, softmax } from './softmax.js'
import { split, splitV, unpack } from './split.js'
import { STABLEHLO_OPS } from './stablehlo.js'
import { svdf } from './svdf.js'
import { topkV2 } from './top-k.js'
import { transpose } from './transpose.js'
import { transposeConv } from './transpose-conv.js'
import { unique } from './unique.js'
import { assignVariable, identity, readVariable } from './variable.js'
import { where } from './where.js'

export const OPS: readonly Op[] = [
  abs,
  add,
  addN,
  argMax,
  argMin,
  assignVariable,
  atan2,
  averagePool2d,
  batchMatmul,
  batchToSpaceNd,
  bidirectionalSequenceLstm,
  bidirectionalSequenceRnn,
  bitcast,
  bitwiseXor,
  broadcastArgs,
  broadcastTo,
  bucketize,
  callOnce,
  cast,
  ceil,
  complexAbs,
  concatenation,
  conv2d,
  conv3d,
  cos,
  cumsum,
  depthToSpace,
  depthwiseConv2d,
  dequantize,
  detectionPostProcess,
  div,
  dynamicUpdateSlice,
  elu,
  embeddingLookup,
  equal,
  exp,
  expandDims,
  fakeQuant,
  fill,
  floor,
  floorDiv,
  floorMod,
  fullyConnected,
  gather,
  gatherNd,
  gelu,
  greater,
  greaterEqual,
  hardSwish,
  ifOp,
  imag,
  l2Normalization,
  l2Pool2d,
  leakyRelu,
  less,
  lessEqual,
  log,
  logSoftmax,
  logicalAnd,
  logicalNot,
  logicalOr,
  logistic,
  localResponseNormalization,
  lstm,
  matrixDiag,
  matrixSetDiag,
  maxPool2d,
  maximum,
  mean,
  minimum,
  mirrorPad,
  mul,
  neg,
  nonMaxSuppressionV4,
  nonMaxSuppressionV5,
  notEqual,
  oneHot,
  pack,
  pad,
  padV2,
  pow,
  prelu,
  quantize,
  range,
  rank,
  real,
  readVariable,
  reduceAll,
  reduceAny,
  reduceMax,
  reduceMin,
  reduceProd,
  relu,
  relu0To1,
  relu6,
  reluN1To1,
  reshape,
  resizeBilinear,
  resizeNearestNeighbor,
  reverseSequence,
  reverseV2,
  rfft2d,
  rightShift,
  rnn,
  round,
  rsqrt,
  scatterNd,
  segmentSum,
  select,
  selectV2,
  shape,
  sign,
  sin,
  slice,
  softmax,
  spaceToBatchNd,
  spaceToDepth,
  split,
  splitV,
  sqrt,
  square,
  squaredDifference,
  squeeze,
  stridedSlice,
  sub,
  sum,
  svdf,
  tanh,
  tile,
  topkV2,
  transpose,
  transposeConv,
  unique,
  unpack,
  unsortedSegmentMax,
  unsortedSegmentMin,
  unsortedSegmentProd,
  unsortedSegmentSum,
  unidirectionalSequenceLstm,
  unidirectionalSequenceRnn,
  where,
  whileOp,
  zerosLike,
  ...STABLEHLO_OPS,
]

/** By type in the schema (`CONV_2D`). */
export const OPS_BY_TYPE: ReadonlyMap<string, Op> = new Map(OPS.map((op) => [op.tflite.type, op]))

/** By name in graphs (`conv2d`); also those that only graphs have. */
export const OPS_BY_NAME: ReadonlyMap<string, Op> = new Map(
  [...OPS, head, identity, layerNorm, quantizeRows].map((op) => [op.name, op]),
)
