// UNIDIRECTIONAL_SEQUENCE_LSTM: sequences through an LSTM that keeps its last output and its cells from run to run.

import { quantizeMultipliers } from '../numerics/fixed-point.js'
import { shapeText } from '../tensor/shape.js'
import { codesOf, expectRank } from './checks.js'
import { defineOp, type NodeContext, type Operand, type StepAttribute } from './contract.js'
import { realWeights } from './real-weights.js'

export interface LstmAttributes {
  /** Number of the schema's `ActivationFunctionType`: of the cell gate and of the cells. */
  readonly activation: number
  /** Bounds of cells and projected outputs in real units; 0 for none. */
  readonly cellClip: number
  readonly projectionClip: number
  /** [time, batch, inputs] instead of [batch, time, inputs]. */
  readonly timeMajor: boolean
  readonly asymmetricInputs: boolean
}

type Node = NodeContext<LstmAttributes>

/** Places of the operands that native/program/steps/lstm.h lists. */
const OUTPUT_STATE = 18
const CELL_STATE = 19
const OPERANDS = 20
/** Input weights of the four gates, then recurrent weights, then the projection. */
const WEIGHTS = [1, 2, 3, 4, 5, 6, 7, 8, 16] as const
const PEEPHOLE = [9, 10, 11] as const

export const unidirectionalSequenceLstm = defineOp<LstmAttributes>({
  name: 'unidirectional_sequence_lstm',
  tflite: {
    type: 'UNIDIRECTIONAL_SEQUENCE_LSTM',
    read: (options) => ({
      activation: Number(options['fusedActivationFunction'] ?? 0),
      cellClip: Number(options['cellClip'] ?? 0),
      projectionClip: Number(options['projClip'] ?? 0),
      timeMajor: Boolean(options['timeMajor'] ?? false),
      asymmetricInputs: Boolean(options['asymmetricQuantizeInputs'] ?? false),
    }),
  },
  stateInputs: [OUTPUT_STATE, CELL_STATE],

  infer(node) {
    const input = node.input(0)
    const recurrent = node.input(8)
    if (node.inputs.slice(OPERANDS).some((operand) => operand !== null)) {
      throw node.fail('OPERATOR_UNSUPPORTED', 'layer normalisation in an LSTM is not supported')
    }
    for (const i of [OUTPUT_STATE, CELL_STATE]) {
      if (node.input(i).state !== undefined) continue
      const { name } = node.input(i)
      throw node.fail('FILE_INVALID', `tensor "${name}" must be a variable`, { tensor: name })
    }
    expectRank(node, input, 3)
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
    if (activation > 4) {
      throw node.fail('OPERATOR_UNSUPPORTED', `activation ${activation} is not supported`, {
        actual: activation,
      })
    }
    return [{ shape: [...input.shape.slice(0, 2), recurrent.shape[1] ?? 0], dtype: input.dtype }]
  },

  lower(node) {
    const { activation, cellClip, projectionClip, timeMajor, asymmetricInputs } = node.attributes
    const operands: (Operand | null)[] = Array.from({ length: OPERANDS }, (_, i) => node.inputs[i] ?? null)
    const input = node.input(0)
    const attributes: Record<string, StepAttribute> = { timeMajor: timeMajor ? 1 : 0 }
    if (input.dtype === 'int8') {
      Object.assign(attributes, integerAttributes(node))
    } else {
      attributes['activation'] = activation
      attributes['cellClip'] = Float32Array.of(cellClip)
      attributes['projectionClip'] = Float32Array.of(projectionClip)
      if (node.input(2).dtype === 'int8') {
        attributes['asymmetric'] = asymmetricInputs ? 1 : 0
        attributes['weightScale'] = Float32Array.from(WEIGHTS, (i) => scaleOf(node, i))
        // The few peephole weights are made real here, by one float product each.
        for (const i of PEEPHOLE) operands[i] = operands[i] ? realWeights(node, node.input(i)) : null
      }
    }
    const times = input.shape[timeMajor ? 0 : 1] ?? 0
    const batches = input.shape[timeMajor ? 1 : 0] ?? 0
    const weights = WEIGHTS.reduce(
      (sum, i) => sum + (node.inputs[i]?.shape ?? [0]).reduce((a, b) => a * b, 1),
      0,
    )
    return {
      steps: [
        {
          kind: 'lstm',
          inputs: operands,
          outputs: [node.output(0)],
          attributes,
          macs: times * batches * weights,
        },
      ],
    }
  },
})

/** The scale of weights; 1 where they are absent. */
function scaleOf(node: Node, i: number): number {
  return node.inputs[i] ? node.affine(node.input(i)).scale : 1
}

/**
 * Factors of int8 LSTMs, in float32 as the reference computes them: gates are Q3.12 before their function.
 *
 * @see LiteRT, kernels/unidirectional_sequence_lstm.cc: PopulateQuantizedLstmParams8x8_16.
 */
function integerAttributes(node: Node): Record<string, StepAttribute> {
  const f = Math.fround
  const hidden = node.intermediates[4]
  if (!hidden) throw node.fail('FILE_INVALID', 'an int8 LSTM needs five intermediate tensors')
  const input = codesOf(node, node.input(0))
  const last = codesOf(node, node.input(OUTPUT_STATE))
  const cells = codesOf(node, node.input(CELL_STATE))
  const product = codesOf(node, hidden)
  const cellShift = Math.round(Math.log2(cells.scale))
  if (2 ** cellShift !== cells.scale || cellShift < -15 || cellShift > -9) {
    const { name } = node.input(CELL_STATE)
    throw node.fail(
      'OPERATOR_UNSUPPORTED',
      `cells "${name}" have the scale ${cells.scale}; a power of two from 2^-15 to 2^-9 is supported`,
      { tensor: name, actual: cells.scale },
    )
  }
  const GATE = 2 ** -12
  const gate = (i: number, scale: number) => (node.inputs[i] ? f(f(scaleOf(node, i) * scale) / GATE) : 1)
  const factors = [
    ...[1, 2, 3, 4].map((i) => gate(i, input.scale)),
    ...[5, 6, 7, 8].map((i) => gate(i, last.scale)),
    ...PEEPHOLE.map((i) => (node.inputs[i] ? f((2 ** cellShift * scaleOf(node, i)) / GATE) : 1)),
    node.inputs[16] ? f(f(scaleOf(node, 16) * product.scale) / last.scale) : 1,
    f((2 ** -15 / product.scale) * 2 ** -15),
  ]
  const clip = (bound: number, scale: number, most: number) =>
    bound > 0 ? Math.trunc(Math.min(f(f(bound) / scale), most)) : 0
  const { cellClip, projectionClip } = node.attributes
  return {
    ...quantizeMultipliers(factors),
    cellShift,
    cellClip: clip(cellClip, cells.scale, 32767),
    projectionClip: clip(projectionClip, last.scale, 127),
    inputZeroPoint: input.zeroPoint,
    stateZeroPoint: last.zeroPoint,
    hiddenZeroPoint: product.zeroPoint,
  }
}
