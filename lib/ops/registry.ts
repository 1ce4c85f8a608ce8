// All operators that lowbit runs, by the name that the schema gives them.

import type { Op } from './contract.js'
import { conv2d } from './conv2d.js'
import { depthwiseConv2d } from './depthwise-conv2d.js'
import { fullyConnected } from './fully-connected.js'

const OPS: readonly Op[] = [conv2d, depthwiseConv2d, fullyConnected]

/** By the name that the schema gives: `CONV_2D`. */
export const OPS_BY_TYPE: ReadonlyMap<string, Op> = new Map(OPS.map((op) => [op.tflite.type, op]))
/** By lowbit's own name: `conv2d`. */
export const OPS_BY_NAME: ReadonlyMap<string, Op> = new Map(OPS.map((op) => [op.name, op]))
