// All operators.

import type { Op } from './contract.js'
import { conv2d } from './conv2d.js'
import { depthwiseConv2d } from './depthwise-conv2d.js'
import { fullyConnected } from './fully-connected.js'

const OPS: readonly Op[] = [conv2d, depthwiseConv2d, fullyConnected]

/** Operators by their type in the schema (`CONV_2D`). */
export const OPS_BY_TYPE: ReadonlyMap<string, Op> = new Map(OPS.map((op) => [op.tflite.type, op]))

/** Operators by their name in graphs (`conv2d`). */
export const OPS_BY_NAME: ReadonlyMap<string, Op> = new Map(OPS.map((op) => [op.name, op]))
