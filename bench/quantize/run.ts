// npm run bench:quantize: accuracy of what lowbit quantises, beside that of its peers' files.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Entry, entriesOf, labelsOf, sampleSet, shared } from './entries.js'
import { floatForm } from './float.js'
import { checkInLitert } from './litert.js'
import { METHODS } from './methods.js'
import { outputsOf } from './outputs.js'
import { score } from './score.js'
import { markdown, type Result } from './table.js'

const HELP = `npm run bench:quantize -- [options]: accuracy of quantised models

  --work FOLDER    samples, float forms, made files, results (bench-results/quantize)
  --only A,B       entries of bench/quantize/models.json whose names begin so (all)
  --columns A,B    only columns whose names begin so (all)
  --float          only write FOLDER/float, which peers.py reads
  --litert PYTHON  also run all files in LiteRT, with this Python
  --help
`

const progress = (text: string) => void process.stderr.write(text)
const list = (text: string) => text.split(',').filter((part) => part !== '')

function options() {
  const text = (value: string) => ({ type: 'string', default: value }) as const
  const { values } = parseArgs({
    options: {
      work: text('bench-results/quantize'),
      only: text(''),
      columns: text(''),
      float: { type: 'boolean', default: false },
      litert: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  return { ...values, work: resolve(values.work) }
}

function writeFloatForms(work: string, entries: readonly Entry[]) {
  mkdirSync(join(work, 'float'), { recursive: true })
  for (const { file } of entries) {
    const bytes = readFileSync(join(shared, 'models/float', `${file}.tflite`))
    writeFileSync(join(work, 'float', `${file}.tflite`), floatForm(bytes))
  }
}

function fileOf(work: string, { name, file, given }: Entry, column: string): string | undefined {
  if (column === 'float') return join(work, 'float', `${file}.tflite`)
  if (column === 'given') return given && join(shared, 'models', `${given}.tflite`)
  const made = join(work, 'made', `${name}.${column}.tflite`)
  return existsSync(made) ? made : undefined
}

async function measure(work: string, entry: Entry, columns: readonly string[]): Promise<Result[]> {
  const labels = labelsOf(work, entry)
  const { count } = sampleSet(work, entry, 'check')
  const float = await outputsOf(work, entry, fileOf(work, entry, 'float') as string)
  const results: Result[] = []
  for (const column of columns) {
    const file = fileOf(work, entry, column)
    if (file === undefined) continue
    const outputs = await outputsOf(work, entry, file)
    const { name, row } = entry
    results.push({
      name,
      row,
      column,
      bytes: statSync(file).size,
      score: score(float, outputs, count, labels),
    })
    progress('.')
  }
  return results
}

async function main() {
  const { work, only, columns: wanted, float, litert, help } = options()
  if (help) return void process.stdout.write(HELP)
  const entries = entriesOf(list(only))
  writeFloatForms(work, entries)
  if (float) return
  const isWanted = (column: string) =>
    wanted === '' || column === 'float' || list(wanted).some((part) => column.startsWith(part))
  const columns = [...new Set(METHODS.flatMap((method) => method.columns))].filter(isWanted)
  const results: Result[] = []
  for (const entry of entries) {
    progress(`${entry.name} `)
    results.push(...(await measure(work, entry, columns)))
    progress('\n')
  }
  const table = markdown(METHODS, results)
  writeFileSync(join(work, 'results.json'), `${JSON.stringify(results, null, 1)}\n`)
  writeFileSync(join(work, 'table.md'), table)
  process.stdout.write(table)
  if (litert !== undefined) await writeChecks(litert, work, entries, columns)
}

async function writeChecks(
  python: string,
  work: string,
  entries: readonly Entry[],
  columns: readonly string[],
) {
  const files = entries.flatMap((entry) =>
    columns
      .filter((column) => column !== 'float')
      .flatMap((column) => {
        const file = fileOf(work, entry, column)
        return file === undefined ? [] : [{ entry, file, column }]
      }),
  )
  const checks = (await checkInLitert(python, work, files)).map((check, i) => ({
    name: files[i]?.entry.name,
    column: files[i]?.column,
    ...check,
  }))
  writeFileSync(join(work, 'litert.json'), `${JSON.stringify(checks, null, 1)}\n`)
  for (const check of checks) process.stdout.write(`${JSON.stringify(check)}\n`)
}

await main()
