// Operators of one operand, element by element: codes through tables, float32 by the native step `unary`.

import type { OptionValue } from '../model/model.js'
import type { Dtype } from '../tensor/dtype.js'
import { isQuantizedDtype, type QuantizedDtype } from './activation.js'
import { codesOf, expectDtype, expectInputs, expectSameDtype } from './checks.js'
import { defineOp, type NodeContext, type StepAttribute } from './contract.js'
import { tableStep } from './lut.js'

/** The native step's functions; a name's number is its place. */
const FUNCTIONS = [
  'relu',
  'relu6',
  'relu_n1_to_1',
  'leaky_relu',
  'hard_swish',
  'abs',
  'neg',
  'square',
  'sqrt',
  'rsqrt',
  'floor',
  'ceil',
  'round',
  'logistic',
  'tanh',
  'exp',
  'log',
  'sin',
  'cos',
  'elu',
] as const
export type UnaryName = (typeof FUNCTIONS)[number]

export interface UnaryAttributes {
  /** Slope of LEAKY_RELU below zero. */
  readonly alpha: number
}

export interface Affine {
  readonly scale: number
  readonly zeroPoint: number
}

/** The table of an operator over the codes of a type. */
export type Table = (
  node: NodeContext<UnaryAttributes>,
  from: Affine,
  to: Affine,
  dtype: QuantizedDtype,
) => Uint8Array

const readAlpha = (options: Readonly<Record<string, OptionValue>>): UnaryAttributes => ({
  alpha: Number(options['alpha'] ?? 0),
})

/** @param table For operators that run on codes. */
export function unaryOp(name: UnaryName, dtypes: readonly Dtype[], table?: Table) {
  return defineOp<UnaryAttributes>({
    name,
    tflite: { type: name.toUpperCase(), read: readAlpha },
    infer(node) {
      expectInputs(node, 1)
      const { shape, dtype } = node.input(0)
      expectDtype(node, node.input(0), dtypes)
      if (!Number.isFinite(node.attributes.alpha)) {
        throw node.fail('NOT_FINITE', `alpha is ${node.attributes.alpha}`, { actual: node.attributes.alpha })
      }
      return [{ shape, dtype }]
    },
    lower(node) {
      const [input, output] = [node.input(0), node.output(0)]
      const { dtype } = input
      expectSameDtype(node, input, output)
      if (isQuantizedDtype(dtype)) {
        if (table === undefined) throw node.fail('INTERNAL', `no table for ${dtype}`)
        const bytes = table(node, codesOf(node, input), codesOf(node, output), dtype)
        return { steps: [tableStep(input, output, bytes)] }
      }
      if (dtype === 'int32') return { steps: [negation(node)] }
      const attributes: Record<string, StepAttribute> = { op: FUNCTIONS.indexOf(name) }
      if (name === 'leaky_relu') attributes['parameter'] = Float32Array.of(node.attributes.alpha)
      return { steps: [{ kind: 'unary', inputs: [input], outputs: [output], attributes, inPlace: 0 }] }
    },
  })
}

/** int32: 0 - x, which wraps for the lowest number as the reference does. */
function negation(node: NodeContext<UnaryAttributes>) {
  const zero = { name: '0', shape: [], dtype: 'int32' as const, data: new Uint8Array(4) }
  return {
    kind: 'binary',
    inputs: [zero, node.input(0)],
    outputs: [node.output(0)],
    attributes: { op: 1, clamp: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) },
    inPlace: 1,
  }
}
