// QUANTIZE (real numbers to codes, codes to other codes) and DEQUANTIZE (back).

import { quantizeMultiplier } from '../numerics/fixed-point.js'
import type { Dtype } from '../tensor/dtype.js'
import { axisOf, codesOf, expectDtype, expectInputs } from './checks.js'
import {
  defineOp,
  type Lowered,
  type NodeContext,
  type Operand,
  type Step,
  type StepAttribute,
} from './contract.js'
import { codeTable, scaleCode, tableStep } from './lut.js'

type Node = NodeContext<Record<string, never>>

/** Output types by input type. */
const FORMS: Partial<Record<Dtype, readonly Dtype[]>> = {
  float32: ['int8', 'uint8', 'int16'],
  int8: ['int8', 'uint8', 'int16'],
  uint8: ['int8', 'uint8', 'int16'],
  int16: ['int8', 'int16', 'int32'],
  int32: ['int8', 'int16'],
}

export const quantize = defineOp<Record<string, never>>({
  name: 'quantize',
  tflite: { type: 'QUANTIZE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const [input, output] = [node.input(0), node.output(0)]
    expectDtype(node, input, Object.keys(FORMS) as Dtype[])
    expectDtype(node, output, FORMS[input.dtype] ?? [])
    return [{ shape: input.shape, dtype: output.dtype }]
  },
  lower(node) {
    const [input, output] = [node.input(0), node.output(0)]
    if (input.dtype !== 'float32') return requantize(node, input, output)
    return { steps: [affineStep(node, 'quantize', input, output)] }
  },
})

/** @see TFLite, kernels/internal/reference/requantize.h */
function requantize(node: Node, input: Operand, output: Operand): Lowered {
  const [from, to] = [codesOf(node, input, true), codesOf(node, output, true)]
  const factor = quantizeMultiplier(from.scale / to.scale)
  if (isByte(input.dtype) && isByte(output.dtype)) {
    const table = codeTable(
      input.dtype,
      output.dtype,
      (code) => scaleCode(code - from.zeroPoint, factor) + to.zeroPoint,
    )
    return { steps: [tableStep(input, output, table)] }
  }
  return {
    steps: [
      {
        kind: 'requantize',
        inputs: [input],
        outputs: [output],
        attributes: {
          multiplier: factor.multiplier,
          shift: factor.shift,
          from_zero: from.zeroPoint,
          to_zero: to.zeroPoint,
        },
      },
    ],
  }
}

function isByte(dtype: Dtype): dtype is 'int8' | 'uint8' {
  return dtype === 'int8' || dtype === 'uint8'
}

/** Between float32 and the codes of one operand, which may have a scale for each index of a dimension. */
function affineStep(node: Node, kind: 'quantize' | 'dequantize', input: Operand, codes: Operand): Step {
  return { kind, inputs: [input], outputs: [node.output(0)], attributes: scalesOf(node, codes) }
}

/** What becomes of an int4 operand on its way: one code a byte, not the constant's bytes. */
const UNPACKED = { dtype: 'int8', data: undefined } as unknown as { readonly dtype: 'int8' }

function scalesOf(node: Node, codes: Operand): Record<string, StepAttribute> {
  const { quantization, shape, name } = codes
  if (quantization === undefined || quantization.scale.length === 1) {
    const { scale, zeroPoint } = codesOf(node, codes)
    return { scale: Float32Array.of(scale), zero_point: Int32Array.of(zeroPoint) }
  }
  const axis = axisOf(node, quantization.axis, shape.length)
  const { scale, zeroPoint } = quantization
  if (scale.length !== shape[axis]) {
    throw node.fail(
      'FILE_INVALID',
      `tensor "${name}" has ${scale.length} scales for ${shape[axis]} channels`,
      {
        tensor: name,
        expected: shape[axis],
        actual: scale.length,
      },
    )
  }
  const zero = (i: number) => zeroPoint[zeroPoint.length === 1 ? 0 : i] ?? 0
  for (const [i, one] of scale.entries()) {
    codesOf(node, {
      ...codes,
      quantization: { scale: Float32Array.of(one), zeroPoint: Int32Array.of(zero(i)), axis: 0 },
    })
  }
  return { scale, zero_point: Int32Array.from(scale, (_, i) => zero(i)), axis }
}

export const dequantize = defineOp<Record<string, never>>({
  name: 'dequantize',
  tflite: { type: 'DEQUANTIZE', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const input = node.input(0)
    expectDtype(node, input, ['int4', 'int8', 'uint8', 'int16', 'float16'])
    return [{ shape: input.shape, dtype: 'float32' }]
  },
  lower(node) {
    const input = node.input(0)
    const output = node.output(0)
    if (input.dtype === 'float16') {
      return { steps: [{ kind: 'cast', inputs: [input], outputs: [output], attributes: {} }] }
    }
    const codes: Operand = input.dtype === 'int4' ? { ...input, ...UNPACKED } : input
    const steps: Step[] =
      codes === input ? [] : [{ kind: 'unpack4', inputs: [input], outputs: [codes], attributes: {} }]
    return { steps: [...steps, affineStep(node, 'dequantize', codes, codes)] }
  },
})
