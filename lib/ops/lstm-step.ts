// The native step of an LSTM, for all operators that are one: their operands in one order, and what follows from them.

import { quantizeMultipliers } from '../numerics/fixed-point.js'
import { elementCount, type Shape, shapeText } from '../tensor/shape.js'
import { codesOf } from './checks.js'
import type { NodeContext, Operand, Step, StepAttribute } from './contract.js'
import { realWeights } from './real-weights.js'
import { expectActivation, expectVariable, type Sequence, sequenceAttributes } from './recurrent.js'

export interface LstmAttributes {
  /** Number of the schema's `ActivationFunctionType`: of the cell gate and of the cells. */
  readonly activation: number
  /** Bounds of cells and projected outputs in real units; 0 for none. */
  readonly cellClip: number
  readonly projectionClip: number
  readonly asymmetricInputs: boolean
}

type Node = NodeContext<LstmAttributes>

/** Operands in the places that native/program/steps/lstm.h lists; null for absent ones. */
export type LstmOperands = readonly (Operand | null)[]

export const OUTPUT_STATE = 18
export const CELL_STATE = 19
export const LSTM_OPERANDS = 24
/** Input weights of the four gates, then recurrent weights, then the projection. */
const WEIGHTS = [1, 2, 3, 4, 5, 6, 7, 8, 16] as const
const PEEPHOLE = [9, 10, 11] as const
const NORMS = [20, 21, 22, 23] as const

export function lstmAttributesOf(options: Readonly<Record<string, unknown>>): LstmAttributes {
  return {
    activation: Number(options['fusedActivationFunction'] ?? 0),
    cellClip: Number(options['cellClip'] ?? 0),
    projectionClip: Number(options['projClip'] ?? 0),
    asymmetricInputs: Boolean(options['asymmetricQuantizeInputs'] ?? false),
  }
}

/** The shape of the outputs; throws for what no LSTM of lowbit has. */
export function inferLstm(node: Node, operands: LstmOperands): Shape {
  const [input, recurrent] = [required(node, operands, 0), required(node, operands, 8)]
  for (const i of [OUTPUT_STATE, CELL_STATE]) expectVariable(node, required(node, operands, i))
  if (recurrent.shape.length !== 2) {
    throw node.fail(
      'OPERATOR_UNSUPPORTED',
      `recurrent weights of shape ${shapeText(recurrent.shape)} (diagonal) are not supported, only matrices`,
      { tensor: recurrent.name },
    )
  }
  const { cellClip, projectionClip, activation } = node.attributes
  for (const clip of [cellClip, projectionClip]) {
    if (!(clip >= 0)) throw node.fail('FILE_INVALID', `a bound is ${clip}`, { actual: clip })
  }
  expectActivation(node, activation)
  return [...input.shape.slice(0, -1), recurrent.shape[1] ?? 0]
}

export function lstmStep(node: Node, operands: LstmOperands, output: Operand, sequence: Sequence): Step {
  const { activation, cellClip, projectionClip, asymmetricInputs } = node.attributes
  const inputs = [...operands]
  const input = required(node, operands, 0)
  const attributes: Record<string, StepAttribute> = sequenceAttributes(sequence)
  if (input.dtype === 'int8') {
    Object.assign(attributes, integerAttributes(node, operands))
  } else {
    attributes['activation'] = activation
    attributes['cellClip'] = Float32Array.of(cellClip)
    attributes['projectionClip'] = Float32Array.of(projectionClip)
    if (required(node, operands, 2).dtype === 'int8') {
      attributes['asymmetric'] = asymmetricInputs ? 1 : 0
      attributes['weightScale'] = Float32Array.from(WEIGHTS, (i) => scaleOf(node, operands, i))
      // The few peephole weights are made real here, by one float product each.
      for (const i of PEEPHOLE) inputs[i] = operands[i] ? realWeights(node, operands[i]) : null
    }
  }
  const weights = WEIGHTS.reduce((sum, i) => sum + (operands[i] ? elementCount(operands[i].shape) : 0), 0)
  const macs = elementCount(input.shape.slice(0, -1)) * weights
  return { kind: 'lstm', inputs, outputs: [output], attributes, macs }
}

function required(node: Node, operands: LstmOperands, i: number): Operand {
  const operand = operands[i]
  if (!operand) throw node.fail('FILE_INVALID', `operand ${i} of its LSTM is missing`)
  return operand
}

/** The scale of weights; 1 where they are absent. */
function scaleOf(node: Node, operands: LstmOperands, i: number): number {
  const operand = operands[i]
  return operand ? node.affine(operand).scale : 1
}

/**
 * Factors of int8 LSTMs, in float32 as the reference computes them. Gates are Q3.12 before their function; with layer
 * normalisation the sums before it have the scales of the intermediate tensors.
 *
 * @see LiteRT, kernels/unidirectional_sequence_lstm.cc: PopulateQuantizedLstmParams8x8_16.
 */
function integerAttributes(node: Node, operands: LstmOperands): Record<string, StepAttribute> {
  const f = Math.fround
  const hidden = node.intermediates[4]
  if (!hidden || node.intermediates.length !== 5) {
    throw node.fail('OPERATOR_UNSUPPORTED', 'an int8 LSTM runs with five intermediate tensors (8x8_16) only')
  }
  const input = codesOf(node, required(node, operands, 0))
  const last = codesOf(node, required(node, operands, OUTPUT_STATE))
  const cellState = required(node, operands, CELL_STATE)
  const cells = codesOf(node, cellState)
  const product = codesOf(node, hidden)
  const cellShift = Math.round(Math.log2(cells.scale))
  if (2 ** cellShift !== cells.scale || cellShift < -15 || cellShift > -9) {
    throw node.fail(
      'OPERATOR_UNSUPPORTED',
      `cells "${cellState.name}" have the scale ${cells.scale}; a power of two from 2^-15 to 2^-9 is supported`,
      { tensor: cellState.name, actual: cells.scale },
    )
  }
  const hasNorm = operands[23] !== null
  const gateScales = [0, 1, 2, 3].map((gate) => {
    const sums = node.intermediates[gate]
    if (!hasNorm || operands[1 + gate] === null) return 2 ** -12
    if (!sums) throw node.fail('FILE_INVALID', `intermediate tensor ${gate} is missing`)
    return node.affine(sums).scale
  })
  const gate = (i: number, scale: number, to: number) =>
    operands[i] ? f(f(scaleOf(node, operands, i) * scale) / (gateScales[to] as number)) : 1
  const peephole = (i: number, to: number) =>
    operands[i] ? f((2 ** cellShift * scaleOf(node, operands, i)) / (gateScales[to] as number)) : 1
  const norms = NORMS.map((i) => scaleOf(node, operands, i))
  const factors = [
    ...[0, 1, 2, 3].map((to) => gate(1 + to, input.scale, to)),
    ...[0, 1, 2, 3].map((to) => gate(5 + to, last.scale, to)),
    ...[peephole(9, 0), peephole(10, 1), peephole(11, 3)],
    operands[16] ? f(f(scaleOf(node, operands, 16) * product.scale) / last.scale) : 1,
    f((2 ** -15 / product.scale) * 2 ** -15),
    ...norms,
  ]
  const clip = (bound: number, scale: number, most: number) =>
    bound > 0 ? Math.trunc(Math.min(f(f(bound) / scale), most)) : 0
  const { cellClip, projectionClip } = node.attributes
  return {
    ...quantizeMultipliers(factors),
    varianceGuard: Int32Array.from(norms, (scale) =>
      Math.min(2 ** 31 - 1, Math.max(1, Math.trunc(f(10000 * scale)))),
    ),
    cellShift,
    cellClip: clip(cellClip, cells.scale, 32767),
    projectionClip: clip(projectionClip, last.scale, 127),
    inputZeroPoint: input.zeroPoint,
    stateZeroPoint: last.zeroPoint,
    hiddenZeroPoint: product.zeroPoint,
  }
}
