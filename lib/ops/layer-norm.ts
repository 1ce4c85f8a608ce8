// Rows along the last dimension, brought to mean 0 and variance 1, times gamma, plus beta: what graphs make of the
// operators that a file spells it with (graph/passes/fuse-layer-norm.ts); no file has it.

import { expectDtype, expectRank } from './checks.js'
import { defineOp } from './contract.js'

export interface LayerNormAttributes {
  readonly epsilon: number
}

export const layerNorm = defineOp<LayerNormAttributes>({
  name: 'layer_norm',
  tflite: { type: 'LOWBIT_LAYER_NORM', read: ({ epsilon }) => ({ epsilon: Number(epsilon) }) },
  infer(node) {
    const { shape, dtype } = node.input(0)
    expectDtype(node, node.input(0), ['float32'])
    expectRank(node, node.input(0), 1, 8)
    return [{ shape, dtype }]
  },
  lower(node) {
    const attributes = { epsilon: Float32Array.of(node.attributes.epsilon) }
    return {
      steps: [{ kind: 'layer_norm', inputs: node.inputs, outputs: [node.output(0)], attributes, inPlace: 0 }],
    }
  },
})
