// ONE_HOT: for each index a row that holds one value there and another elsewhere.

import { elementCount } from '../tensor/shape.js'
import { axisOf, expectDtype, expectInputs, expectSameDtype, MOVABLE } from './checks.js'
import { compareStep } from './compare.js'
import { constantOperand, constantScalar, MOST_MADE } from './constant.js'
import { defineOp, type NodeContext, type Operand } from './contract.js'
import { selectStep } from './select.js'

interface OneHotAttributes {
  /** Where the rows go; -1 is behind all dimensions of the indices. */
  readonly axis: number
}

function placeOf(node: NodeContext<OneHotAttributes>): { readonly axis: number; readonly depth: number } {
  expectInputs(node, 4)
  const [indices, on, off] = [node.input(0), node.input(2), node.input(3)]
  expectDtype(node, indices, ['int32', 'int64'])
  expectDtype(node, on, MOVABLE)
  expectSameDtype(node, on, off)
  for (const value of [on, off]) {
    if (elementCount(value.shape) !== 1) {
      throw node.fail('SHAPE_MISMATCH', `tensor "${value.name}" is not one element`, { actual: value.shape })
    }
  }
  const axis = axisOf(node, node.attributes.axis, indices.shape.length + 1)
  const depth = constantScalar(node, node.input(1))
  if (!Number.isInteger(depth) || depth < 0)
    throw node.fail('FILE_INVALID', `rows of ${depth}`, { actual: depth })
  if (depth > MOST_MADE) throw node.fail('LIMIT_EXCEEDED', `rows of ${depth}`, { actual: depth })
  return { axis, depth }
}

export const oneHot = defineOp<OneHotAttributes>({
  name: 'one_hot',
  tflite: { type: 'ONE_HOT', read: (options) => ({ axis: Number(options['axis'] ?? -1) }) },
  infer(node) {
    const { axis, depth } = placeOf(node)
    return [{ shape: node.input(0).shape.toSpliced(axis, 0, depth), dtype: node.input(2).dtype }]
  },
  /** The indices, with a dimension of 1, are compared with 0, 1, … along that dimension. */
  lower(node) {
    const { axis, depth } = placeOf(node)
    const [indices, on, off, output] = [node.input(0), node.input(2), node.input(3), node.output(0)]
    expectSameDtype(node, on, output)
    const spread: Operand = {
      name: `${output.name}/indices`,
      dtype: indices.dtype,
      shape: indices.shape.toSpliced(axis, 0, 1),
    }
    const hit: Operand = { name: `${output.name}/hit`, dtype: 'bool', shape: output.shape }
    const numbers =
      indices.dtype === 'int64'
        ? BigInt64Array.from({ length: depth }, (_, i) => BigInt(i))
        : Int32Array.from({ length: depth }, (_, i) => i)
    const shape = output.shape.map((_, i) => (i === axis ? depth : 1))
    const places = constantOperand(`${output.name}/places`, indices.dtype, shape, numbers)
    return {
      steps: [
        { kind: 'copy', inputs: [indices], outputs: [spread], attributes: {} },
        compareStep('equal', spread, places, hit),
        selectStep(hit, on, off, output),
      ],
    }
  },
})
