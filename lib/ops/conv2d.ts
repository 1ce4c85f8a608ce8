// CONV_2D: NHWC input, OHWI weights; groups where the input has a multiple of the weights' channels.

import { elementCount } from '../tensor/shape.js'
import { defineOp } from './contract.js'
import { type ConvWindow, checkRanks, convGeometry, readConvWindow } from './conv-window.js'
import { checkBias, layerStep } from './layer.js'

export type Conv2dAttributes = ConvWindow

export const conv2d = defineOp<Conv2dAttributes>({
  name: 'conv2d',
  tflite: { type: 'CONV_2D', read: readConvWindow },

  infer(node) {
    const input = node.input(0)
    const weights = node.input(1)
    checkRanks(node, input, weights)
    const [batch = 0, , , channels = 0] = input.shape
    const [outputs = 0, height = 0, width = 0, perGroup = 0] = weights.shape
    const groups = channels / perGroup
    if (!(perGroup > 0 && Number.isInteger(groups) && groups > 0 && outputs % groups === 0)) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `weights have ${perGroup} input and ${outputs} output channels, the input has ${channels}`,
        { expected: channels, actual: perGroup },
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
    const [, height = 0, width = 0, perGroup = 0] = weights.shape
    const layer = layerStep(node, {
      activation: node.attributes.activation,
      channelAxis: 0,
      rounding: 'twice',
      asymmetricInputs: (weights) => weights.quantization?.scale.length === weights.shape[0],
      weightZeroPoint: false,
    })
    return {
      steps: [
        {
          kind: 'conv',
          ...layer,
          attributes: {
            ...layer.attributes,
            ...convGeometry(node, input, height, width).attributes,
          },
          macs: elementCount(output.shape) * height * width * perGroup,
        },
      ],
    }
  },
})
