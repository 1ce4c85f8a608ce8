// SELECT and SELECT_V2: elements of one operand or of another, as a condition says.

import {
  broadcastShape,
  expectDtype,
  expectInputs,
  expectRank,
  expectSameDtype,
  MOVABLE,
  sameShape,
} from './checks.js'
import { defineOp, type NodeContext, type Operand, type Step } from './contract.js'

type Node = NodeContext<Record<string, never>>

function checked(node: Node): readonly [condition: Operand, x: Operand, y: Operand] {
  expectInputs(node, 3)
  const [condition, x, y] = [node.input(0), node.input(1), node.input(2)]
  expectDtype(node, condition, ['bool'])
  expectDtype(node, x, MOVABLE)
  expectSameDtype(node, x, y)
  for (const operand of [condition, x, y]) expectRank(node, operand, 0, 8)
  return [condition, x, y]
}

/** Codes are moved as they are, as the reference does, whatever the scales of the operands. */
export function selectStep(condition: Operand, x: Operand, y: Operand, output: Operand): Step {
  return { kind: 'select', inputs: [condition, x, y], outputs: [output], attributes: {} }
}

/** Both operands have one shape; the condition has it too, or is a scalar, or has one element for each of the first dimension. */
export const select = defineOp<Record<string, never>>({
  name: 'select',
  tflite: { type: 'SELECT', read: () => ({}) },
  infer(node) {
    const [condition, x, y] = checked(node)
    const { shape } = condition
    const fits =
      sameShape(shape, x.shape) || shape.length === 0 || (shape.length === 1 && shape[0] === x.shape[0])
    if (!fits || !sameShape(x.shape, y.shape)) {
      throw node.fail('SHAPE_MISMATCH', 'condition and operands differ in shape', {
        expected: x.shape,
        actual: [shape, y.shape],
      })
    }
    return [{ shape: x.shape, dtype: x.dtype }]
  },
  lower(node) {
    const [condition, x, y] = checked(node)
    const output = node.output(0)
    // As a column, which repeats along all further dimensions.
    const [first, ...rest] = condition.shape
    const isColumn = first !== undefined && rest.length === 0 && x.shape.length > 1
    if (!isColumn) return { steps: [selectStep(condition, x, y, output)] }
    const column = {
      name: `${output.name}/condition`,
      dtype: 'bool',
      shape: [first, ...x.shape.slice(1).fill(1)],
    } as const
    return {
      steps: [
        { kind: 'copy', inputs: [condition], outputs: [column], attributes: {} },
        selectStep(column, x, y, output),
      ],
    }
  },
})

export const selectV2 = defineOp<Record<string, never>>({
  name: 'select_v2',
  tflite: { type: 'SELECT_V2', read: () => ({}) },
  infer(node) {
    const [condition, x, y] = checked(node)
    const shape = broadcastShape(node, condition.shape, broadcastShape(node, x.shape, y.shape))
    return [{ shape, dtype: x.dtype }]
  },
  lower(node) {
    return { steps: [selectStep(...checked(node), node.output(0))] }
  },
})
