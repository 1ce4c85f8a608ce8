// ADD_N: the sum of any number of tensors of one shape.

import { binaryStep } from './binary.js'
import { expectDtype, expectSameDtype, sameShape } from './checks.js'
import { defineOp, type Operand, type Step } from './contract.js'

export const addN = defineOp<Record<string, never>>({
  name: 'add_n',
  tflite: { type: 'ADD_N', read: () => ({}) },
  infer(node) {
    const first = node.input(0)
    expectDtype(node, first, ['int32', 'float32'])
    for (let i = 1; i < node.inputs.length; i++) {
      const other = node.input(i)
      expectSameDtype(node, first, other)
      if (sameShape(first.shape, other.shape)) continue
      throw node.fail('SHAPE_MISMATCH', `tensors "${first.name}" and "${other.name}" differ in shape`, {
        tensor: other.name,
        expected: first.shape,
        actual: other.shape,
      })
    }
    return [{ shape: first.shape, dtype: first.dtype }]
  },
  /** In the order of the operands, as the reference adds. */
  lower(node) {
    const output = node.output(0)
    const last = node.inputs.length - 1
    if (last === 0)
      return { steps: [{ kind: 'copy', inputs: [node.input(0)], outputs: [output], attributes: {} }] }
    const steps: Step[] = []
    let sum: Operand = node.input(0)
    for (let i = 1; i <= last; i++) {
      const next =
        i === last ? output : { name: `${output.name}/${i}`, shape: output.shape, dtype: output.dtype }
      const step = binaryStep('add', sum, node.input(i), next)
      steps.push(i === 1 ? step : { ...step, inPlace: 0 })
      sum = next
    }
    return { steps }
  },
})
