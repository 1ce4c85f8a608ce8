// FULLY_CONNECTED: [.., depth] x weights [channels, depth] -> [batch, channels], or all leading dimensions kept.

import { elementCount, shapeText } from '../tensor/shape.js'
import { defineOp } from './contract.js'
import { blockwiseStep } from './fully-connected-blockwise.js'
import { checkBias, layerStep } from './layer.js'

export interface FullyConnectedAttributes {
  /** Number of the schema's `ActivationFunctionType`. */
  readonly activation: number
  readonly keepDims: boolean
  /** Float inputs of layers with integer weights are quantised with a zero point. */
  readonly asymmetricInputs: boolean
  /** Number of the schema's `FullyConnectedOptionsWeightsFormat`. */
  readonly weightsFormat: number
  /** Set by graph/passes/share-quantization.ts: the input is quantised already. */
  readonly quantizedRows?: boolean
}

export const fullyConnected = defineOp<FullyConnectedAttributes>({
  name: 'fully_connected',
  tflite: {
    type: 'FULLY_CONNECTED',
    read: (options) => ({
      activation: Number(options['fusedActivationFunction'] ?? 0),
      keepDims: Boolean(options['keepNumDims'] ?? false),
      asymmetricInputs: Boolean(options['asymmetricQuantizeInputs'] ?? false),
      weightsFormat: Number(options['weightsFormat'] ?? 0),
    }),
  },

  blockwiseInputs: [1],

  infer(node) {
    const input = node.input(0)
    const weights = node.input(1)
    if (node.attributes.weightsFormat !== 0) {
      throw node.fail('OPERATOR_UNSUPPORTED', 'shuffled weights are not supported, only the default format')
    }
    if (weights.shape.length !== 2) {
      throw node.fail('SHAPE_MISMATCH', `weights must have rank 2, they are ${shapeText(weights.shape)}`, {
        expected: 2,
        actual: weights.shape.length,
      })
    }
    const [channels = 0, depth = 0] = weights.shape
    const count = elementCount(input.shape)
    const { keepDims } = node.attributes
    if (!(depth > 0) || count % depth !== 0 || (keepDims && input.shape.at(-1) !== depth)) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `weights take rows of ${depth}, the input is ${shapeText(input.shape)}`,
        {
          expected: depth,
          actual: input.shape,
        },
      )
    }
    checkBias(node, channels)
    const leading = keepDims ? input.shape.slice(0, -1) : [count / depth]
    return [{ shape: [...leading, channels], dtype: node.output(0).dtype }]
  },

  lower(node) {
    const weights = node.input(1)
    const output = node.output(0)
    const { activation, asymmetricInputs, quantizedRows = false } = node.attributes
    if (weights.blockwise) return { steps: [blockwiseStep(node, activation)] }
    const layer = layerStep(node, {
      activation,
      channelAxis: 0,
      rounding: 'once',
      // The reference's int4 path is symmetric whatever the option says.
      asymmetricInputs: ({ dtype }) => asymmetricInputs && dtype !== 'int4',
      weightZeroPoint: true,
      quantizedRows,
    })
    return {
      steps: [
        {
          kind: 'fully_connected',
          ...layer,
          macs: elementCount(output.shape) * (weights.shape[1] ?? 0),
        },
      ],
    }
  },
})
