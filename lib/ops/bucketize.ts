// BUCKETIZE: the number of the bucket that each element falls into.

import { expectDtype, expectInputs } from './checks.js'
import { defineOp } from './contract.js'

interface BucketizeAttributes {
  /** Ascending; an element equal to one lies above it. */
  readonly boundaries: readonly number[]
}

export const bucketize = defineOp<BucketizeAttributes>({
  name: 'bucketize',
  tflite: {
    type: 'BUCKETIZE',
    read: (options) => ({ boundaries: (options['boundaries'] ?? []) as readonly number[] }),
  },
  infer(node) {
    expectInputs(node, 1)
    expectDtype(node, node.input(0), ['int32', 'int64', 'float32'])
    const { boundaries } = node.attributes
    const stray = boundaries.findIndex(
      (bound, i) => Number.isNaN(bound) || bound < (boundaries[i - 1] ?? Number.NEGATIVE_INFINITY),
    )
    if (stray >= 0) {
      throw node.fail('FILE_INVALID', `boundary ${stray} (${boundaries[stray]}) does not ascend`, {
        actual: boundaries[stray],
      })
    }
    return [{ shape: node.input(0).shape, dtype: 'int32' }]
  },
  lower(node) {
    const boundaries = Float32Array.from(node.attributes.boundaries)
    const attributes = { count: boundaries.length, boundaries }
    return { steps: [{ kind: 'bucketize', inputs: [node.input(0)], outputs: [node.output(0)], attributes }] }
  },
})
