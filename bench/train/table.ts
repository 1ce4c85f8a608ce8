// The results as Markdown.

import { markdownTable } from '#bench/peers/table.js'
import type { Measured } from './suite.js'

export interface Results extends Measured {
  readonly date: string
  readonly commit: string
  readonly command: string
  readonly machine: string
  readonly node: string
  readonly threads: number
  readonly batch: number
}

function timesTable({ rows }: Results): string {
  const own = rows.find(({ name }) => name === 'lowbit')
  const ratio = (theirs: number, ours: number | undefined) =>
    ours === undefined ? '' : (theirs / ours).toFixed(2)
  return markdownTable(
    ['ms a step', 'version', 'minimum', 'median', 'x lowbit', 'x median', 'loss 1', 'loss 5'],
    rows.map(({ name, version, minMs, medianMs, losses }) => [
      ...[name, version, minMs.toFixed(2), medianMs.toFixed(2)],
      ...[ratio(minMs, own?.minMs), ratio(medianMs, own?.medianMs)],
      ...[losses[0]?.toFixed(5) ?? '', losses[4]?.toFixed(5) ?? ''],
    ]),
  )
}

function memoryTable({ memory }: Results): string {
  const steps = memory[0]?.marks.map((mark) => `${mark.steps} steps`) ?? []
  return markdownTable(
    ['MiB resident, tensors', ...steps],
    memory.map(({ name, marks }) => [
      name,
      ...marks.map(({ rssBytes, tensors }) => `${(rssBytes / 2 ** 20).toFixed(1)}, ${tensors}`),
    ]),
  )
}

export function markdown(results: Results): string {
  const { date, machine, node, commit, command, threads, batch, rows, memory, leftOut } = results
  const parts = [
    `${date}, ${machine}, Node ${node}, commit ${commit}, ${threads} threads, batch ${batch}: \`${command}\``,
    ...(rows.length > 0 ? [timesTable(results)] : []),
    ...(memory.length > 0 ? [memoryTable(results)] : []),
    ...(leftOut.length > 0
      ? [leftOut.map(({ name, why }) => `- ${name} is left out: ${why}`).join('\n')]
      : []),
  ]
  return `${parts.join('\n\n')}\n`
}
