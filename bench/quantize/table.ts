// The results as Markdown.

import type { Method } from './methods.js'
import { BITS, LADDER_METHODS, ladderColumn, RUNGS } from './recipes.js'
import { type Score, sum } from './score.js'

/** Of one file. */
export interface Result {
  readonly name: string
  readonly row: string
  readonly column: string
  readonly bytes: number
  readonly score: Score
}

function cell(results: readonly Result[]): string {
  if (results.length === 0) return ''
  const { right, samples, sqnrDb } = sum(results.map(({ score }) => score))
  const decibels = sqnrDb === null ? '' : `${sqnrDb.toFixed(1)} dB`
  return right === undefined
    ? decibels
    : [`${((100 * right) / samples).toFixed(2)} %`, decibels].join(' ').trim()
}

/** One table a method; a cell has the share of right answers, where it is known, and the output's SQNR. */
export function markdown(methods: readonly Method[], results: readonly Result[]): string {
  const rows = [...new Set(results.map(({ row }) => row))]
  const tables = methods.map(({ title, columns }) => {
    const lines = rows.map((row) => {
      const cells = columns.map((column) => cell(results.filter((r) => r.row === row && r.column === column)))
      return `| ${row} | ${cells.join(' | ')} |`
    })
    const head = [`| model | ${columns.join(' | ')} |`, `| --- |${' ---: |'.repeat(columns.length)}`]
    return [`### ${title}`, '', ...head, ...lines, ''].join('\n')
  })
  return tables.join('\n')
}

/** One network: a row for each way to scales and repairs, a column for each method and number of bits. */
export function ladderMarkdown(results: readonly Result[]): string {
  const columns = BITS.flatMap((bits) => LADDER_METHODS.map((method) => ({ bits, method })))
  const head = columns.map(({ bits, method }) => `${method}, ${bits} bits`)
  const lines = RUNGS.map((rung) => {
    const cells = columns.map(({ bits, method }) =>
      cell(results.filter(({ column }) => column === ladderColumn(method, bits, rung))),
    )
    return `| ${rung} | ${cells.join(' | ')} |`
  })
  return [
    `| ${['', ...head].join(' | ')} |`,
    `| --- |${' ---: |'.repeat(columns.length)}`,
    ...lines,
    '',
  ].join('\n')
}
