// LOCAL_RESPONSE_NORMALIZATION: each element over a power of the squares of its neighbours along the last dimension.

import { expectDtype, expectInputs, expectRank } from './checks.js'
import { defineOp } from './contract.js'

interface LocalAttributes {
  /** Neighbours on either side. */
  readonly radius: number
  readonly bias: number
  readonly alpha: number
  readonly beta: number
}

export const localResponseNormalization = defineOp<LocalAttributes>({
  name: 'local_response_normalization',
  tflite: {
    type: 'LOCAL_RESPONSE_NORMALIZATION',
    read: (options) => ({
      radius: Number(options['radius'] ?? 0),
      bias: Number(options['bias'] ?? 0),
      alpha: Number(options['alpha'] ?? 0),
      beta: Number(options['beta'] ?? 0),
    }),
  },
  infer(node) {
    expectInputs(node, 1)
    const { shape, dtype } = node.input(0)
    expectDtype(node, node.input(0), ['float32'])
    expectRank(node, node.input(0), 4)
    const { radius } = node.attributes
    if (radius < 0) throw node.fail('FILE_INVALID', `a radius of ${radius}`, { actual: radius })
    return [{ shape, dtype }]
  },
  lower(node) {
    const { radius, bias, alpha, beta } = node.attributes
    const attributes = {
      radius,
      bias: Float32Array.of(bias),
      alpha: Float32Array.of(alpha),
      beta: Float32Array.of(beta),
    }
    return { steps: [{ kind: 'local_norm', inputs: [node.input(0)], outputs: [node.output(0)], attributes }] }
  },
})
