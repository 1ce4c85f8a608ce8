// The results as Markdown.

import type { Method } from './methods.js'
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
