// A case of the bench as a graph of one node with random data; its result is checked against the scalar kernels.

import type { Graph, Value } from '#lib/graph/graph.js'
import type { NativeProgram } from '#lib/native/binding.js'
import { loadBinding } from '#lib/native/load.js'
import { randomIntegers } from '#lib/numerics/random.js'
import { OPS_BY_NAME } from '#lib/ops/registry.js'
import { plan } from '#lib/plan/plan.js'
import { encode } from '#lib/program/encode.js'
import { elementCount } from '#lib/tensor/shape.js'
import type { OperatorCase } from './cases/operators.js'

type Numbers = Int8Array | Int16Array | Float32Array

/** Of float results to the scalar ones: the longest sum of the cases has 128 terms. */
const TOLERANCE = 128 * 2 ** -22

function graphOf({
  name,
  op,
  attributes,
  dtype,
  inputs,
  output,
  constants = [],
  scales,
}: OperatorCase): Graph {
  const quantized = (i: number) => {
    const scale = scales?.[i]
    if (scale === undefined) return {}
    const zeroPoint = Int32Array.of(dtype === 'int8' ? -3 : 0)
    return { quantization: { scale: Float32Array.of(scale), zeroPoint, axis: 0 } }
  }
  const values: Value[] = inputs.map((shape, i) => ({ name: `input${i}`, shape, dtype, ...quantized(i) }))
  for (const numbers of constants) {
    const data = new Uint8Array(Int32Array.from(numbers).buffer)
    values.push({ name: 'constant', shape: [numbers.length], dtype: 'int32', data })
  }
  const operands = values.map((_, i) => i)
  values.push({ name: 'output', shape: output, dtype, ...quantized((scales?.length ?? 0) - 1) })
  const outputs = [values.length - 1]
  const node = { op, origin: name, attributes, inputs: operands, outputs }
  return { values, nodes: [node], inputs: inputs.map((_, i) => i), outputs }
}

function numbersOf(dtype: OperatorCase['dtype'], count: number, seed: number): Numbers {
  const codes = randomIntegers(seed, count, -128, 127)
  if (dtype === 'float32') return Float32Array.from(codes, (code) => code / 32)
  return dtype === 'int8' ? Int8Array.from(codes) : Int16Array.from(codes, (code) => 250 * code)
}

export interface BenchOperator {
  readonly program: NativeProgram
  readonly inputs: readonly Numbers[]
  readonly output: Numbers
  /** Of inputs and output. */
  readonly bytes: number
}

/** @throws {Error} where the result is not that of the scalar kernels. */
export function benchOperator(row: OperatorCase, threads: number): BenchOperator {
  const binding = loadBinding()
  const { program: encoded, constants } = encode(plan(graphOf(row), OPS_BY_NAME), binding.format())
  const create = (isa?: string) =>
    binding.createProgram(encoded, constants, { threads, ...(isa !== undefined && { isa }) })
  const inputs = row.inputs.map((shape, i) => numbersOf(row.dtype, elementCount(shape), i + 1))
  const empty = () => numbersOf(row.dtype, elementCount(row.output), 0).fill(0)
  const [output, right] = [empty(), empty()]
  const [program, scalar] = [create(process.env['LOWBIT_ISA'] || undefined), create('scalar')]
  program.run(inputs, [output])
  scalar.run(inputs, [right])
  scalar.dispose()
  for (const [i, expected] of right.entries()) {
    const actual = output[i] as number
    const allowed = row.dtype === 'float32' ? TOLERANCE * Math.max(1, Math.abs(expected)) : 0
    if (!(Math.abs(actual - expected) <= allowed)) {
      throw new Error(`${row.name}: element ${i} is ${actual}, the scalar kernel says ${expected}`)
    }
  }
  const bytes = [...inputs, output].reduce((sum, { byteLength }) => sum + byteLength, 0)
  return { program, inputs, output, bytes }
}
