// npm run bench:start: what a process pays until its first answer, beside a bare Node: time, memory, and loading by itself.
// Options: --model FILE, --rounds N, --import (instead of require), --json.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** This file runs as dist/bench/start.js. */
const ROOT = join(import.meta.dirname, '../..')
const MODEL = join(ROOT, '../shared/bench/models/mobilenet_v2_int8.tflite')

const MEMORY = `require('node:fs').writeSync(1, JSON.stringify({ rss: process.memoryUsage().rss }))`

/** The smallest program that a user writes. */
const FIRST = `
const began = performance.now()
LOAD.then(async ({ loadModel }) => {
  const loaded = performance.now()
  const model = await loadModel(process.argv[1], { threads: 1 })
  const ready = performance.now()
  await model.run(model.inputs.map(({ shape }) => new Int8Array(shape.reduce((a, b) => a * b, 1))))
  const times = { modules: loaded - began, load: ready - loaded, run: performance.now() - ready }
  require('node:fs').writeSync(1, JSON.stringify({ ...times, rss: process.memoryUsage().rss }))
  process.exit(0)
})`

/** Loading once the engine has compiled what it takes. */
const AGAIN = `
const { loadModel } = require('lowbit')
const main = async () => {
  const times = []
  for (let i = 0; i < 30; i++) {
    const began = performance.now()
    const model = await loadModel(process.argv[1], { threads: 1 })
    times.push(performance.now() - began)
    model.dispose()
  }
  require('node:fs').writeSync(1, JSON.stringify(times.slice(10)))
}
main()`

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number

function run(script: string, model: string): { wall: number; said: string } {
  const began = performance.now()
  const said = execFileSync(process.execPath, ['-e', script, model], { cwd: ROOT, encoding: 'utf8' })
  return { wall: performance.now() - began, said }
}

interface First {
  readonly modules: number
  readonly load: number
  readonly run: number
  readonly rss: number
}

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: MODEL },
    rounds: { type: 'string', default: '15' },
    import: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const { model } = values
const program = FIRST.replace(
  'LOAD',
  values.import ? `import('lowbit')` : `Promise.resolve(require('lowbit'))`,
)
const bare: number[] = []
const walls: number[] = []
const firsts: First[] = []
const memory: number[] = []
for (let i = 0; i < Number(values.rounds); i++) {
  bare.push(run('0', model).wall)
  const { wall, said } = run(program, model)
  walls.push(wall)
  firsts.push(JSON.parse(said) as First)
  memory.push((JSON.parse(run(MEMORY, model).said) as { rss: number }).rss)
}
const of = (key: keyof First) => median(firsts.map((first) => first[key]))
const again = JSON.parse(run(AGAIN, model).said) as number[]
const result = {
  bareMs: median(bare),
  addedMs: median(walls) - median(bare),
  modulesMs: of('modules'),
  loadMs: of('load'),
  runMs: of('run'),
  loadAgainMs: median(again),
  addedMiB: (of('rss') - median(memory)) / 2 ** 20,
}
const lines: readonly (readonly [keyof typeof result, string])[] = [
  ['bareMs', 'ms: a bare Node'],
  ['addedMs', 'ms more until the first answer, of which'],
  ['modulesMs', 'ms: modules'],
  ['loadMs', 'ms: loadModel'],
  ['runMs', 'ms: the run'],
  ['addedMiB', 'MiB of resident memory more than a bare Node'],
  ['loadAgainMs', 'ms: loadModel once more in the same process'],
]
const text = lines.map(([key, what]) => `${result[key].toFixed(1).padStart(7)} ${what}`).join('\n')
process.stdout.write(`${values.json ? JSON.stringify(result) : text}\n`)
