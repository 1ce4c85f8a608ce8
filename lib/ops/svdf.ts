// SVDF: filters over time, [batch, inputs] -> [batch, units]; the state keeps each filter's last results.

import { quantizeMultipliers } from '../numerics/fixed-point.js'
import { elementCount, shapeText } from '../tensor/shape.js'
import { codesOf, expectRank } from './checks.js'
import { defineOp, type NodeContext, type StepAttribute } from './contract.js'

export interface SvdfAttributes {
  /** Filters of one unit, whose results are added. */
  readonly rank: number
  /** Number of the schema's `ActivationFunctionType`. */
  readonly activation: number
  readonly asymmetricInputs: boolean
}

const STATE = 4

export const svdf = defineOp<SvdfAttributes>({
  name: 'svdf',
  tflite: {
    type: 'SVDF',
    read: (options) => ({
      rank: Number(options['rank'] ?? 0),
      activation: Number(options['fusedActivationFunction'] ?? 0),
      asymmetricInputs: Boolean(options['asymmetricQuantizeInputs'] ?? false),
    }),
  },
  stateInputs: [STATE],

  infer(node) {
    const [input, feature, state] = [node.input(0), node.input(1), node.input(STATE)]
    const { rank, activation } = node.attributes
    if (state.state === undefined) {
      throw node.fail('FILE_INVALID', `tensor "${state.name}" must be a variable`, { tensor: state.name })
    }
    expectRank(node, input, 2)
    expectRank(node, feature, 2)
    const filters = feature.shape[0] ?? 0
    if (!(rank >= 1) || filters % rank !== 0) {
      throw node.fail('SHAPE_MISMATCH', `${shapeText(feature.shape)} holds no whole units of rank ${rank}`, {
        actual: rank,
      })
    }
    const isInteger = input.dtype === 'int8'
    if (isInteger ? activation !== 1 : activation > 4) {
      throw node.fail('OPERATOR_UNSUPPORTED', `activation ${activation} is not supported`, {
        actual: activation,
      })
    }
    return [{ shape: [input.shape[0] ?? 0, filters / rank], dtype: input.dtype }]
  },

  lower(node) {
    const { rank, activation, asymmetricInputs } = node.attributes
    const [input, feature, time] = [node.input(0), node.input(1), node.input(2)]
    const attributes: Record<string, StepAttribute> = { rank }
    if (input.dtype === 'int8') {
      Object.assign(attributes, integerAttributes(node))
    } else {
      attributes['activation'] = activation
      if (feature.dtype === 'int8') {
        attributes['asymmetric'] = asymmetricInputs ? 1 : 0
        attributes['featureScale'] = Float32Array.of(node.affine(feature).scale)
        attributes['timeScale'] = Float32Array.of(node.affine(time).scale)
      }
    }
    const macs = (input.shape[0] ?? 0) * (elementCount(feature.shape) + elementCount(time.shape))
    const inputs = [input, feature, time, node.inputs[3] ?? null, node.input(STATE)]
    return { steps: [{ kind: 'svdf', inputs, outputs: [node.output(0)], attributes, macs }] }
  },
})

/** @see LiteRT, kernels/svdf.cc: Prepare. The factors are products and quotients of float32. */
function integerAttributes(node: NodeContext<SvdfAttributes>): Record<string, StepAttribute> {
  const f = Math.fround
  const [input, output] = [codesOf(node, node.input(0)), codesOf(node, node.output(0))]
  const [feature, time] = [node.affine(node.input(1)), node.affine(node.input(2))]
  const state = codesOf(node, node.input(STATE))
  return {
    ...quantizeMultipliers([
      f(f(input.scale * feature.scale) / state.scale),
      f(f(state.scale * time.scale) / output.scale),
    ]),
    inputZeroPoint: input.zeroPoint,
    outputZeroPoint: output.zeroPoint,
  }
}
