// ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM, SQUARED_DIFFERENCE, POW, FLOOR_DIV, FLOOR_MOD, ATAN2, BITWISE_XOR, RIGHT_SHIFT: element by element, broadcasting as NumPy does.

import type { OptionValue } from '../model/model.js'
import { quantizeMultiplier } from '../numerics/fixed-point.js'
import type { Dtype } from '../tensor/dtype.js'
import {
  activationRange,
  floatActivationRange,
  intActivationRange,
  isQuantizedDtype,
  type QuantizedDtype,
} from './activation.js'
import {
  broadcastShape,
  codesOf,
  expectClamp,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  sameShape,
} from './checks.js'
import { defineOp, type NodeContext, type Operand, type Step, type StepAttribute } from './contract.js'

export interface BinaryAttributes {
  /** Number of the schema's `ActivationFunctionType`. */
  readonly activation: number
  /** int16: the file asks for the arithmetic of power-of-two scales. */
  readonly powerOfTwoScales: boolean
}

type Node = NodeContext<BinaryAttributes>

/** Numbers of the native step's operations. */
const OPERATIONS = {
  add: 0,
  sub: 1,
  mul: 2,
  maximum: 3,
  minimum: 4,
  div: 5,
  squared_difference: 6,
  pow: 7,
  floor_div: 8,
  floor_mod: 9,
  prelu: 10,
  atan2: 11,
  bitwise_xor: 12,
  right_shift: 13,
} as const

/** Operators that have no fused activation, and those that take codes for what they are. */
const UNCLAMPED: readonly Operation[] = [
  'maximum',
  'minimum',
  'squared_difference',
  'pow',
  'floor_div',
  'floor_mod',
  'atan2',
  'bitwise_xor',
  'right_shift',
]
const ON_BITS: readonly Operation[] = [
  'maximum',
  'minimum',
  'floor_div',
  'floor_mod',
  'bitwise_xor',
  'right_shift',
]
type Operation = keyof typeof OPERATIONS

function read(options: Readonly<Record<string, OptionValue>>): BinaryAttributes {
  return {
    activation: Number(options['fusedActivationFunction'] ?? 0),
    powerOfTwoScales: Boolean(options['potScaleInt16'] ?? true),
  }
}

function binaryOp(name: Operation, dtypes: readonly Dtype[]) {
  return defineOp<BinaryAttributes>({
    name,
    tflite: { type: name.toUpperCase(), read },
    infer(node) {
      expectInputs(node, 2)
      const [a, b] = [node.input(0), node.input(1)]
      expectDtype(node, a, dtypes)
      expectSameDtype(node, a, b)
      expectClamp(node, node.attributes.activation)
      expectRank(node, a, 0, 6)
      expectRank(node, b, 0, 6)
      return [{ shape: broadcastShape(node, a.shape, b.shape), dtype: a.dtype }]
    },
    lower(node) {
      const { dtype } = node.output(0)
      const onCodes = isQuantizedDtype(dtype) && !ON_BITS.includes(name)
      return { steps: [onCodes ? quantizedStep(node, name, dtype) : plainStep(node, name)] }
    },
  })
}

/** The native step of an operation on numbers that are no codes, without a clamp. */
export function binaryStep(name: Operation, a: Operand, b: Operand, output: Operand): Step {
  const attributes: Record<string, StepAttribute> = { op: OPERATIONS[name] }
  if (output.dtype === 'float32') {
    attributes['clamp'] = Float32Array.of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
  } else if (output.dtype === 'int32') {
    const { low, high } = intActivationRange(0)
    attributes['clamp'] = Int32Array.of(low, high)
  }
  return { kind: 'binary', inputs: [a, b], outputs: [output], attributes }
}

function stepOf(node: Node, kind: string, attributes: Record<string, StepAttribute>): Step {
  const [a, b, output] = [node.input(0), node.input(1), node.output(0)]
  const inPlace = sameShape(a.shape, output.shape) ? 0 : sameShape(b.shape, output.shape) ? 1 : undefined
  return {
    kind,
    inputs: [a, b],
    outputs: [output],
    attributes,
    ...(inPlace !== undefined && { inPlace }),
  }
}

function plainStep(node: Node, name: Operation): Step {
  const { activation } = node.attributes
  const clamps = UNCLAMPED.includes(name) ? undefined : activation
  const attributes: Record<string, StepAttribute> = { op: OPERATIONS[name] }
  switch (node.output(0).dtype) {
    case 'float32': {
      const { low, high } =
        clamps === undefined
          ? { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
          : floatActivationRange(clamps)
      attributes['clamp'] = Float32Array.of(low, high)
      break
    }
    case 'int32': {
      const { low, high } = intActivationRange(clamps ?? 0)
      attributes['clamp'] = Int32Array.of(low, high)
      break
    }
    default:
      if (clamps) throw node.fail('OPERATOR_UNSUPPORTED', `a fused activation on ${node.output(0).dtype}`)
  }
  return stepOf(node, 'binary', attributes)
}

/**
 * ADD, SUB and SQUARED_DIFFERENCE bring both operands to twice the larger scale first; MUL scales the product.
 *
 * @see TFLite, kernels/add.cc, sub.cc, mul.cc, squared_difference.cc: Prepare. Scales are float32; ADD divides in double, MUL in float32.
 */
function quantizedStep(node: Node, name: Operation, dtype: QuantizedDtype): Step {
  const [a, b, output] = [node.input(0), node.input(1), node.output(0)]
  const [x, y, z] = [codesOf(node, a), codesOf(node, b), codesOf(node, output)]
  const { activation, powerOfTwoScales } = node.attributes
  let factors: [number, number, number]
  if (name === 'squared_difference') {
    const twice = 2 * Math.max(x.scale, y.scale)
    factors = [x.scale / twice, y.scale / twice, (twice * twice) / (2 ** 14 * z.scale)]
  } else if (name === 'mul') {
    factors = [0, 0, Math.fround(Math.fround(x.scale * y.scale) / z.scale)]
  } else {
    if (dtype === 'int16' && powerOfTwoScales && [x, y, z].every(({ scale }) => isPowerOfTwo(scale))) {
      throw node.fail('OPERATOR_UNSUPPORTED', 'int16 operands with power-of-two scales (pot_scale_int16)')
    }
    const twice = 2 * Math.max(x.scale, y.scale)
    factors = [x.scale / twice, y.scale / twice, twice / (2 ** (dtype === 'int16' ? 15 : 20) * z.scale)]
  }
  const fixed = factors.map(quantizeMultiplier)
  return stepOf(node, 'quantized_binary', {
    op: OPERATIONS[name],
    zero_points: Int32Array.of(x.zeroPoint, y.zeroPoint, z.zeroPoint),
    multipliers: Int32Array.from(fixed, ({ multiplier }) => multiplier),
    shifts: Int32Array.from(fixed, ({ shift }) => shift),
    ...activationRange(activation, z, dtype),
  })
}

/** Whether the reference takes a scale for a power of two. @see TFLite, kernels/internal/quantization_util: CheckedLog2 */
function isPowerOfTwo(scale: number): boolean {
  const exponent = Math.fround(Math.fround(Math.log(scale)) * Math.fround(1 / Math.LN2))
  return Math.abs(exponent - Math.round(exponent)) < 1e-3
}

export const add = binaryOp('add', ['int8', 'uint8', 'int16', 'float32', 'int32', 'int64'])
export const sub = binaryOp('sub', ['int8', 'uint8', 'int16', 'float32', 'int32', 'int64'])
export const mul = binaryOp('mul', ['int8', 'uint8', 'int16', 'float32', 'int32', 'int64'])
export const div = binaryOp('div', ['float32', 'int32'])
export const maximum = binaryOp('maximum', ['int8', 'uint8', 'int16', 'float32', 'int32', 'int64'])
export const minimum = binaryOp('minimum', ['int8', 'uint8', 'int16', 'float32', 'int32', 'int64'])
export const squaredDifference = binaryOp('squared_difference', ['int8', 'float32', 'int32'])
export const pow = binaryOp('pow', ['float32', 'int32'])
export const floorDiv = binaryOp('floor_div', ['int8', 'int16', 'int32', 'float32'])
export const floorMod = binaryOp('floor_mod', ['int8', 'int16', 'int32', 'int64', 'float32'])
export const atan2 = binaryOp('atan2', ['float32'])
const BITS: readonly Dtype[] = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32']
export const bitwiseXor = binaryOp('bitwise_xor', BITS)
export const rightShift = binaryOp('right_shift', BITS)
