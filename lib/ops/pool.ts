// AVERAGE_POOL_2D and MAX_POOL_2D: windows over an NHWC image.

import type { OptionValue } from '../model/model.js'
import type { Dtype } from '../tensor/dtype.js'
import { activationRange, floatActivationRange, isQuantizedDtype } from './activation.js'
import { codesOf, expectClamp, expectDtype, expectInputs, expectRank, expectSameDtype } from './checks.js'
import {
  defineOp,
  type Inferred,
  type NodeContext,
  type Operand,
  type Step,
  type StepAttribute,
} from './contract.js'
import { windowGeometry } from './window.js'

export interface PoolAttributes {
  readonly padding: number
  /** Height and width. */
  readonly filter: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly activation: number
}

export function readPool(options: Readonly<Record<string, OptionValue>>): PoolAttributes {
  const number = (name: string) => Number(options[name] ?? 0)
  return {
    padding: number('padding'),
    filter: [number('filterHeight'), number('filterWidth')],
    stride: [number('strideH'), number('strideW')],
    activation: number('fusedActivationFunction'),
  }
}

function along(node: NodeContext<PoolAttributes>, axis: 0 | 1): { output: number; padBefore: number } {
  const input = node.input(0).shape[axis + 1] ?? 0
  const [filter, stride] = [node.attributes.filter[axis], node.attributes.stride[axis]]
  // Larger ones than any image are as wrong as negative ones, and would overflow in native code.
  const sound = (x: number) => Number.isInteger(x) && x >= 1 && x <= 2 ** 20
  if (!sound(filter) || !sound(stride)) {
    throw node.fail('FILE_INVALID', `a window of ${filter} with stride ${stride}: both must be 1 to 2^20`)
  }
  const geometry = windowGeometry({ input, filter, stride, padding: node.attributes.padding })
  if (geometry.output < 1) {
    throw node.fail('SHAPE_MISMATCH', `a window of ${filter} does not fit into an image of ${input}`, {
      expected: filter,
      actual: input,
    })
  }
  return geometry
}

function poolOp(name: string, type: string, mode: 0 | 1) {
  return defineOp<PoolAttributes>({
    name,
    tflite: { type, read: readPool },
    infer: (node) => [expectPool(node, ['int8', 'uint8', 'int16', 'float32'])],
    lower(node) {
      const [input, output] = [node.input(0), node.output(0)]
      expectSameDtype(node, input, output)
      return { steps: [poolStep(node, mode, input, output)] }
    },
  })
}

/** The result, if the operands are sound. */
export function expectPool(node: NodeContext<PoolAttributes>, dtypes: readonly Dtype[]): Inferred {
  expectInputs(node, 1)
  const input = node.input(0)
  expectDtype(node, input, dtypes)
  expectRank(node, input, 4)
  expectClamp(node, node.attributes.activation)
  const [batch = 0, , , channels = 0] = input.shape
  return { shape: [batch, along(node, 0).output, along(node, 1).output, channels], dtype: input.dtype }
}

/** The native step with the geometry of a node: averages (0) or the largest (1). */
export function poolStep(
  node: NodeContext<PoolAttributes>,
  mode: 0 | 1,
  input: Operand,
  output: Operand,
): Step {
  const [vertical, horizontal] = [along(node, 0), along(node, 1)]
  const { filter, stride, activation } = node.attributes
  return {
    kind: 'pool',
    inputs: [input],
    outputs: [output],
    attributes: {
      mode,
      filter: Int32Array.from(filter),
      stride: Int32Array.from(stride),
      pad: Int32Array.of(vertical.padBefore, horizontal.padBefore),
      ...clampAttributes(node, activation),
    },
  }
}

/** The clamp of an output that has the codes of the input. The reference reads the scales of the output alone. */
function clampAttributes(
  node: NodeContext<PoolAttributes>,
  activation: number,
): Record<string, StepAttribute> {
  const output = node.output(0)
  if (isQuantizedDtype(output.dtype)) {
    return { ...activationRange(activation, codesOf(node, output), output.dtype) }
  }
  const { low, high } = floatActivationRange(activation)
  return { clamp: Float32Array.of(low, high) }
}

export const averagePool2d = poolOp('average_pool_2d', 'AVERAGE_POOL_2D', 0)
export const maxPool2d = poolOp('max_pool_2d', 'MAX_POOL_2D', 1)
