// The right class of each sample: from names of sub-folders, from a file beside the data, or from the data file itself.

import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fitLabels, readLabels } from '../data/labels.js'
import { readNpy } from '../data/npy.js'
import { LowbitError } from '../errors.js'
import { classNumbers, type Sample, type Samples } from './samples.js'

export interface AnswerOptions {
  /**
   * A file. For data in sub-folders: names of the classes, one a line. For other folders: lines `file,class`. For a data
   * file: `.npy` with class numbers, or one class a line.
   */
  readonly labels?: string | undefined
  /** Names of the classes, as far as they are known otherwise. */
  readonly names?: readonly string[] | undefined
  /** How many classes the model tells apart. */
  readonly classes: number
}

export interface Answers {
  /** @throws {LowbitError} `DATA_INVALID` for a sample without one. */
  of(sample: Sample): number
  /** Names of the classes, where they are known. */
  readonly names?: readonly string[]
  readonly note?: string
}

/**
 * How the right answers of samples are found; undefined where nothing says them.
 *
 * @throws {LowbitError} `DATA_INVALID`, `NAME_UNKNOWN`, `SHAPE_MISMATCH` for names and numbers that do not fit.
 */
export async function openAnswers(samples: Samples, options: AnswerOptions): Promise<Answers | undefined> {
  const { labels, names, classes } = options
  if (samples.groups.length > 0) {
    const fitted = labels === undefined ? undefined : fitLabels(await readLabels(labels), classes, labels)
    return byFolder(samples, fitted?.labels ?? names, classes, fitted?.note)
  }
  if (labels === undefined) {
    return samples.kind === 'npz' || samples.kind === 'cifar10' ? byFile(classes, names) : undefined
  }
  const isArray = extname(labels).toLowerCase() === '.npy'
  if (samples.isFolder && isArray) {
    const message = `${labels}: for a folder of files, lines "file,class" expected`
    throw new LowbitError('DATA_INVALID', message)
  }
  const text = isArray ? undefined : await readLines(labels)
  const numbers =
    text === undefined
      ? classNumbers(readNpy(await readFile(labels), labels), labels)
      : text.map((line, i) => classOf(lastField(line), names, `${labels}, line ${i + 1}`))
  checkRange(numbers, classes, labels)
  const known = names === undefined ? {} : { names }
  if (!samples.isFolder) return { ...byRow(numbers, labels), ...known }
  return {
    ...byName(new Map((text as string[]).map((line, i) => [firstField(line), numbers[i] as number])), labels),
    ...known,
  }
}

function byFolder(
  samples: Samples,
  names: readonly string[] | undefined,
  classes: number,
  note?: string,
): Answers {
  const { groups, path } = samples
  const table = names ?? (groups.every((one) => /^\d+$/.test(one)) ? [] : [...groups])
  if (names === undefined && table.length > 0 && table.length !== classes) {
    const message = `${path}: ${groups.length} sub-folders, the output has ${classes} classes; name the classes with --labels`
    throw new LowbitError('SHAPE_MISMATCH', message, { expected: classes, actual: groups.length })
  }
  const numbers = new Map(groups.map((one) => [one, classOf(one, table, `${path}: sub-folder`)]))
  checkRange([...numbers.values()], classes, path)
  return {
    of({ file }) {
      const found = file.group === undefined ? undefined : numbers.get(file.group)
      if (found !== undefined) return found
      throw new LowbitError(
        'DATA_INVALID',
        `${file.path}: the file lies in no sub-folder, which would say its class`,
      )
    },
    ...(table.length > 0 && { names: table }),
    ...(note !== undefined && { note }),
  }
}

function byFile(classes: number, names: readonly string[] | undefined): Answers {
  return {
    of({ answer, file }) {
      if (answer === undefined) {
        throw new LowbitError(
          'DATA_INVALID',
          `${file.path}: an array "labels" or "y" of class numbers expected`,
        )
      }
      checkRange([answer], classes, file.path)
      return answer
    },
    ...(names && { names }),
  }
}

function byRow(numbers: readonly number[], labels: string): Answers {
  return {
    of({ row, rows, file }) {
      if (rows === numbers.length) return numbers[row] as number
      const message = `${labels}: ${numbers.length} classes, ${rows} samples in ${file.path}`
      throw new LowbitError('SHAPE_MISMATCH', message, { expected: rows, actual: numbers.length })
    },
  }
}

function byName(numbers: ReadonlyMap<string, number>, labels: string): Answers {
  return {
    of({ file }) {
      const found = numbers.get(file.name)
      if (found !== undefined) return found
      throw new LowbitError('DATA_INVALID', `${labels}: there is no line for ${file.name}`, {
        expected: file.name,
      })
    },
  }
}

const SEPARATOR = /[,;\t]/
const firstField = (line: string) => (line.split(SEPARATOR)[0] as string).trim()
const lastField = (line: string) => (line.split(SEPARATOR).at(-1) as string).trim()

async function readLines(path: string): Promise<string[]> {
  const lines = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  while (lines.at(-1)?.trim() === '') lines.pop()
  if (lines.length === 0) throw new LowbitError('DATA_INVALID', `${path}: no labels in it`)
  return lines
}

/** A class by its number or its name. */
function classOf(text: string, names: readonly string[] | undefined, where: string): number {
  const named = names?.indexOf(text) ?? -1
  if (named >= 0) return named
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const known = names === undefined || names.length === 0 ? 'a class number' : `one of ${shown(names)}`
  throw new LowbitError('NAME_UNKNOWN', `${where}: "${text}" is no class; ${known} expected`, {
    actual: text,
  })
}

const shown = (names: readonly string[]) => `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`

function checkRange(numbers: readonly number[], classes: number, where: string): void {
  const wrong = numbers.find((value) => value >= classes)
  if (wrong === undefined) return
  const message = `${where}: class ${wrong}, the output has ${classes} classes (0 to ${classes - 1})`
  throw new LowbitError('DATA_INVALID', message, { expected: classes, actual: wrong })
}
