// READ_VARIABLE and ASSIGN_VARIABLE: copies from and to memory that lives from run to run. Their first operand is that
// memory: the graph has replaced the resource handle by it. Also the view that stands for another value.

import { sameShape, shapeText } from '../tensor/shape.js'
import { expectInputs, expectSameDtype } from './checks.js'
import { defineOp, type NodeContext, type Operand } from './contract.js'

function stateOf(node: NodeContext<unknown>): Operand {
  const state = node.input(0)
  if (state.state !== undefined) return state
  throw node.fail('FILE_INVALID', `tensor "${state.name}" is no variable`, { tensor: state.name })
}

export const readVariable = defineOp<Record<string, never>>({
  name: 'read_variable',
  tflite: { type: 'READ_VARIABLE', read: () => ({}) },
  stateInputs: [0],
  infer(node) {
    expectInputs(node, 1)
    const { shape, dtype } = stateOf(node)
    return [{ shape, dtype }]
  },
  lower(node) {
    return { steps: [{ kind: 'copy', inputs: [node.input(0)], outputs: [node.output(0)], attributes: {} }] }
  },
})

export const assignVariable = defineOp<Record<string, never>>({
  name: 'assign_variable',
  tflite: { type: 'ASSIGN_VARIABLE', read: () => ({}) },
  stateInputs: [0],
  infer(node) {
    expectInputs(node, 2)
    const state = stateOf(node)
    const value = node.input(1)
    expectSameDtype(node, state, value)
    if (!sameShape(state.shape, value.shape)) {
      throw node.fail(
        'OPERATOR_UNSUPPORTED',
        `variable "${state.name}" of shape ${shapeText(state.shape)} is assigned ${shapeText(value.shape)}; one shape is supported`,
        { tensor: state.name, expected: state.shape, actual: value.shape },
      )
    }
    return []
  },
  lower(node) {
    return { steps: [{ kind: 'copy', inputs: [node.input(1)], outputs: [node.input(0)], attributes: {} }] }
  },
})

/** Made by the graph where a called subgraph gives back what it was given; no file has it. */
export const identity = defineOp<Record<string, never>>({
  name: 'identity',
  tflite: { type: 'LOWBIT_IDENTITY', read: () => ({}) },
  infer(node) {
    const { shape, dtype } = node.input(0)
    return [{ shape, dtype }]
  },
  lower: () => ({ view: true }),
})
