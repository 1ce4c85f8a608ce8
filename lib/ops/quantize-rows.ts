// Rows of float32 as int8 codes, each with a scale and a zero point of its own: what fully connected layers with integer
// weights do with their input, as a node that several of them share (graph/passes/share-quantization.ts); no file has it.

import { expectDtype, expectRank } from './checks.js'
import { defineOp } from './contract.js'

export interface QuantizeRowsAttributes {
  /** Elements of a row. */
  readonly depth: number
  /** Whether rows have a zero point, or 0. */
  readonly asymmetric: boolean
}

export const quantizeRows = defineOp<QuantizeRowsAttributes>({
  name: 'quantize_rows',
  tflite: {
    type: 'LOWBIT_QUANTIZE_ROWS',
    read: ({ depth, asymmetric }) => ({ depth: Number(depth), asymmetric: Boolean(asymmetric) }),
  },
  infer(node) {
    const { shape } = node.input(0)
    expectDtype(node, node.input(0), ['float32'])
    expectRank(node, node.input(0), 1, 8)
    const rows = shape.reduce((size, extent) => size * extent, 1) / node.attributes.depth
    return [
      { shape, dtype: 'int8' },
      { shape: [rows], dtype: 'float32' },
      { shape: [rows], dtype: 'int32' },
    ]
  },
  lower(node) {
    const { depth, asymmetric } = node.attributes
    return {
      steps: [
        {
          kind: 'quantize_rows',
          inputs: [node.input(0)],
          outputs: [node.output(0), node.output(1), node.output(2)],
          attributes: { depth, asymmetric: Number(asymmetric) },
        },
      ],
    }
  },
})
