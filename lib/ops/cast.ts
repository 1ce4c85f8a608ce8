// CAST: numbers as another type. Quantisation plays no part: codes are cast as they are.

import type { Dtype } from '../tensor/dtype.js'
import { expectDtype, expectInputs, MOVABLE } from './checks.js'
import { defineOp, type Operand, type Step } from './contract.js'

export function castStep(input: Operand, output: Operand): Step {
  return { kind: 'cast', inputs: [input], outputs: [output], attributes: {} }
}

const NUMBERS: readonly Dtype[] = MOVABLE.filter((dtype) => dtype !== 'complex64')

/** The output tensor has the type; the options repeat it, and the reference does not read them. */
export const cast = defineOp<Record<string, never>>({
  name: 'cast',
  tflite: { type: 'CAST', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const [input, output] = [node.input(0), node.output(0)]
    expectDtype(node, input, NUMBERS)
    expectDtype(node, output, NUMBERS)
    return [{ shape: input.shape, dtype: output.dtype }]
  },
  lower(node) {
    return { steps: [castStep(node.input(0), node.output(0))] }
  },
})
