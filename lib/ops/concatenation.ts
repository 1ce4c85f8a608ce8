// CONCATENATION along an existing dimension and PACK along a new one: pieces of the inputs in turn.

import { sameShape, shapeText } from '../tensor/shape.js'
import { codeRange, isQuantizedDtype, roundHalfAway } from './activation.js'
import {
  axisOf,
  codesOf,
  expectDtype,
  expectSameCodes,
  expectSameDtype,
  extentOf,
  MOVABLE,
} from './checks.js'
import { defineOp, type NodeContext, type Operand } from './contract.js'

export interface ConcatenationAttributes {
  readonly axis: number
  readonly activation: number
}

function operandsOf(node: NodeContext<unknown>): Operand[] {
  const operands = node.inputs.map((_, i) => node.input(i))
  if (operands.length === 0) throw node.fail('FILE_INVALID', 'it has no inputs')
  return operands
}

export const concatenation = defineOp<ConcatenationAttributes>({
  name: 'concatenation',
  tflite: {
    type: 'CONCATENATION',
    read: (options) => ({
      axis: Number(options['axis'] ?? 0),
      activation: Number(options['fusedActivationFunction'] ?? 0),
    }),
  },
  infer(node) {
    const operands = operandsOf(node)
    const first = node.input(0)
    expectDtype(node, first, MOVABLE)
    expectSameDtype(node, ...operands)
    if (node.attributes.activation !== 0) {
      throw node.fail('OPERATOR_UNSUPPORTED', 'a fused activation, which the reference does not run either')
    }
    const axis = axisOf(node, node.attributes.axis, first.shape.length)
    const shape = [...first.shape]
    for (const { name, shape: other } of operands.slice(1)) {
      if (other.length !== shape.length || other.some((extent, i) => i !== axis && extent !== shape[i])) {
        throw node.fail(
          'SHAPE_MISMATCH',
          `"${name}" ${shapeText(other)} does not fit to ${shapeText(first.shape)} along axis ${axis}`,
          { tensor: name, expected: first.shape, actual: other },
        )
      }
      shape[axis] = (shape[axis] as number) + (other[axis] as number)
    }
    return [{ shape, dtype: first.dtype }]
  },
  lower(node) {
    const operands = operandsOf(node)
    const output = node.output(0)
    const axis = axisOf(node, node.attributes.axis, output.shape.length)
    const tables = tablesOf(node, operands)
    return {
      steps: [
        {
          kind: 'concat',
          inputs: operands,
          outputs: [output],
          attributes: { outer: extentOf(output.shape, 0, axis), ...(tables && { tables }) },
        },
      ],
    }
  },
})

/** uint8 inputs with scales of their own are rescaled on the way, in float32; all other types must agree. */
function tablesOf(node: NodeContext<unknown>, operands: readonly Operand[]): Uint8Array | undefined {
  const output = node.output(0)
  if (output.dtype !== 'uint8' || output.quantization === undefined) {
    if (isQuantizedDtype(output.dtype)) for (const operand of operands) expectSameCodes(node, operand, output)
    return undefined
  }
  const to = codesOf(node, output)
  const { low, high } = codeRange('uint8')
  const inverse = Math.fround(1 / to.scale)
  let needed = false
  const tables = operands.map((operand) => {
    const from = codesOf(node, operand)
    if (from.scale === to.scale && from.zeroPoint === to.zeroPoint)
      return Uint8Array.from({ length: 256 }, (_, i) => i)
    needed = true
    const scale = Math.fround(from.scale * inverse)
    const bias = Math.fround(-from.zeroPoint * scale)
    return Uint8Array.from({ length: 256 }, (_, code) => {
      const real = Math.fround(Math.fround(code * scale) + bias)
      return Math.min(high, Math.max(low, roundHalfAway(real) + to.zeroPoint))
    })
  })
  return needed ? new Uint8Array(Buffer.concat(tables)) : undefined
}

export interface PackAttributes {
  readonly axis: number
  readonly count: number
}

export const pack = defineOp<PackAttributes>({
  name: 'pack',
  tflite: {
    type: 'PACK',
    read: (options) => ({ axis: Number(options['axis'] ?? 0), count: Number(options['valuesCount'] ?? 0) }),
  },
  infer(node) {
    const operands = operandsOf(node)
    const first = node.input(0)
    const { axis, count } = node.attributes
    expectDtype(node, first, MOVABLE)
    expectSameDtype(node, ...operands)
    if (count !== operands.length) {
      throw node.fail('FILE_INVALID', `it packs ${count} values and has ${operands.length} inputs`, {
        expected: count,
        actual: operands.length,
      })
    }
    for (const { name, shape } of operands) {
      if (!sameShape(shape, first.shape)) {
        throw node.fail('SHAPE_MISMATCH', `"${name}" is ${shapeText(shape)}, not ${shapeText(first.shape)}`, {
          tensor: name,
          expected: first.shape,
          actual: shape,
        })
      }
    }
    const shape = [...first.shape]
    shape.splice(axisOf(node, axis, shape.length + 1), 0, operands.length)
    return [{ shape, dtype: first.dtype }]
  },
  lower(node) {
    const operands = operandsOf(node)
    const output = node.output(0)
    const axis = axisOf(node, node.attributes.axis, output.shape.length)
    return {
      steps: [
        {
          kind: 'concat',
          inputs: operands,
          outputs: [output],
          attributes: { outer: extentOf(output.shape, 0, axis) },
        },
      ],
    }
  },
})
