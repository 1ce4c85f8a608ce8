// Plain recurrent layers, h = activation(W x + R h + bias), which keep h from run to run: RNN over one moment,
// UNIDIRECTIONAL_SEQUENCE_RNN over sequences, BIDIRECTIONAL_SEQUENCE_RNN both ways.

import { elementCount, type Shape } from '../tensor/shape.js'
import { expectInputs, expectRank } from './checks.js'
import {
  defineOp,
  type NodeContext,
  type Op,
  type Operand,
  type Step,
  type StepAttribute,
} from './contract.js'
import {
  backwardInput,
  directions,
  expectActivation,
  expectVariable,
  inferDirections,
  type Sequence,
  sequenceAttributes,
} from './recurrent.js'

interface RnnAttributes {
  /** Number of the schema's `ActivationFunctionType`. */
  readonly activation: number
  readonly asymmetricInputs: boolean
  readonly timeMajor: boolean
  readonly merged: boolean
}

type Node = NodeContext<RnnAttributes>

const read = (options: Readonly<Record<string, unknown>>): RnnAttributes => ({
  activation: Number(options['fusedActivationFunction'] ?? 0),
  asymmetricInputs: Boolean(options['asymmetricQuantizeInputs'] ?? false),
  timeMajor: Boolean(options['timeMajor'] ?? false),
  merged: Boolean(options['mergeOutputs'] ?? false),
})

/** Weights, recurrent weights, bias and state from operand `first`. */
function inferLayer(node: Node, input: Operand, first: number): Shape {
  expectActivation(node, node.attributes.activation)
  expectVariable(node, node.input(first + 3))
  expectRank(node, node.input(first), 2)
  return [...input.shape.slice(0, -1), node.input(first).shape[0] ?? 0]
}

function layerStep(node: Node, input: Operand, first: number, output: Operand, sequence: Sequence): Step {
  const { activation, asymmetricInputs } = node.attributes
  const operands = [0, 1, 2, 3].map((i) => node.input(first + i))
  const [weights, recurrent] = [node.input(first), node.input(first + 1)]
  const attributes: Record<string, StepAttribute> = { ...sequenceAttributes(sequence), activation }
  if (weights.dtype === 'int8') {
    attributes['asymmetric'] = asymmetricInputs ? 1 : 0
    attributes['weightScale'] = Float32Array.of(node.affine(weights).scale, node.affine(recurrent).scale)
  }
  const macs =
    elementCount(input.shape.slice(0, -1)) * (elementCount(weights.shape) + elementCount(recurrent.shape))
  return { kind: 'rnn', inputs: [input, ...operands], outputs: [output], attributes, macs }
}

function oneWay(name: string, type: string, rank: number): Op {
  return defineOp<RnnAttributes>({
    name,
    tflite: { type, read },
    stateInputs: [4],
    infer(node) {
      expectInputs(node, 5)
      expectRank(node, node.input(0), rank)
      return [{ shape: inferLayer(node, node.input(0), 1), dtype: node.input(0).dtype }]
    },
    lower(node) {
      const sequence = { timeMajor: node.attributes.timeMajor, reversed: false }
      return { steps: [layerStep(node, node.input(0), 1, node.output(0), sequence)] }
    },
  })
}

export const rnn = oneWay('rnn', 'RNN', 2)
export const unidirectionalSequenceRnn = oneWay(
  'unidirectional_sequence_rnn',
  'UNIDIRECTIONAL_SEQUENCE_RNN',
  3,
)

const AUXILIARY = 9
const AUXILIARY_WEIGHTS = [10, 11]

export const bidirectionalSequenceRnn = defineOp<RnnAttributes>({
  name: 'bidirectional_sequence_rnn',
  tflite: { type: 'BIDIRECTIONAL_SEQUENCE_RNN', read },
  stateInputs: [4, 8],
  infer(node) {
    expectInputs(node, 9, 12)
    expectRank(node, node.input(0), 3)
    const backward = backwardInput(node, AUXILIARY, AUXILIARY_WEIGHTS)
    const shapes = [inferLayer(node, node.input(0), 1), inferLayer(node, backward, 5)] as const
    return inferDirections(node, ...shapes, node.attributes.merged)
  },
  lower(node) {
    const { timeMajor, merged } = node.attributes
    const [forward, backward] = [node.input(0), backwardInput(node, AUXILIARY, AUXILIARY_WEIGHTS)]
    const shapes = [inferLayer(node, forward, 1), inferLayer(node, backward, 5)] as const
    const steps = directions(node, ...shapes, merged, (output, reversed) =>
      layerStep(node, reversed ? backward : forward, reversed ? 5 : 1, output, { timeMajor, reversed }),
    )
    return { steps }
  },
})
