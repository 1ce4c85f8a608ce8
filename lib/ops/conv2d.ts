// CONV_2D: NHWC input, OHWI weights; groups where the input has a multiple of the weights' channels.

import { defineOp } from './contract.js'
import { type ConvWindow, checkRanks, inferConv, lowerConv, readConvWindow } from './conv-window.js'

export type Conv2dAttributes = ConvWindow

export const conv2d = defineOp<Conv2dAttributes>({
  name: 'conv2d',
  tflite: { type: 'CONV_2D', read: readConvWindow },

  infer(node) {
    const [input, weights] = [node.input(0), node.input(1)]
    checkRanks(node, input, weights)
    const [, , , channels = 0] = input.shape
    const [outputs = 0, , , perGroup = 0] = weights.shape
    const groups = channels / perGroup
    if (!(perGroup > 0 && Number.isInteger(groups) && groups > 0 && outputs % groups === 0)) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `weights have ${perGroup} input and ${outputs} output channels, the input has ${channels}`,
        { expected: channels, actual: perGroup },
      )
    }
    return [inferConv(node, outputs)]
  },

  lower(node) {
    return lowerConv(node, {
      kind: 'conv',
      channelAxis: 0,
      asymmetricInputs: (weights) => weights.quantization?.scale.length === weights.shape[0],
      depth: node.input(1).shape[3] ?? 0,
    })
  },
})
