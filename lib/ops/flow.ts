// IF, WHILE and CALL_ONCE: they run subgraphs. These are the forms in which all shapes are known while planning; others
// are run call by call (session/script.ts), as are those whose subgraphs hold custom operators.

import { sameShape, shapeText } from '../tensor/shape.js'
import { expectDtype } from './checks.js'
import { type Called, defineOp, type NodeContext, type Operand, ShapesDiffer } from './contract.js'

/** One bool, whatever its rank: else `FILE_INVALID`. */
function expectCondition(node: NodeContext<unknown>, condition: Operand | undefined): void {
  const count = condition?.shape.reduce((product, extent) => product * extent, 1)
  if (condition?.dtype === 'bool' && count === 1) return
  const actual = condition && `${condition.dtype} ${shapeText(condition.shape)}`
  throw node.fail('FILE_INVALID', `its condition is ${actual}, one bool is needed`, {
    expected: 'bool',
    actual,
  })
}

function expectCount(node: NodeContext<unknown>, actual: number, expected: number): void {
  if (actual === expected) return
  const message = `what it calls takes or gives ${actual} tensors, beside handles; ${expected} are needed`
  throw node.fail('FILE_INVALID', message, { expected, actual })
}

/** Outputs of one call that fit those of another, or the inputs of the next pass: else they are for the run to decide. */
function expectSame(node: NodeContext<unknown>, given: readonly Operand[], wanted: readonly Operand[]): void {
  expectCount(node, given.length, wanted.length)
  for (const [i, operand] of given.entries()) {
    const other = wanted[i] as Operand
    if (operand.dtype !== other.dtype) {
      throw node.fail(
        'FILE_INVALID',
        `tensor "${operand.name}" of a subgraph is ${operand.dtype}, "${other.name}" ${other.dtype}`,
        { tensor: operand.name, expected: other.dtype, actual: operand.dtype },
      )
    }
    if (sameShape(operand.shape, other.shape)) continue
    const message = `${node.origin}: tensor "${operand.name}" has the shape ${shapeText(operand.shape)}, "${other.name}" ${shapeText(other.shape)}`
    throw new ShapesDiffer('OPERATOR_UNSUPPORTED', message, { operator: node.origin })
  }
}

const shapes = (operands: readonly Operand[]) => operands.map(({ shape, dtype }) => ({ shape, dtype }))

export const ifOp = defineOp<Record<string, never>>({
  name: 'if',
  tflite: { type: 'IF', read: () => ({}) },
  infer(node) {
    const [yes, no] = node.called as readonly [Called, Called]
    expectCondition(node, node.input(0))
    for (const { inputs } of node.called) expectCount(node, inputs.length, node.inputs.length - 1)
    expectSame(node, no.outputs, yes.outputs)
    return shapes(yes.outputs)
  },
  lower: () => ({ flow: 'if' }),
})

export const whileOp = defineOp<Record<string, never>>({
  name: 'while',
  tflite: { type: 'WHILE', read: () => ({}) },
  infer(node) {
    const [ask, body] = node.called as readonly [Called, Called]
    expectCondition(node, ask.outputs[0])
    for (const { inputs } of node.called) expectCount(node, inputs.length, node.inputs.length)
    expectSame(node, body.outputs, body.inputs)
    return shapes(body.outputs)
  },
  lower: () => ({ flow: 'while' }),
})

/** Its one operand is the variable that tells whether the subgraph has run. */
export const callOnce = defineOp<Record<string, never>>({
  name: 'call_once',
  tflite: { type: 'CALL_ONCE', read: () => ({}) },
  stateInputs: [0],
  infer(node) {
    expectDtype(node, node.input(0), ['bool'])
    return []
  },
  lower: () => ({ flow: 'once' }),
})
