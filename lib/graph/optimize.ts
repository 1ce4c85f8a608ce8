// The passes, in the order in which they run. None changes a bit of any output.

import { LowbitError } from '../errors.js'
import type { Evaluate, Graph, Pass } from './graph.js'
import { foldConstants } from './passes/fold-constants.js'
import { fuseActivation } from './passes/fuse-activation.js'
import { fuseLayerNorm } from './passes/fuse-layer-norm.js'
import { fusePad } from './passes/fuse-pad.js'
import { fuseScale } from './passes/fuse-scale.js'
import { fuseTranspose } from './passes/fuse-transpose.js'
import { removeDeadNodes } from './passes/remove-dead-nodes.js'
import { shareQuantization } from './passes/share-quantization.js'
import { problemOf } from './verify.js'

export interface OptimizeOptions {
  /** Runs graphs of constants. */
  readonly evaluate: Evaluate
  /** Bytes that folded constants may take. */
  readonly foldBytes: number
}

/**
 * Graphs that nodes call are optimised in their turn.
 *
 * @throws {LowbitError} `INTERNAL` if a pass breaks a law of graphs; what `evaluate` throws.
 */
export function optimize(graph: Graph, { evaluate, foldBytes }: OptimizeOptions): Graph {
  const passes: readonly (readonly [name: string, pass: Pass])[] = [
    ['remove-dead-nodes', removeDeadNodes],
    ['fold-constants', foldConstants(evaluate, foldBytes)],
    ['fuse-pad', fusePad],
    ['fuse-activation', fuseActivation],
    ['fuse-layer-norm', fuseLayerNorm],
    ['fuse-scale', fuseScale],
    ['fuse-transpose', fuseTranspose],
    ['share-quantization', shareQuantization],
  ]
  const optimized = passes.reduce((before, [name, pass]) => {
    const after = pass(before)
    const problem = after === before ? undefined : problemOf(after)
    if (problem !== undefined) throw new LowbitError('INTERNAL', `pass ${name}: ${problem}`)
    return after
  }, graph)
  if (!optimized.nodes.some(({ graphs }) => graphs !== undefined)) return optimized
  const nodes = optimized.nodes.map((node) =>
    node.graphs === undefined
      ? node
      : { ...node, graphs: node.graphs.map((inner) => optimize(inner, { evaluate, foldBytes })) },
  )
  return { ...optimized, nodes }
}
