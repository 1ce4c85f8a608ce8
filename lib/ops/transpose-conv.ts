// TRANSPOSE_CONV: operands are the output's shape, weights OHWI, input NHWC and perhaps a bias.

import type { OptionValue } from '../model/model.js'
import { elementCount, shapeText } from '../tensor/shape.js'
import { constants } from './checks.js'
import { defineOp, type NodeContext, type Operand } from './contract.js'
import { checkRanks } from './conv-window.js'
import { checkBias, layerStep } from './layer.js'
import { windowGeometry } from './window.js'

export interface TransposeConvAttributes {
  /** Number of the schema's `Padding`. */
  readonly padding: number
  readonly stride: readonly [number, number]
  readonly activation: number
}

function read(options: Readonly<Record<string, OptionValue>>): TransposeConvAttributes {
  return {
    padding: Number(options['padding'] ?? 0),
    stride: [Number(options['strideH'] ?? 1), Number(options['strideW'] ?? 1)],
    activation: Number(options['fusedActivationFunction'] ?? 0),
  }
}

/** The same node with its operands in the order of a convolution: input, weights, bias. */
function asConvolution<A>(node: NodeContext<A>): NodeContext<A> {
  const inputs = [node.inputs[2] ?? null, node.inputs[1] ?? null, node.inputs[3] ?? null]
  const order = [2, 1, 3]
  return {
    origin: node.origin,
    attributes: node.attributes,
    inputs,
    outputs: node.outputs,
    intermediates: node.intermediates,
    called: node.called,
    input: (i) => node.input(order[i] ?? i),
    output: (i) => node.output(i),
    affine: (operand) => node.affine(operand),
    constantInts: (operand) => node.constantInts(operand),
    fail: (code, message, facts) => node.fail(code, message, facts),
  }
}

/** Padding before the output's first row and column. */
function padding(node: NodeContext<TransposeConvAttributes>, weights: Operand, output: readonly number[]) {
  const { padding, stride } = node.attributes
  return ([0, 1] as const).map(
    (axis) =>
      windowGeometry({
        input: output[axis + 1] ?? 0,
        filter: weights.shape[axis + 1] ?? 1,
        stride: stride[axis],
        padding,
      }).padBefore,
  )
}

export const transposeConv = defineOp<TransposeConvAttributes>({
  name: 'transpose_conv',
  tflite: { type: 'TRANSPOSE_CONV', read },

  infer(node) {
    const input = node.input(2)
    const weights = node.input(1)
    checkRanks(node, input, weights)
    const given = node.input(0)
    if (given.dtype !== 'int32') {
      throw node.fail('DTYPE_UNSUPPORTED', `the output's shape must be int32, it is ${given.dtype}`, {
        expected: 'int32',
        actual: given.dtype,
      })
    }
    const shape = constants(node, given, 4)
    const [batch, , , channels] = shape
    const { stride } = node.attributes
    if (stride.some((step) => !(step >= 1))) {
      throw node.fail('FILE_INVALID', `stride ${stride.join(' x ')}: each must be at least 1`)
    }
    if (batch !== input.shape[0] || channels !== weights.shape[0] || shape.some((n) => n < 1)) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `the output's shape ${shapeText(shape)} does not fit input and weights`,
        {
          expected: [input.shape[0], 'height', 'width', weights.shape[0]],
          actual: shape,
        },
      )
    }
    if (input.shape[3] !== weights.shape[3] || weights.shape.some((n) => n < 1)) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `weights have ${weights.shape[3]} input channels, the input ${input.shape[3]}`,
        {
          expected: input.shape[3],
          actual: weights.shape[3],
        },
      )
    }
    // The reference asks that the input be as large as a convolution of the output would give.
    for (const axis of [0, 1] as const) {
      const expected = windowGeometry({
        input: shape[axis + 1] ?? 0,
        filter: weights.shape[axis + 1] ?? 1,
        stride: stride[axis],
        padding: node.attributes.padding,
      }).output
      if (expected !== input.shape[axis + 1]) {
        throw node.fail(
          'SHAPE_MISMATCH',
          `an output of ${shapeText(shape)} needs an input extent of ${expected}`,
          {
            expected,
            actual: input.shape[axis + 1],
          },
        )
      }
    }
    checkBias(asConvolution(node), channels ?? 0)
    return [{ shape, dtype: node.output(0).dtype }]
  },

  lower(node) {
    const convolution = asConvolution(node)
    const input = convolution.input(0)
    const weights = convolution.input(1)
    if (input.dtype === 'float32' && weights.dtype !== 'float32') {
      throw node.fail('DTYPE_UNSUPPORTED', `float32 input with ${weights.dtype} weights is not supported`, {
        expected: 'float32',
        actual: weights.dtype,
      })
    }
    const [padTop = 0, padLeft = 0] = padding(node, weights, node.output(0).shape)
    const layer = layerStep(convolution, {
      activation: node.attributes.activation,
      channelAxis: 0,
      rounding: 'twice',
      asymmetricInputs: () => false,
      weightZeroPoint: false,
    })
    return {
      steps: [
        {
          kind: 'conv',
          ...layer,
          attributes: {
            ...layer.attributes,
            transposed: 1,
            strideH: node.attributes.stride[0],
            strideW: node.attributes.stride[1],
            dilationH: 1,
            dilationW: 1,
            padTop,
            padLeft,
          },
          macs: elementCount(input.shape) * elementCount(weights.shape.slice(0, 3)),
        },
      ],
    }
  },
})
