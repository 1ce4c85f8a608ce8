// DEPTHWISE_CONV_2D: NHWC input, weights [1, height, width, channels * multiplier].

import { elementCount } from '../tensor/shape.js'
import { defineOp } from './contract.js'
import { type ConvWindow, checkRanks, convGeometry, readConvWindow } from './conv-window.js'
import { checkBias, layerStep } from './layer.js'

export type DepthwiseConv2dAttributes = ConvWindow

export const depthwiseConv2d = defineOp<DepthwiseConv2dAttributes>({
  name: 'depthwise_conv2d',
  // The file's depth_multiplier is redundant: the reference derives it from the shapes, and so does lowbit.
  tflite: { type: 'DEPTHWISE_CONV_2D', read: readConvWindow },

  infer(node) {
    const input = node.input(0)
    const weights = node.input(1)
    checkRanks(node, input, weights)
    const [batch = 0, , , channels = 0] = input.shape
    const [one = 0, height = 0, width = 0, outputs = 0] = weights.shape
    if (one !== 1 || channels < 1 || outputs < 1 || outputs % channels !== 0) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `weights must be [1, height, width, n x ${channels}], they are [${weights.shape.join(', ')}]`,
        { expected: channels, actual: outputs },
      )
    }
    checkBias(node, outputs)
    const { outputHeight, outputWidth } = convGeometry(node, input, height, width)
    return [{ shape: [batch, outputHeight, outputWidth, outputs], dtype: node.output(0).dtype }]
  },

  lower(node) {
    const input = node.input(0)
    const weights = node.input(1)
    const output = node.output(0)
    const [, height = 0, width = 0, outputs = 0] = weights.shape
    const layer = layerStep(node, {
      activation: node.attributes.activation,
      channelAxis: 3,
      rounding: 'twice',
      asymmetricInputs: () => true,
      weightZeroPoint: false,
    })
    return {
      steps: [
        {
          kind: 'depthwise',
          ...layer,
          attributes: {
            ...layer.attributes,
            ...convGeometry(node, input, height, width).attributes,
            depthMultiplier: outputs / (input.shape[3] ?? 1),
          },
          macs: elementCount(output.shape) * height * width,
        },
      ],
    }
  },
})
