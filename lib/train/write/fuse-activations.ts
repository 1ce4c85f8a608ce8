// ReLU and ReLU6 become part of the operator before them, as converters have it: the clamp costs nothing there, and an
// integer operator rounds once.

import type { FloatGraph, PlacedOperator } from '../../quantize/prepare.js'
import { onlyReader } from '../../quantize/repairs/layers.js'

/** Numbers of the schema's `ActivationFunctionType`. */
const ACTIVATIONS: Readonly<Record<string, number>> = { RELU: 1, RELU6: 3 }
const CLAMPING = ['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED', 'TRANSPOSE_CONV', 'ADD', 'SUB', 'MUL']

export function fuseActivations(graph: FloatGraph): FloatGraph {
  const fused = new Map<PlacedOperator, PlacedOperator>()
  const gone = new Set<PlacedOperator>()
  for (const operator of graph.operators) {
    if (!CLAMPING.includes(operator.type) || Number(operator.options['fusedActivationFunction'] ?? 0) !== 0)
      continue
    const reader = graph.operators[onlyReader(graph, operator.outputs[0] as number) ?? -1]
    const activation = ACTIVATIONS[reader?.type ?? '']
    if (reader === undefined || activation === undefined) continue
    const options = { ...operator.options, fusedActivationFunction: activation }
    fused.set(operator, { ...operator, options, outputs: reader.outputs })
    gone.add(reader)
  }
  const operators = graph.operators.filter((one) => !gone.has(one)).map((one) => fused.get(one) ?? one)
  return { ...graph, operators }
}
