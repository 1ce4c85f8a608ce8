// All operators that lowbit runs.

import { hardSwish, leakyRelu, logistic, relu, relu6, reluN1To1, tanh } from './activations.js'
import { argMax, argMin } from './arg-max.js'
import { batchMatmul } from './batch-matmul.js'
import { add, div, maximum, minimum, mul, squaredDifference, sub } from './binary.js'
import { cast } from './cast.js'
import { concatenation, pack } from './concatenation.js'
import type { Op } from './contract.js'
import { conv2d } from './conv2d.js'
import { depthwiseConv2d } from './depthwise-conv2d.js'
import { fullyConnected } from './fully-connected.js'
import { abs, ceil, cos, elu, exp, floor, log, neg, round, rsqrt, sin, sqrt, square } from './functions.js'
import { gather } from './gather.js'
import { unidirectionalSequenceLstm } from './lstm.js'
import { pad, padV2 } from './pad.js'
import { averagePool2d, maxPool2d } from './pool.js'
import { dequantize, quantize } from './quantize.js'
import { broadcastTo, depthToSpace, reverseV2, spaceToDepth, tile } from './rearrange.js'
import { mean, reduceMax, reduceMin, reduceProd, sum } from './reduce.js'
import { expandDims, reshape, squeeze } from './reshape.js'
import { resizeBilinear, resizeNearestNeighbor } from './resize.js'
import { slice, stridedSlice } from './slice.js'
import { logSoftmax, softmax } from './softmax.js'
import { split, splitV, unpack } from './split.js'
import { svdf } from './svdf.js'
import { transpose } from './transpose.js'
import { transposeConv } from './transpose-conv.js'
import { assignVariable, identity, readVariable } from './variable.js'

export const OPS: readonly Op[] = [
  abs,
  add,
  argMax,
  argMin,
  assignVariable,
  averagePool2d,
  batchMatmul,
  broadcastTo,
  cast,
  ceil,
  concatenation,
  conv2d,
  cos,
  depthToSpace,
  depthwiseConv2d,
  dequantize,
  div,
  elu,
  exp,
  expandDims,
  floor,
  fullyConnected,
  gather,
  hardSwish,
  leakyRelu,
  log,
  logistic,
  logSoftmax,
  maximum,
  maxPool2d,
  mean,
  minimum,
  mul,
  neg,
  pack,
  pad,
  padV2,
  quantize,
  readVariable,
  reduceMax,
  reduceMin,
  reduceProd,
  relu,
  relu6,
  reluN1To1,
  reshape,
  resizeBilinear,
  resizeNearestNeighbor,
  reverseV2,
  round,
  rsqrt,
  sin,
  slice,
  softmax,
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
  transpose,
  transposeConv,
  unpack,
  unidirectionalSequenceLstm,
]

/** By type in the schema (`CONV_2D`). */
export const OPS_BY_TYPE: ReadonlyMap<string, Op> = new Map(OPS.map((op) => [op.tflite.type, op]))

/** By name in graphs (`conv2d`); also those that only graphs have. */
export const OPS_BY_NAME: ReadonlyMap<string, Op> = new Map([...OPS, identity].map((op) => [op.name, op]))
