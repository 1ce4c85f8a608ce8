// DEPTHWISE_CONV_2D: NHWC input, weights [1, height, width, channels * multiplier].

import { defineOp } from './contract.js'
import { type ConvWindow, checkRanks, inferConv, lowerConv, readConvWindow } from './conv-window.js'

export type DepthwiseConv2dAttributes = ConvWindow

export const depthwiseConv2d = defineOp<DepthwiseConv2dAttributes>({
  name: 'depthwise_conv2d',
  // The file's depth_multiplier is redundant: the reference derives it from the shapes, and so does lowbit.
  tflite: { type: 'DEPTHWISE_CONV_2D', read: readConvWindow },

  infer(node) {
    const [input, weights] = [node.input(0), node.input(1)]
    checkRanks(node, input, weights)
    const [, , , channels = 0] = input.shape
    const [one = 0, , , outputs = 0] = weights.shape
    if (one !== 1 || channels < 1 || outputs < 1 || outputs % channels !== 0) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `weights must be [1, height, width, n x ${channels}], they are [${weights.shape.join(', ')}]`,
        { expected: channels, actual: outputs },
      )
    }
    return [inferConv(node, outputs)]
  },

  lower(node) {
    const outputs = node.input(1).shape[3] ?? 0
    return lowerConv(node, {
      kind: 'depthwise',
      channelAxis: 3,
      asymmetricInputs: () => true,
      depth: 1,
      attributes: { depthMultiplier: outputs / (node.input(0).shape[3] ?? 1) },
    })
  },
})
