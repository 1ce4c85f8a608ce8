// Text tables: aligned columns without lines, narrowed to a width by shortening the columns that may give.

import Table from 'cli-table3'

export interface Column {
  readonly title: string
  /** Numbers read best on the right; text (the default) on the left. */
  readonly align?: 'left' | 'right'
  /** May be shortened, down to this many characters, when the table is too wide. */
  readonly shrinkTo?: number
}

export interface TableOptions {
  /** Characters a line may have; unlimited when left out. */
  readonly width?: number
  /** Dresses the head line, as a colour does; must not change its visible width. */
  readonly head?: (text: string) => string
}

export type Cell = string | number

const GAP = 2

/** No lines at all: every part of the frame is empty, columns are kept apart by padding alone. */
const FRAMELESS = Object.fromEntries(
  (['top', 'bottom', 'left', 'right', 'mid'] as const)
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat(['left-mid', 'mid-mid', 'right-mid', 'middle'])
    .map((name) => [name, '']),
)

/** Wider columns give first, one character at a time, until the line fits or nothing can give any more. */
function fitWidths(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  const least = columns.map((column, i) => Math.max(column.title.length, column.shrinkTo ?? natural[i] ?? 0))
  let over = widths.reduce((a, b) => a + b, 0) + GAP * (widths.length - 1) - width
  while (over > 0) {
    let widest = -1
    widths.forEach((w, i) => {
      if (w > (least[i] as number) && w > (widths[widest] ?? 0)) widest = i
    })
    if (widest < 0) break
    widths[widest] = (widths[widest] as number) - 1
    over--
  }
  return widths
}

/** The table as lines joined by newlines, without one at the end and without blanks at line ends. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions = {},
): string {
  const cells = rows.map((row) => row.map(String))
  const natural = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((row) => (row[i] ?? '').length)),
  )
  const widths = fitWidths(columns, natural, options.width ?? Number.POSITIVE_INFINITY)
  const text = new Table({
    head: columns.map((column) => column.title),
    chars: FRAMELESS,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': GAP },
    colWidths: widths.map((w) => w + GAP),
    colAligns: columns.map((column) => column.align ?? 'left'),
  })
  text.push(...cells)
  const [head, ...body] = text
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
  return [options.head ? options.head(head ?? '') : head, ...body].join('\n')
}

/** `name  value` lines, the names padded to one width. */
export function facts(rows: readonly (readonly [name: string, value: Cell])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n')
}
