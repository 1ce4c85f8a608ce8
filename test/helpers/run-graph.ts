// Runs a graph as it is, without the passes of loading.

import type { Graph } from '#lib/graph/graph.js'
import { loadBinding } from '#lib/native/load.js'
import { OPS_BY_NAME } from '#lib/ops/registry.js'
import { plan } from '#lib/plan/plan.js'
import { encode } from '#lib/program/encode.js'
import { byteLength } from '#lib/tensor/dtype.js'

/** Bytes of each output. */
export function runGraph(graph: Graph, inputs: readonly Uint8Array[]): readonly Uint8Array[] {
  const binding = loadBinding()
  const { program, constants } = encode(plan(graph, OPS_BY_NAME), binding.format())
  const native = binding.createProgram(program, constants, { threads: 1 })
  const outputs = graph.outputs.map((index) => {
    const { dtype, shape } = graph.values[index] as Graph['values'][number]
    return new Uint8Array(byteLength(dtype, shape) ?? 0)
  })
  native.run(inputs, outputs)
  native.dispose()
  return outputs
}

/** Seeded bytes for each input. */
export function randomInputs(graph: Graph, next: () => number): readonly Uint8Array[] {
  return graph.inputs.map((index) => {
    const { dtype, shape } = graph.values[index] as Graph['values'][number]
    return Uint8Array.from({ length: byteLength(dtype, shape) ?? 0 }, () => next() & 255)
  })
}
