// npm run bench:quantize: accuracy of what lowbit quantises, beside that of its peers' files.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Entry, entriesOf, labelsOf, sampleSet, shared } from './entries.js'
import { floatForm } from './float.js'
import { checkInLitert } from './litert.js'
import { make } from './make.js'
import { METHODS } from './methods.js'
import { outputsOf } from './outputs.js'
import { LADDER, RECIPES } from './recipes.js'
import { score } from './score.js'
import { ladderMarkdown, markdown, type Result } from './table.js'

const HELP = `npm run bench:quantize -- [options]: accuracy of quantised models

  --work FOLDER    samples, float forms, made files, results (bench-results/quantize)
  --only A,B       entries of bench/quantize/models.json whose names begin so (all)
  --columns A,B    only these columns (all)
  --fresh          quantise again, also where lowbit's file is there already
  --ladder         instead of the tables: what each repair gives to few bits, on the first of the entries
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
      fresh: { type: 'boolean', default: false },
      ladder: { type: 'boolean', default: false },
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

interface Wanted {
  readonly work: string
  readonly entries: readonly Entry[]
  readonly columns: readonly string[]
}

/** What a tool refuses is said, and is missing in the tables. */
async function makeAll({ work, entries, columns }: Wanted, isFresh: boolean) {
  for (const entry of entries) {
    for (const column of columns.filter((one) => RECIPES.has(one))) {
      try {
        const seconds = await make(work, entry, column, isFresh)
        progress(`${entry.name} ${column}: ${seconds.toFixed(1)} s\n`)
      } catch (error) {
        progress(`${entry.name} ${column}: ${(error as Error).message}\n`)
        process.exitCode = 1
      }
    }
  }
}

async function measureAll({ work, entries, columns }: Wanted): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const entry of entries) {
    progress(`${entry.name} `)
    results.push(...(await measure(work, entry, columns)))
    progress('\n')
  }
  return results
}

async function main() {
  const { work, only, columns: wanted, ladder, float, fresh, litert, help } = options()
  if (help) return void process.stdout.write(HELP)
  const entries = entriesOf(list(only)).slice(0, ladder ? 1 : undefined)
  writeFloatForms(work, entries)
  if (float) return
  const isWanted = (column: string) => wanted === '' || column === 'float' || list(wanted).includes(column)
  const all = ladder ? ['float', ...LADDER.keys()] : METHODS.flatMap((method) => method.columns)
  const task: Wanted = { work, entries, columns: [...new Set(all)].filter(isWanted) }
  await makeAll(task, fresh)
  const results = await measureAll(task)
  const table = ladder ? ladderMarkdown(results) : markdown(METHODS, results)
  const name = ladder ? 'ladder' : 'results'
  writeFileSync(join(work, `${name}.json`), `${JSON.stringify(results, null, 1)}\n`)
  writeFileSync(join(work, `${name}.md`), table)
  process.stdout.write(table)
  if (litert !== undefined) await writeChecks(litert, task)
}

async function writeChecks(python: string, { work, entries, columns }: Wanted) {
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
