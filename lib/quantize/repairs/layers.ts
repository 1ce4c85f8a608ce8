// Layers of a graph as the repairs see them: weights and bias in numbers, and who reads what.

import type { TensorRecord } from '../../model/model.js'
import { bytesOf, floatsOf } from '../constants.js'
import type { FloatGraph, PlacedOperator } from '../prepare.js'
import { type LayerOperands, OPERATOR_RULES } from '../rules.js'

/** Which operands of an operator are weights and bias, if it has weights that are float32 constants of its own. */
export function layerOf(graph: FloatGraph, operator: PlacedOperator): LayerOperands | undefined {
  const operands = OPERATOR_RULES[operator.type]?.layer
  if (operands === undefined) return undefined
  const indices = [operator.inputs[operands.weights] ?? -1, operator.inputs[operands.bias] ?? -1]
  const isOwn = indices.every((index, i) => {
    const tensor = graph.tensors[index]
    if (tensor === undefined) return i === 1
    return tensor.data !== undefined && tensor.dtype === 'float32' && readers(graph, index).length === 1
  })
  return isOwn ? operands : undefined
}

/** Places of the operators that read a tensor, once for each time; -1 for the model's outputs. */
export function readers({ operators, outputs }: FloatGraph, tensor: number): readonly number[] {
  const places = operators.flatMap(({ inputs }, i) => inputs.filter((index) => index === tensor).map(() => i))
  return outputs.includes(tensor) ? [...places, -1] : places
}

/** The only operator that reads a tensor; undefined if there are others, or if it is an output of the model. */
export function onlyReader(graph: FloatGraph, tensor: number): number | undefined {
  const places = readers(graph, tensor)
  return places.length === 1 && places[0] !== -1 ? places[0] : undefined
}

/** A float32 constant with each number times the factor of its index along a dimension. */
export function timesAlong(tensor: TensorRecord, axis: number, factors: ArrayLike<number>): TensorRecord {
  const inner = tensor.shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  const values = floatsOf(tensor).map(
    (value, i) => value * (factors[Math.floor(i / inner) % factors.length] as number),
  )
  return { ...tensor, data: bytesOf(values) }
}
