// Operators with one operand, element by element: what they share. Codes go through a table, other numbers through the
// native step `unary`.

import type { OptionValue } from '../model/model.js'
import type { Dtype } from '../tensor/dtype.js'
import { isQuantizedDtype, type QuantizedDtype } from './activation.js'
import { codesOf, expectDtype, expectInputs, expectSameDtype } from './checks.js'
import {
  defineOp,
  type NodeContext,
  type Op,
  type Operand,
  type Step,
  type StepAttribute,
} from './contract.js'
import { type Affine, tableStep } from './lut.js'

/** Functions of the native step, in the order of its numbers (native/program/steps/unary.cc). */
const FUNCTIONS: readonly string[] = [
  ...['relu', 'relu6', 'relu_n1_to_1', 'relu_0_to_1', 'leaky_relu', 'hard_swish', 'abs', 'neg', 'square'],
  ...['ceil', 'floor', 'round', 'sqrt', 'rsqrt', 'logistic', 'tanh', 'exp', 'log', 'sin', 'cos', 'elu'],
  ...['gelu', 'gelu_tanh', 'sign'],
]

/** The table of all codes: 256 or 65536 entries. */
export type Table<Attributes> = (
  node: NodeContext<Attributes>,
  from: Affine,
  to: Affine,
  dtype: QuantizedDtype,
) => Uint8Array

interface UnaryOp<Attributes> {
  /** In graphs; in capitals, the schema's. */
  readonly name: string
  readonly dtypes: readonly Dtype[]
  read(options: Readonly<Record<string, OptionValue>>): Attributes
  check?(node: NodeContext<Attributes>): void
  /** Needed where `dtypes` names quantised ones. */
  readonly table?: Table<Attributes>
  /** As `table`, for tensors of such a type that have no quantisation. Without it they are refused. */
  plainTable?(dtype: QuantizedDtype): Uint8Array
  /** The lowest code that has a result, where not all have: others fail a run. */
  lowest?(from: Affine): number
  /** Name of the native function where it is not the operator's. */
  function?(attributes: Attributes): string
  parameter?(attributes: Attributes): number
}

export function unaryOp<Attributes>(spec: UnaryOp<Attributes>): Op {
  return defineOp<Attributes>({
    name: spec.name,
    tflite: { type: spec.name.toUpperCase(), read: (options) => spec.read(options) },
    infer(node) {
      expectInputs(node, 1)
      const { shape, dtype } = node.input(0)
      expectDtype(node, node.input(0), spec.dtypes)
      spec.check?.(node)
      return [{ shape, dtype }]
    },
    lower(node) {
      const [input, output] = [node.input(0), node.output(0)]
      expectSameDtype(node, input, output)
      const { dtype } = input
      if (!isQuantizedDtype(dtype)) {
        const parameter = spec.parameter?.(node.attributes)
        return { steps: [unaryStep(spec.function?.(node.attributes) ?? spec.name, input, output, parameter)] }
      }
      const plain = input.quantization === undefined && output.quantization === undefined
      if (plain && spec.plainTable) return { steps: [tableStep(input, output, spec.plainTable(dtype))] }
      if (spec.table === undefined) throw node.fail('INTERNAL', 'codes without a table')
      const from = codesOf(node, input)
      const table = spec.table(node, from, codesOf(node, output), dtype)
      const step = tableStep(input, output, table)
      if (spec.lowest === undefined) return { steps: [step] }
      return { steps: [{ ...step, attributes: { ...step.attributes, lowest: spec.lowest(from) } }] }
    },
  })
}

/** The native step of a function by name, on numbers that are no codes. */
export function unaryStep(name: string, input: Operand, output: Operand, parameter?: number): Step {
  const attributes: Record<string, StepAttribute> = { op: FUNCTIONS.indexOf(name) }
  if (parameter !== undefined) attributes['parameter'] = Float32Array.of(parameter)
  return { kind: 'unary', inputs: [input], outputs: [output], attributes, inPlace: 0 }
}
