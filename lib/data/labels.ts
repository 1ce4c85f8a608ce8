// Label files: one name a line, or numbered lines ("0  background", "12: name"); and how they fit an output.

import { readFile } from 'node:fs/promises'
import { LowbitError } from '../errors.js'

const MAX_LABELS = 1_000_000
const NUMBERED = /^(\d{1,7})(?:\s*:\s*|\s+)(\S.*)$/
const BACKGROUND = /^(background|unused|dummy|\?\?\?)$/i

/**
 * Labels by class index. Numbers are read as indices where every line has one; classes without a line are "".
 *
 * @throws {LowbitError} `DATA_INVALID` for no lines, an index that comes twice or is too large.
 */
export function parseLabels(text: string, name = 'labels'): readonly string[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop()
  if (lines.length === 0) throw new LowbitError('DATA_INVALID', `${name}: no labels in it`)
  if (lines.length > MAX_LABELS)
    throw new LowbitError('DATA_INVALID', `${name}: more than ${MAX_LABELS} labels`)
  const numbered = lines.filter((line) => line !== '').map((line) => NUMBERED.exec(line))
  if (!numbered.every((match) => match !== null)) return lines
  const labels: string[] = []
  const seen = new Set<number>()
  for (const match of numbered) {
    const index = Number(match[1])
    if (index >= MAX_LABELS)
      throw new LowbitError('DATA_INVALID', `${name}: class number ${index} is too large`)
    if (seen.has(index)) throw new LowbitError('DATA_INVALID', `${name}: class number ${index} comes twice`)
    seen.add(index)
    while (labels.length <= index) labels.push('')
    labels[index] = match[2] as string
  }
  return labels
}

/** As `parseLabels`, from a file. */
export async function readLabels(path: string): Promise<readonly string[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new LowbitError(
      'DATA_INVALID',
      `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      {
        cause,
      },
    )
  }
  return parseLabels(text, path)
}

/**
 * One label for each of `count` classes. A leading "background" line that the output lacks is left out, and one
 * that only the output has is put in front; `note` says so.
 *
 * @throws {LowbitError} `SHAPE_MISMATCH` if the counts differ otherwise.
 */
export function fitLabels(
  labels: readonly string[],
  count: number,
  name = 'labels',
): { readonly labels: readonly string[]; readonly note?: string } {
  if (labels.length === count) return { labels }
  const background = BACKGROUND.test(labels[0] ?? '')
  if (labels.length === count + 1 && background) {
    return {
      labels: labels.slice(1),
      note: `${name}: the first label "${labels[0]}" is left out, the output has ${count} classes`,
    }
  }
  if (labels.length === count - 1 && !background) {
    return {
      labels: ['background', ...labels],
      note: `${name}: ${labels.length} labels for ${count} classes; class 0 is taken as "background"`,
    }
  }
  throw new LowbitError(
    'SHAPE_MISMATCH',
    `${name}: ${labels.length} labels, the output has ${count} classes`,
    {
      expected: count,
      actual: labels.length,
    },
  )
}
