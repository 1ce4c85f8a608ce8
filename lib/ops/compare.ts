// EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, LOGICAL_AND and LOGICAL_OR: element by element, to bool.

import { quantizeMultiplier } from '../numerics/fixed-point.js'
import type { Dtype } from '../tensor/dtype.js'
import { isQuantizedDtype } from './activation.js'
import { broadcastShape, codesOf, expectDtype, expectInputs, expectRank, expectSameDtype } from './checks.js'
import { defineOp, type NodeContext, type Operand, type Step, type StepAttribute } from './contract.js'

/** Numbers of the native step's operations. */
const OPERATIONS = {
  equal: 0,
  not_equal: 1,
  greater: 2,
  greater_equal: 3,
  less: 4,
  less_equal: 5,
  logical_and: 6,
  logical_or: 7,
} as const
type Operation = keyof typeof OPERATIONS

function compareOp(name: Operation, dtypes: readonly Dtype[]) {
  return defineOp<Record<string, never>>({
    name,
    tflite: { type: name.toUpperCase(), read: () => ({}) },
    infer(node) {
      expectInputs(node, 2)
      const [a, b] = [node.input(0), node.input(1)]
      expectDtype(node, a, dtypes)
      expectSameDtype(node, a, b)
      expectRank(node, a, 0, 8)
      expectRank(node, b, 0, 8)
      return [{ shape: broadcastShape(node, a.shape, b.shape), dtype: 'bool' }]
    },
    lower(node) {
      const [a, b] = [node.input(0), node.input(1)]
      return { steps: [compareStep(name, a, b, node.output(0), scaling(node, name, a, b))] }
    },
  })
}

/**
 * Codes of two tensors are compared as numbers: both are brought to one fixed-point scale with 8 more bits. The reference
 * does not so for the order of int16: it compares the codes, which is right, and done here, where the scales are equal.
 *
 * @see TFLite, kernels/comparisons.cc: ComparisonQuantized, LessEval.
 */
function scaling(
  node: NodeContext<unknown>,
  name: Operation,
  a: Operand,
  b: Operand,
): Record<string, StepAttribute> {
  const plain = a.quantization === undefined && b.quantization === undefined
  if (!isQuantizedDtype(a.dtype) || plain) return {}
  const codes = [codesOf(node, a), codesOf(node, b)]
  const orders = OPERATIONS[name] > OPERATIONS.not_equal
  if (a.dtype === 'int16' && orders && codes[0]?.scale === codes[1]?.scale) return {}
  const factors = codes.map(({ scale }) => quantizeMultiplier(scale))
  return {
    zero_points: Int32Array.from(codes, ({ zeroPoint }) => zeroPoint),
    multipliers: Int32Array.from(factors, ({ multiplier }) => multiplier),
    shifts: Int32Array.from(factors, ({ shift }) => shift),
  }
}

/** The native step. Without `scaling` numbers are compared as they are. */
export function compareStep(
  name: Operation,
  a: Operand,
  b: Operand,
  output: Operand,
  scaling: Record<string, StepAttribute> = {},
): Step {
  return {
    kind: 'compare',
    inputs: [a, b],
    outputs: [output],
    attributes: { op: OPERATIONS[name], ...scaling },
  }
}

const ORDERED: readonly Dtype[] = ['int8', 'uint8', 'int16', 'int32', 'int64', 'float32']
export const equal = compareOp('equal', ['bool', ...ORDERED])
export const notEqual = compareOp('not_equal', ['bool', ...ORDERED])
export const greater = compareOp('greater', ORDERED)
export const greaterEqual = compareOp('greater_equal', ORDERED)
export const less = compareOp('less', ORDERED)
export const lessEqual = compareOp('less_equal', ORDERED)
export const logicalAnd = compareOp('logical_and', ['bool'])
export const logicalOr = compareOp('logical_or', ['bool'])
