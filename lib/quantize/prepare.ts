// A file as the quantiser wants it: a float model. Constants that are float16 or codes become float32.

import { LowbitError } from '../errors.js'
import type { ModelFile, OperatorRecord, Subgraph, TensorRecord } from '../model/model.js'
import { bytesOf, realValues } from './constants.js'

/** An operator that knows its place in the file that the user gave, whatever was taken out since. */
export interface PlacedOperator extends OperatorRecord {
  readonly place: number
}

/** A float model. Its tensors have the indices of the user's file; new ones come after them. */
export interface FloatModel extends ModelFile {
  readonly subgraphs: readonly [FloatGraph, ...Subgraph[]]
}

export interface FloatGraph extends Subgraph {
  readonly operators: readonly PlacedOperator[]
}

/** Types that a float model has no computed tensors of, unless they are plain numbers. */
const CODES = ['int2', 'int4', 'int8', 'uint8', 'int16']

/**
 * @throws {LowbitError} `DTYPE_UNSUPPORTED` for a model whose computed tensors are quantised already, and for one
 *   without a float32 operator; `FILE_INVALID` for one without a graph.
 */
export function prepare(file: ModelFile): FloatModel {
  const [main, ...others] = file.subgraphs
  if (main === undefined) throw new LowbitError('FILE_INVALID', 'the model has no subgraph')
  const placed = main.operators.map((operator, place) => ({ ...operator, place }))
  for (const operator of placed) refuseCodes(operator, main.tensors)
  const tensors = [...main.tensors]
  const operators = placed.filter((operator) => !foldDequantize(operator, tensors))
  widenConstants(operators, tensors)
  const graph: FloatGraph = { ...main, tensors, operators: operators.map(plain) }
  const isReal = (index: number) => tensors[index]?.dtype === 'float32'
  if (!operators.some(({ inputs, outputs }) => inputs.some(isReal) || outputs.some(isReal))) {
    throw new LowbitError('DTYPE_UNSUPPORTED', 'the model has no float32 operator: nothing to quantise')
  }
  return { ...file, subgraphs: [graph, ...others] }
}

function refuseCodes(
  { type, place, inputs, outputs }: PlacedOperator,
  tensors: readonly TensorRecord[],
): void {
  for (const index of [...inputs, ...outputs]) {
    const tensor = tensors[index]
    if (tensor === undefined || tensor.data !== undefined || tensor.quantization === undefined) continue
    if (!CODES.includes(tensor.dtype)) continue
    const message = `${type} #${place}: tensor "${tensor.name}" is ${tensor.dtype} with a scale, so the model is quantised already; one with float32 activations expected`
    throw new LowbitError('DTYPE_UNSUPPORTED', message, {
      operator: `${type} #${place}`,
      tensor: tensor.name,
      expected: 'float32',
      actual: tensor.dtype,
    })
  }
}

/** Whether an operator only widens a constant; its output is the constant then. */
function foldDequantize({ type, inputs, outputs }: OperatorRecord, tensors: TensorRecord[]): boolean {
  const [from, to] = [tensors[inputs[0] ?? -1], outputs[0]]
  if (type !== 'DEQUANTIZE' || from?.data === undefined || to === undefined) return false
  tensors[to] = { ...(tensors[to] as TensorRecord), data: bytesOf(realValues(from, tensors)) }
  return true
}

/** Weights of hybrid operators: codes beside operands that are float32. */
function widenConstants(operators: readonly OperatorRecord[], tensors: TensorRecord[]): void {
  for (const index of new Set(operators.flatMap(({ inputs }) => inputs))) {
    const tensor = tensors[index]
    if (tensor?.data === undefined || tensor.isSparse) continue
    if (tensor.quantization === undefined && tensor.blockwise === undefined) continue
    const { quantization: _scales, blockwise: _blocks, ...rest } = tensor
    tensors[index] = { ...rest, dtype: 'float32', data: bytesOf(realValues(tensor, tensors)) }
  }
}

/** An operator without what only hybrid ones have. */
function plain(operator: PlacedOperator): PlacedOperator {
  if (operator.options['asymmetricQuantizeInputs'] !== true) return operator
  return { ...operator, options: { ...operator.options, asymmetricQuantizeInputs: false } }
}
