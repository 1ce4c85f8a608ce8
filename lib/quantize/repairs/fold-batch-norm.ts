// Batch normalisation that is still in the graph becomes part of the layer before it.
//
// Converters write it as MUL and ADD of constants, one number a channel (Jacob et al., CVPR 2018, section 3.2). Folded,
// it costs no operator, and no rounding between the layer and itself.

import type { TensorRecord } from '../../model/model.js'
import { bytesOf, floatsOf } from '../constants.js'
import { extremes } from '../find-codes.js'
import { isMaskRange } from '../masks.js'
import type { FloatGraph, PlacedOperator } from '../prepare.js'
import { rowLayout } from '../weights/rows.js'
import { layerOf, onlyReader, timesAlong } from './layers.js'

/** The graph without the operators that could be folded, and how many those were. */
export function foldBatchNorm(graph: FloatGraph): { readonly graph: FloatGraph; readonly folded: number } {
  let current = graph
  for (let i = 0; i < current.operators.length; ) {
    const next = foldOne(current, i)
    // The same layer may have another operator behind it.
    if (next === undefined) i++
    else current = next
  }
  return { graph: current, folded: graph.operators.length - current.operators.length }
}

/** The graph with what follows the layer at a place as part of it; undefined if nothing can be. */
function foldOne(graph: FloatGraph, place: number): FloatGraph | undefined {
  const layer = graph.operators[place] as PlacedOperator
  const operands = layerOf(graph, layer)
  const output = layer.outputs[0] as number
  const reader = onlyReader(graph, output)
  if (operands === undefined || reader === undefined) return undefined
  if (Number(layer.options['fusedActivationFunction'] ?? 0) !== 0) return undefined
  const behind = graph.operators[reader] as PlacedOperator
  const weights = graph.tensors[layer.inputs[operands.weights] as number] as TensorRecord
  const { rows: channels, axis } = rowLayout(layer.type, weights.shape)
  const steps = scaleAndShift(graph, behind, output, channels)
  if (steps === undefined) return undefined

  const tensors = [...graph.tensors]
  tensors[layer.inputs[operands.weights] as number] = timesAlong(weights, axis, steps.scale)
  const old = graph.tensors[layer.inputs[operands.bias] ?? -1]
  const bias = steps.shift.map(
    (shift, c) => shift + (steps.scale[c] as number) * (old === undefined ? 0 : (floatsOf(old)[c] as number)),
  )
  const inputs = [...layer.inputs]
  inputs[operands.bias] = tensors.push(biasRecord(weights, Float32Array.from(bias))) - 1
  const folded: PlacedOperator = {
    ...layer,
    inputs,
    outputs: behind.outputs,
    options: { ...layer.options, fusedActivationFunction: behind.options['fusedActivationFunction'] ?? 0 },
  }
  // What is behind a layer comes after it, and nothing between the two reads what it gave.
  const operators = graph.operators
    .map((one, i) => (i === place ? folded : one))
    .filter((_, i) => i !== reader)
  return { ...graph, tensors, operators }
}

interface ScaleAndShift {
  readonly scale: readonly number[]
  readonly shift: readonly number[]
}

/** An operator on the layer's output as a factor and a summand for each channel. */
function scaleAndShift(
  graph: FloatGraph,
  { type, inputs, outputs }: PlacedOperator,
  layerOutput: number,
  channels: number,
): ScaleAndShift | undefined {
  const isFirst = inputs[0] === layerOutput
  if (!['MUL', 'ADD', 'SUB'].includes(type) || (type === 'SUB' && !isFirst)) return undefined
  const constant = graph.tensors[(isFirst ? inputs[1] : inputs[0]) ?? -1]
  if (constant?.data === undefined || constant.dtype !== 'float32') return undefined
  const values = floatsOf(constant)
  // A mask is added to scores, not to channels.
  if (values.length === 0 || isMaskRange(extremes(values))) return undefined
  const isOneEach = constant.shape.at(-1) === channels && values.length === channels
  const keepsShape =
    graph.tensors[outputs[0] as number]?.shape.join() === graph.tensors[layerOutput]?.shape.join()
  if (!keepsShape || (values.length !== 1 && !isOneEach)) return undefined
  const all = Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c] as number)
  if (type === 'MUL') return { scale: all, shift: all.map(() => 0) }
  return { scale: all.map(() => 1), shift: type === 'SUB' ? all.map((value) => -value) : all }
}

function biasRecord({ name }: TensorRecord, values: Float32Array): TensorRecord {
  const shape = [values.length]
  return {
    name: `${name}_bias`,
    shape,
    shapeSignature: shape,
    dtype: 'float32',
    data: bytesOf(values),
    isVariable: false,
    isSparse: false,
  }
}
