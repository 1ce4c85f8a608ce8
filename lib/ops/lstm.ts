// LSTMs, which keep their last output and their cells from run to run: UNIDIRECTIONAL_SEQUENCE_LSTM over sequences, LSTM
// over one moment, BIDIRECTIONAL_SEQUENCE_LSTM both ways.

import { expectRank } from './checks.js'
import { defineOp, type NodeContext } from './contract.js'
import {
  CELL_STATE,
  inferLstm,
  LSTM_OPERANDS,
  type LstmAttributes,
  type LstmOperands,
  lstmAttributesOf,
  lstmStep,
  OUTPUT_STATE,
} from './lstm-step.js'
import { backwardInput, directions, inferDirections } from './recurrent.js'

interface SequenceAttributes extends LstmAttributes {
  readonly timeMajor: boolean
}

/** The first 24 operands of the file have the step's order. */
function operandsOf(node: NodeContext<unknown>): LstmOperands {
  return Array.from({ length: LSTM_OPERANDS }, (_, i) => node.inputs[i] ?? null)
}

export const unidirectionalSequenceLstm = defineOp<SequenceAttributes>({
  name: 'unidirectional_sequence_lstm',
  tflite: {
    type: 'UNIDIRECTIONAL_SEQUENCE_LSTM',
    read: (options) => ({
      ...lstmAttributesOf(options),
      timeMajor: Boolean(options['timeMajor'] ?? false),
    }),
  },
  stateInputs: [OUTPUT_STATE, CELL_STATE],
  infer(node) {
    expectRank(node, node.input(0), 3)
    return [{ shape: inferLstm(node, operandsOf(node)), dtype: node.input(0).dtype }]
  },
  lower(node) {
    const { timeMajor } = node.attributes
    return { steps: [lstmStep(node, operandsOf(node), node.output(0), { timeMajor, reversed: false })] }
  },
})

interface MomentAttributes extends LstmAttributes {
  /** Number of the schema's `LSTMKernelType`. */
  readonly kernel: number
}

export const lstm = defineOp<MomentAttributes>({
  name: 'lstm',
  tflite: {
    type: 'LSTM',
    read: (options) => ({ ...lstmAttributesOf(options), kernel: Number(options['kernelType'] ?? 0) }),
  },
  stateInputs: [OUTPUT_STATE, CELL_STATE],
  infer(node) {
    if (node.attributes.kernel !== 0) {
      throw node.fail('OPERATOR_UNSUPPORTED', 'the BASIC kernel is not supported, only FULL', {
        actual: node.attributes.kernel,
      })
    }
    expectRank(node, node.input(0), 2)
    return [{ shape: inferLstm(node, operandsOf(node)), dtype: node.input(0).dtype }]
  },
  lower(node) {
    const sequence = { timeMajor: false, reversed: false }
    return { steps: [lstmStep(node, operandsOf(node), node.output(0), sequence)] }
  },
})

interface BidirectionalAttributes extends SequenceAttributes {
  readonly merged: boolean
}

const AUXILIARY = 39
const AUXILIARY_WEIGHTS = [40, 41, 42, 43, 44, 45, 46, 47]

/** Operands of one direction: 17 weights and biases from `first`, state from `state`. */
function directionOf(node: NodeContext<unknown>, isBackward: boolean): LstmOperands {
  const [first, state] = isBackward ? [18, 37] : [1, 35]
  const input = isBackward ? backwardInput(node, AUXILIARY, AUXILIARY_WEIGHTS) : node.input(0)
  const at = (i: number) => node.inputs[i] ?? null
  return [
    input,
    ...Array.from({ length: 17 }, (_, i) => at(first + i)),
    at(state),
    at(state + 1),
    null,
    null,
    null,
    null,
  ]
}

export const bidirectionalSequenceLstm = defineOp<BidirectionalAttributes>({
  name: 'bidirectional_sequence_lstm',
  tflite: {
    type: 'BIDIRECTIONAL_SEQUENCE_LSTM',
    read: (options) => ({
      ...lstmAttributesOf(options),
      timeMajor: Boolean(options['timeMajor'] ?? true),
      merged: Boolean(options['mergeOutputs'] ?? false),
    }),
  },
  stateInputs: [35, 36, 37, 38],
  infer(node) {
    expectRank(node, node.input(0), 3)
    const [forward, backward] = [false, true].map((isBackward) =>
      inferLstm(node, directionOf(node, isBackward)),
    )
    return inferDirections(node, forward ?? [], backward ?? [], node.attributes.merged)
  },
  lower(node) {
    const { timeMajor, merged } = node.attributes
    const [forward, backward] = [directionOf(node, false), directionOf(node, true)]
    const steps = directions(
      node,
      inferLstm(node, forward),
      inferLstm(node, backward),
      merged,
      (output, reversed) => lstmStep(node, reversed ? backward : forward, output, { timeMajor, reversed }),
    )
    return { steps }
  },
})
