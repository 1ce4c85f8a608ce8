// What the suite finds out, as plain data: results.json is a `Results`.

import type { Peer } from './options.js'

export type ContenderName = 'lowbit' | Peer

export const TITLES: Readonly<Record<ContenderName, string>> = {
  lowbit: 'lowbit',
  litert: 'LiteRT',
  ort: 'ONNX Runtime',
  'ort-node': 'onnxruntime-node',
}

/** How a result differs from the one that it should be. */
export interface Difference {
  readonly elements: number
  readonly differing: number
  /** The greatest difference: codes of integers, real units of floats. */
  readonly greatest: number
}

export interface Row {
  readonly model: string
  readonly isa: string
  readonly threads: number
  readonly contender: ContenderName
  /** The least minimum and the least median of all rounds. */
  readonly minMs: number
  readonly medianMs: number
  readonly samples: number
  /** False where the result is not that of the same contender with the whole processor; lowbit's is always right. */
  readonly right: boolean
  /** From the contender's own result with the whole processor; lowbit's from that of the reference kernels. */
  readonly difference: Difference
}

/** A contender that was not timed somewhere, or at all. */
export interface LeftOut {
  readonly contender: ContenderName
  readonly where: string
  readonly why: string
}

export interface Results {
  readonly date: string
  readonly commit: string
  readonly command: string
  readonly machine: string
  readonly node: string
  readonly versions: Readonly<Partial<Record<ContenderName, string>>>
  readonly rows: readonly Row[]
  readonly leftOut: readonly LeftOut[]
  /** What is worth knowing of results that count as right. */
  readonly notes: readonly string[]
}

/** Rows of one instruction set and thread count. */
export interface Group {
  readonly isa: string
  readonly threads: number
  readonly models: readonly string[]
  readonly peers: readonly Peer[]
  readonly row: (model: string, contender: ContenderName) => Row | undefined
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)]

/** In the order in which they were measured. */
export function groupsOf(rows: readonly Row[]): Group[] {
  const keys = unique(rows.map(({ threads, isa }) => `${threads} ${isa}`))
  return keys
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((key) => {
      const members = rows.filter(({ threads, isa }) => `${threads} ${isa}` === key)
      const { isa, threads } = members[0] as Row
      return {
        isa,
        threads,
        models: unique(members.map(({ model }) => model)),
        peers: unique(members.map(({ contender }) => contender)).filter((name) => name !== 'lowbit'),
        row: (model, contender) => members.find((row) => row.model === model && row.contender === contender),
      }
    })
}

/** The peer's minimum over lowbit's: above 1, lowbit is faster. Undefined where one of them is missing. */
export function ratioOf(group: Group, model: string, peer: Peer): number | undefined {
  const [theirs, ours] = [group.row(model, peer), group.row(model, 'lowbit')]
  return theirs && ours && theirs.minMs / ours.minMs
}

/** Geometric mean of the ratios of all models that both ran; undefined if there are none. */
export function meanRatio(group: Group, peer: Peer): number | undefined {
  const ratios = group.models.map((model) => ratioOf(group, model, peer)).filter((r) => r !== undefined)
  if (ratios.length === 0) return undefined
  return Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length)
}

/** Everything below the bound that `--least` sets, in words. A peer's wrong results do not count for it. */
export function belowLeast(rows: readonly Row[], least: number): string[] {
  const right = rows.filter((row) => row.right)
  return groupsOf(right).flatMap((group) =>
    group.peers.flatMap((peer) => {
      const mean = meanRatio(group, peer)
      if (mean === undefined || mean >= least) return []
      return [`${group.isa}, ${group.threads} threads: ${TITLES[peer]} / lowbit is ${mean.toFixed(3)}`]
    }),
  )
}
