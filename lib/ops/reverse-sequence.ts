// REVERSE_SEQUENCE: the first elements of each sequence in reverse, as many as its length says.

import { axisOf, expectDtype, expectInputs, expectRank, MOVABLE } from './checks.js'
import { defineOp, type NodeContext } from './contract.js'

interface ReverseAttributes {
  readonly timeAxis: number
  readonly batchAxis: number
}

function axesOf(node: NodeContext<ReverseAttributes>): { timeAxis: number; batchAxis: number } {
  const rank = node.input(0).shape.length
  const { timeAxis, batchAxis } = node.attributes
  return { timeAxis: axisOf(node, timeAxis, rank), batchAxis: axisOf(node, batchAxis, rank) }
}

export const reverseSequence = defineOp<ReverseAttributes>({
  name: 'reverse_sequence',
  tflite: {
    type: 'REVERSE_SEQUENCE',
    read: (options) => ({
      timeAxis: Number(options['seqDim'] ?? 0),
      batchAxis: Number(options['batchDim'] ?? 0),
    }),
  },
  infer(node) {
    expectInputs(node, 2)
    const [input, lengths] = [node.input(0), node.input(1)]
    expectDtype(node, input, MOVABLE)
    expectDtype(node, lengths, ['int32', 'int64'])
    expectRank(node, lengths, 1)
    const { timeAxis, batchAxis } = axesOf(node)
    if (timeAxis === batchAxis) {
      throw node.fail('FILE_INVALID', `sequences and batches both lie along dimension ${timeAxis}`)
    }
    const batches = input.shape[batchAxis] as number
    if (lengths.shape[0] !== batches) {
      throw node.fail('SHAPE_MISMATCH', `${lengths.shape[0]} lengths for ${batches} sequences`, {
        tensor: lengths.name,
        expected: batches,
        actual: lengths.shape[0],
      })
    }
    return [{ shape: input.shape, dtype: input.dtype }]
  },
  lower(node) {
    const inputs = [node.input(0), node.input(1)]
    return {
      steps: [
        { kind: 'reverse_sequence', inputs, outputs: [node.output(0)], attributes: { ...axesOf(node) } },
      ],
    }
  },
})
