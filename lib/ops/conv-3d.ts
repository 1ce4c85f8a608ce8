// CONV_3D: a convolution of float32 over three dimensions, NDHWC input, weights [depth, height, width, inputs, outputs].

import { elementCount, shapeText } from '../tensor/shape.js'
import { floatActivationRange } from './activation.js'
import { expectClamp, expectDtype, expectInputs, expectRank } from './checks.js'
import { defineOp, type NodeContext } from './contract.js'
import { windowGeometry } from './window.js'

interface Conv3dAttributes {
  /** Number of the schema's `Padding`. */
  readonly padding: number
  readonly stride: readonly [number, number, number]
  readonly dilation: readonly [number, number, number]
  readonly activation: number
}

function geometry(node: NodeContext<Conv3dAttributes>): { output: number; padBefore: number }[] {
  const { padding, stride, dilation } = node.attributes
  const [input, weights] = [node.input(0).shape, node.input(1).shape]
  return [0, 1, 2].map((d) => {
    const [extent = 0, filter = 0] = [input[d + 1], weights[d]]
    const [step = 0, reach = 0] = [stride[d], dilation[d]]
    if (step < 1 || reach < 1 || filter < 1) {
      throw node.fail(
        'FILE_INVALID',
        `stride ${step}, dilation ${reach}, filter ${filter}: each must be at least 1`,
      )
    }
    const found = windowGeometry({ input: extent, filter, stride: step, dilation: reach, padding })
    if (found.output >= 1) return found
    throw node.fail('SHAPE_MISMATCH', `a filter of ${filter} does not fit into an input of ${extent}`, {
      actual: extent,
    })
  })
}

export const conv3d = defineOp<Conv3dAttributes>({
  name: 'conv_3d',
  tflite: {
    type: 'CONV_3D',
    read: (options) => {
      const number = (name: string, otherwise: number) => Number(options[name] ?? otherwise)
      return {
        padding: number('padding', 0),
        stride: [number('strideD', 0), number('strideH', 0), number('strideW', 0)],
        dilation: [number('dilationDFactor', 1), number('dilationHFactor', 1), number('dilationWFactor', 1)],
        activation: number('fusedActivationFunction', 0),
      }
    },
  },
  infer(node) {
    expectInputs(node, 2, 3)
    const [input, weights] = [node.input(0), node.input(1)]
    for (const operand of [input, weights]) {
      expectDtype(node, operand, ['float32'])
      expectRank(node, operand, 5)
    }
    expectClamp(node, node.attributes.activation)
    const [outputs = 0, bias] = [weights.shape[4], node.inputs[2]]
    if (input.shape[4] !== weights.shape[3] || (bias && elementCount(bias.shape) !== outputs)) {
      const shapes = [input, weights, ...(bias ? [bias] : [])].map(({ shape }) => shapeText(shape)).join(', ')
      throw node.fail('SHAPE_MISMATCH', `channels of input, weights and bias do not fit: ${shapes}`, {
        expected: weights.shape,
        actual: input.shape,
      })
    }
    const extents = geometry(node).map(({ output }) => output)
    return [{ shape: [input.shape[0] as number, ...extents, outputs], dtype: 'float32' }]
  },
  lower(node) {
    const { stride, dilation, activation } = node.attributes
    const { low, high } = floatActivationRange(activation)
    const attributes = {
      stride: Int32Array.from(stride),
      dilation: Int32Array.from(dilation),
      padBefore: Int32Array.from(geometry(node), ({ padBefore }) => padBefore),
      lowReal: Float32Array.of(low),
      highReal: Float32Array.of(high),
    }
    const output = node.output(0)
    const macs = elementCount(output.shape) * elementCount(node.input(1).shape.slice(0, 4))
    const inputs = [node.input(0), node.input(1), node.inputs[2] ?? null]
    return { steps: [{ kind: 'conv3d', inputs, outputs: [output], attributes, macs }] }
  },
})
