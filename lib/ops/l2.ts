// L2_NORMALIZATION (rows of length 1) and L2_POOL_2D (the quadratic mean over windows).

import { fusedActivation } from './activation.js'
import { codesOf, expectDtype, expectInputs, expectRank, expectSameDtype } from './checks.js'
import { defineOp, type Operand, type Step } from './contract.js'
import { expectPool, type PoolAttributes, poolStep, readPool } from './pool.js'
import { unaryStep } from './unary.js'

export const l2Normalization = defineOp<{ readonly activation: number }>({
  name: 'l2_normalization',
  tflite: {
    type: 'L2_NORMALIZATION',
    read: (options) => ({ activation: Number(options['fusedActivationFunction'] ?? 0) }),
  },
  infer(node) {
    expectInputs(node, 1)
    const { shape, dtype } = node.input(0)
    expectDtype(node, node.input(0), ['int8', 'uint8', 'float32'])
    expectRank(node, node.input(0), 1, 8)
    const { activation } = node.attributes
    if (activation !== 0) {
      throw node.fail('OPERATOR_UNSUPPORTED', `fused activation ${activation}`, {
        expected: 0,
        actual: activation,
      })
    }
    return [{ shape, dtype }]
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    if (input.dtype === 'float32') {
      return { steps: [{ kind: 'l2_norm', inputs: [input], outputs: [output], attributes: {} }] }
    }
    const to = codesOf(node, output)
    const middle = input.dtype === 'int8' ? 0 : 128
    if (to.scale !== 1 / 128 || to.zeroPoint !== middle) {
      throw node.fail(
        'OPERATOR_UNSUPPORTED',
        `the output has scale ${to.scale} and zero point ${to.zeroPoint}, the operator gives 1/128 and ${middle}`,
        { expected: [1 / 128, middle], actual: [to.scale, to.zeroPoint] },
      )
    }
    const attributes = { zero_point: codesOf(node, input).zeroPoint }
    return { steps: [{ kind: 'l2_norm', inputs: [input], outputs: [output], attributes }] }
  },
})

/** The root of the mean of squares, then the activation. */
export const l2Pool2d = defineOp<PoolAttributes>({
  name: 'l2_pool_2d',
  tflite: { type: 'L2_POOL_2D', read: readPool },
  infer(node) {
    return [expectPool(node, ['float32'])]
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    expectSameDtype(node, input, output)
    const temporary = (name: string, { shape }: Operand): Operand => ({
      name: `${output.name}/${name}`,
      dtype: 'float32',
      shape,
    })
    const [squares, means] = [temporary('squares', input), temporary('means', output)]
    const activation = fusedActivation[node.attributes.activation]
    const roots = activation === 'none' ? output : temporary('roots', output)
    const steps: Step[] = [
      unaryStep('square', input, squares),
      poolStep({ ...node, attributes: { ...node.attributes, activation: 0 } }, 0, squares, means),
      unaryStep('sqrt', means, roots),
    ]
    if (roots !== output && activation !== undefined) steps.push(unaryStep(activation, roots, output))
    return { steps }
  },
})
