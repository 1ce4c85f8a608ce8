// CAST: numbers of one type as numbers of another, whatever their quantisation.

import type { Dtype } from '../tensor/dtype.js'
import { expectDtype, expectInputs } from './checks.js'
import { defineOp, type Operand, type Step } from './contract.js'

const NUMBERS: readonly Dtype[] = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
]
/** Only to and from float32. */
const PACKED: readonly Dtype[] = ['int2', 'int4']

export function castStep(input: Operand, output: Operand): Step {
  return { kind: 'cast', inputs: [input], outputs: [output], attributes: {} }
}

export const cast = defineOp<Record<string, never>>({
  name: 'cast',
  // The types are those of the tensors; the options repeat them, where the file has any.
  tflite: { type: 'CAST', read: () => ({}) },
  infer(node) {
    expectInputs(node, 1)
    const [input, output] = [node.input(0), node.output(0)]
    const partners = (dtype: Dtype) => (dtype === 'float32' ? [...NUMBERS, ...PACKED] : NUMBERS)
    if (PACKED.includes(input.dtype)) expectDtype(node, output, ['float32'])
    else expectDtype(node, input, NUMBERS)
    expectDtype(node, output, partners(input.dtype))
    return [{ shape: input.shape, dtype: output.dtype }]
  },
  lower(node) {
    return { steps: [castStep(node.input(0), node.output(0))] }
  },
})
