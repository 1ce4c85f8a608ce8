// The results as Markdown.

import { differenceText } from './differences.js'
import {
  type ContenderName,
  type Group,
  groupsOf,
  meanRatio,
  type Results,
  ratioOf,
  TITLES,
} from './results.js'

const milliseconds = (ms: number) => ms.toPrecision(3 + Number(ms >= 1000))

function cell(group: Group, model: string, contender: ContenderName): string {
  const row = group.row(model, contender)
  if (row === undefined) return ''
  return `${milliseconds(row.minMs)}${row.right ? '' : ' wrong'}`
}

/** Rows of cells as a table, the first column to the left and all others to the right, padded to equal widths. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(3, title.length, ...rows.map((row) => (row[i] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    `| ${widths.map((w, i) => (i === 0 ? (cells[i] ?? '').padEnd(w) : (cells[i] ?? '').padStart(w))).join(' | ')} |`
  const rule = `| ${widths.map((w, i) => (i === 0 ? '-'.repeat(w) : `${'-'.repeat(w - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

function groupTable(group: Group): string {
  const head = ['ms', 'lowbit', ...group.peers.flatMap((peer) => [TITLES[peer], 'ratio'])]
  const ratio = (value: number | undefined) => value?.toFixed(2) ?? ''
  const rows = group.models.map((model) => [
    model,
    cell(group, model, 'lowbit'),
    ...group.peers.flatMap((peer) => [cell(group, model, peer), ratio(ratioOf(group, model, peer))]),
  ])
  const means = ['geometric mean', '', ...group.peers.flatMap((peer) => ['', ratio(meanRatio(group, peer))])]
  return markdownTable(head, [...rows, means])
}

const threadsText = (count: number) => (count === 1 ? 'one thread' : `${count} threads`)

/** What differs, and whom it makes wrong. */
function wrongLines({ rows }: Results): string[] {
  return rows
    .filter((row) => !row.right)
    .map(({ model, isa, threads, contender, difference }) => {
      const where = `${model}, ${isa}, ${threadsText(threads)}`
      return `- ${TITLES[contender]}, ${where}: ${differenceText(difference)}.`
    })
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? [`## ${title}`, lines.join('\n')] : []
}

export function markdown(results: Results): string {
  const versions = Object.entries(results.versions).map(
    ([name, version]) => `${TITLES[name as ContenderName]} ${version}`,
  )
  const parts = [
    '# lowbit and its peers',
    `${results.machine}, Node ${results.node}; ${versions.join(', ')}. Commit ${results.commit}, ${results.date}:`,
    `\`${results.command}\``,
    'Minima of all rounds in milliseconds; ratio = peer / lowbit, above 1 lowbit is faster.',
    ...groupsOf(results.rows).flatMap((group) => [
      `## ${group.isa}, ${threadsText(group.threads)}`,
      groupTable(group),
    ]),
    ...section('Wrong', wrongLines(results)),
    ...section(
      'Left out',
      results.leftOut.map(({ contender, where, why }) => `- ${TITLES[contender]}, ${where}: ${why}`),
    ),
    ...section(
      'Notes',
      results.notes.map((note) => `- ${note}`),
    ),
  ]
  return `${parts.join('\n\n')}\n`
}
