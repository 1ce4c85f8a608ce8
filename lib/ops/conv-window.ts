// Attributes, geometry and lowering that conv2d and depthwise_conv2d share.

import type { OptionValue } from '../model/model.js'
import { elementCount } from '../tensor/shape.js'
import type { Inferred, Lowered, NodeContext, Operand, StepAttribute } from './contract.js'
import { checkBias, layerStep } from './layer.js'
import { windowGeometry } from './window.js'

export interface ConvWindow {
  /** The schema's `Padding` by name, or explicit amounts: top, bottom, left, right. */
  readonly padding: 'same' | 'valid' | readonly [number, number, number, number]
  readonly stride: readonly [number, number]
  readonly dilation: readonly [number, number]
  /** Number of the schema's `ActivationFunctionType`. */
  readonly activation: number
}

export function readConvWindow(options: Readonly<Record<string, OptionValue>>): ConvWindow {
  const number = (name: string, otherwise: number) => Number(options[name] ?? otherwise)
  return {
    padding: number('padding', 0) === 0 ? 'same' : 'valid',
    stride: [number('strideH', 1), number('strideW', 1)],
    dilation: [number('dilationHFactor', 1), number('dilationWFactor', 1)],
    activation: number('fusedActivationFunction', 0),
  }
}

export interface ConvGeometry {
  readonly outputHeight: number
  readonly outputWidth: number
  /** Attributes of the native step. */
  readonly attributes: Record<string, StepAttribute>
}

/** Output extents and step attributes of a window over NHWC `input` with a filter of the given height and width. */
function convGeometry(
  node: NodeContext<ConvWindow>,
  input: Operand,
  filterHeight: number,
  filterWidth: number,
): ConvGeometry {
  const { padding, stride, dilation } = node.attributes
  const along = (axis: 0 | 1, filter: number) => {
    const extent = input.shape[axis + 1] ?? 0
    const [step, reach] = [stride[axis], dilation[axis]]
    if (step < 1 || reach < 1 || filter < 1 || !Number.isInteger(step) || !Number.isInteger(reach)) {
      throw node.fail(
        'FILE_INVALID',
        `stride ${step}, dilation ${reach}, filter ${filter}: each must be at least 1`,
      )
    }
    const explicit =
      typeof padding === 'string' ? undefined : ([padding[2 * axis], padding[2 * axis + 1]] as const)
    const { output, padBefore } = explicit
      ? {
          ...windowGeometry({
            input: extent + (explicit[0] ?? 0) + (explicit[1] ?? 0),
            filter,
            stride: step,
            dilation: reach,
            padding: 1,
          }),
          padBefore: explicit[0] ?? 0,
        }
      : windowGeometry({
          input: extent,
          filter,
          stride: step,
          dilation: reach,
          padding: padding === 'same' ? 0 : 1,
        })
    if (output < 1) {
      throw node.fail('SHAPE_MISMATCH', `a filter of ${filter} does not fit into an input of ${extent}`, {
        expected: `at least ${(filter - 1) * reach + 1}`,
        actual: extent,
      })
    }
    return { output, padBefore }
  }
  const vertical = along(0, filterHeight)
  const horizontal = along(1, filterWidth)
  return {
    outputHeight: vertical.output,
    outputWidth: horizontal.output,
    attributes: {
      strideH: stride[0],
      strideW: stride[1],
      dilationH: dilation[0],
      dilationW: dilation[1],
      padTop: vertical.padBefore,
      padLeft: horizontal.padBefore,
    },
  }
}

/** Fails unless both operands have rank 4. */
export function checkRanks(node: NodeContext<unknown>, input: Operand, weights: Operand): void {
  for (const operand of [input, weights]) {
    if (operand.shape.length !== 4) {
      throw node.fail(
        'SHAPE_MISMATCH',
        `"${operand.name}" must have rank 4, it has ${operand.shape.length}`,
        {
          tensor: operand.name,
          expected: 4,
          actual: operand.shape.length,
        },
      )
    }
  }
}

/** The shape of the result: `outputs` channels of which `node`'s bias has one each. */
export function inferConv(node: NodeContext<ConvWindow>, outputs: number): Inferred {
  const [input, weights] = [node.input(0), node.input(1)]
  const [, height = 0, width = 0] = weights.shape
  checkBias(node, outputs)
  const { outputHeight, outputWidth } = convGeometry(node, input, height, width)
  return { shape: [input.shape[0] ?? 0, outputHeight, outputWidth, outputs], dtype: node.output(0).dtype }
}

interface ConvStep {
  readonly kind: string
  /** The dimension of the weights that has the output channels. */
  readonly channelAxis: number
  readonly asymmetricInputs: (weights: Operand) => boolean
  /** Input channels that one output channel reads. */
  readonly depth: number
  readonly attributes?: Record<string, StepAttribute>
}

export function lowerConv(node: NodeContext<ConvWindow>, spec: ConvStep): Lowered {
  const { kind, channelAxis, asymmetricInputs, depth, attributes } = spec
  const [, height = 0, width = 0] = node.input(1).shape
  const layer = layerStep(node, {
    activation: node.attributes.activation,
    channelAxis,
    rounding: 'twice',
    asymmetricInputs,
    weightZeroPoint: false,
  })
  const geometry = convGeometry(node, node.input(0), height, width)
  return {
    steps: [
      {
        kind,
        ...layer,
        attributes: { ...layer.attributes, ...geometry.attributes, ...attributes },
        macs: elementCount(node.output(0).shape) * height * width * depth,
      },
    ],
  }
}
