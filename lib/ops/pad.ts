// PAD and PADV2: a frame of one value around the input.

import { bitsOf } from '../tensor/dtype.js'
import { shapeText } from '../tensor/shape.js'
import { isQuantizedDtype } from './activation.js'
import {
  codesOf,
  constants,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameCodes,
  expectSameDtype,
  MOVABLE,
} from './checks.js'
import { defineOp, type NodeContext, type Operand, type Step } from './contract.js'

/** Amounts before and after, one pair a dimension. */
function amountsOf(node: NodeContext<unknown>): readonly (readonly [number, number])[] {
  const input = node.input(0)
  const amounts = constants(node, node.input(1), 2 * input.shape.length)
  return input.shape.map((_, i) => {
    const [before, after] = [amounts[2 * i] as number, amounts[2 * i + 1] as number]
    if (before < 0 || after < 0) {
      throw node.fail(
        'FILE_INVALID',
        `dimension ${i} of ${shapeText(input.shape)} is padded by ${before} and ${after}`,
      )
    }
    return [before, after] as const
  })
}

function padOp(name: string, type: string, inputs: number) {
  return defineOp<Record<string, never>>({
    name,
    tflite: { type, read: () => ({}) },
    infer(node) {
      expectInputs(node, inputs)
      const input = node.input(0)
      expectDtype(node, input, MOVABLE)
      expectRank(node, input, 1, 8)
      const amounts = amountsOf(node)
      const shape = input.shape.map((extent, i) => extent + (amounts[i]?.[0] ?? 0) + (amounts[i]?.[1] ?? 0))
      return [{ shape, dtype: input.dtype }]
    },
    lower(node) {
      const [input, output] = [node.input(0), node.output(0)]
      expectSameDtype(node, input, output)
      if (isQuantizedDtype(input.dtype)) expectSameCodes(node, input, output)
      const before = amountsOf(node).map(([amount]) => amount)
      const value = inputs === 3 ? node.input(2) : undefined
      if (value !== undefined) expectSameDtype(node, input, value)
      return { steps: [padStep(node, input, output, before, value)] }
    },
  })
}

/** The native step; without a `value` the frame means zero. */
export function padStep(
  node: NodeContext<unknown>,
  input: Operand,
  output: Operand,
  before: ArrayLike<number>,
  value?: Operand,
): Step {
  return {
    kind: 'pad',
    inputs: value === undefined ? [input] : [input, value],
    outputs: [output],
    attributes: {
      before: Int32Array.from(before),
      ...(value === undefined && { value: zeroOf(node) }),
    },
  }
}

/** The bytes of the element that means zero: the zero point of codes. */
function zeroOf(node: NodeContext<unknown>): Uint8Array {
  const { dtype, quantization } = node.output(0)
  switch (dtype) {
    case 'int8':
    case 'uint8':
      return Uint8Array.of(quantization === undefined ? 0 : codesOf(node, node.output(0)).zeroPoint)
    default:
      return new Uint8Array((bitsOf(dtype) ?? 0) / 8)
  }
}

export const pad = padOp('pad', 'PAD', 2)
export const padV2 = padOp('pad_v2', 'PADV2', 3)
