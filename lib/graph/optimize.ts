// The passes, in the order in which they run. None changes a bit of any output.

import { LowbitError } from '../errors.js'
import type { Graph, Pass } from './graph.js'
import { fuseActivation } from './passes/fuse-activation.js'
import { fusePad } from './passes/fuse-pad.js'
import { removeDeadNodes } from './passes/remove-dead-nodes.js'
import { problemOf } from './verify.js'

export const PASSES: readonly (readonly [name: string, pass: Pass])[] = [
  ['remove-dead-nodes', removeDeadNodes],
  ['fuse-pad', fusePad],
  ['fuse-activation', fuseActivation],
]

/** @throws {LowbitError} `INTERNAL` if a pass breaks a law of graphs. */
export function optimize(graph: Graph): Graph {
  return PASSES.reduce((before, [name, pass]) => {
    const after = pass(before)
    const problem = after === before ? undefined : problemOf(after)
    if (problem !== undefined) throw new LowbitError('INTERNAL', `pass ${name}: ${problem}`)
    return after
  }, graph)
}
