// Operators of StableHLO that are another spelling of one that lowbit has, on plain numbers.

import type { Dtype } from '../tensor/dtype.js'
import { logistic, tanh } from './activations.js'
import { add, div, maximum, minimum, mul, pow, sub } from './binary.js'
import { cast } from './cast.js'
import { expectDtype } from './checks.js'
import { logicalAnd, logicalOr } from './compare.js'
import type { Op } from './contract.js'
import { abs, cos, exp, floor, log, neg, rsqrt } from './functions.js'
import { selectV2 } from './select.js'

const REAL: readonly Dtype[] = ['float32']
const NUMBERS: readonly Dtype[] = ['int32', 'int64', 'float32']

/** `op` under another name. */
function spelled(type: string, op: Op, dtypes?: readonly Dtype[]): Op {
  return {
    ...op,
    name: type.toLowerCase(),
    tflite: { type, read: op.tflite.read },
    infer(node) {
      if (dtypes) expectDtype(node, node.input(0), dtypes)
      return op.infer(node)
    },
  }
}

export const STABLEHLO_OPS: readonly Op[] = [
  spelled('STABLEHLO_ABS', abs, NUMBERS),
  spelled('STABLEHLO_ADD', add, NUMBERS),
  spelled('STABLEHLO_AND', logicalAnd, ['bool']),
  spelled('STABLEHLO_CONVERT', cast),
  spelled('STABLEHLO_COSINE', cos, REAL),
  spelled('STABLEHLO_DIVIDE', div, ['int32', 'float32']),
  spelled('STABLEHLO_EXPONENTIAL', exp, REAL),
  spelled('STABLEHLO_FLOOR', floor, REAL),
  spelled('STABLEHLO_LOG', log, REAL),
  spelled('STABLEHLO_LOGISTIC', logistic, REAL),
  spelled('STABLEHLO_MAXIMUM', maximum, NUMBERS),
  spelled('STABLEHLO_MINIMUM', minimum, NUMBERS),
  spelled('STABLEHLO_MULTIPLY', mul, NUMBERS),
  spelled('STABLEHLO_NEGATE', neg, NUMBERS),
  spelled('STABLEHLO_OR', logicalOr, ['bool']),
  spelled('STABLEHLO_POWER', pow, REAL),
  spelled('STABLEHLO_RSQRT', rsqrt, REAL),
  spelled('STABLEHLO_SELECT', selectV2, ['bool']),
  spelled('STABLEHLO_SUBTRACT', sub, NUMBERS),
  spelled('STABLEHLO_TANH', tanh, REAL),
]
