// npm run bench:threads: networks with one thread and with two, and with two while another process keeps a core busy.
// Options: --models A,B (files, or names of ../shared/bench/models), --rounds N, --seconds S, --memory WHAT, --json.

import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table } from '#lib/report/table.js'

/** This file runs as dist/bench/threads.js. */
const ROOT = join(import.meta.dirname, '../..')
const MODELS = 'mobilenet_v1_int8,mobilenet_v2_int8,effnet_lite0_int8,resnet50_int8,bert_dyn,mobilenet_v2_f32'

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: MODELS },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
    memory: { type: 'string', default: 'fast' },
    json: { type: 'boolean', default: false },
  },
})

interface Latency {
  readonly min: number
  readonly mean: number
}

function time(model: string, threads: number): Latency {
  const file = model.endsWith('.tflite') ? model : join(ROOT, `../shared/bench/models/${model}.tflite`)
  const options = ['--threads', String(threads), '--seconds', values.seconds, '--memory', values.memory]
  const command = [join(ROOT, 'dist/esm/cli/main.js'), 'bench', file, ...options, '--json']
  const said = execFileSync(process.execPath, command, { encoding: 'utf8' })
  return (JSON.parse(said) as { latencyMs: Latency }).latencyMs
}

/** Times while a busy loop has core 1. */
function timeBusy(model: string, threads: number): Latency {
  const loop = spawn('taskset', ['-c', '1', process.execPath, '-e', 'for (;;);'], { stdio: 'ignore' })
  try {
    return time(model, threads)
  } finally {
    loop.kill('SIGKILL')
  }
}

const least = (times: readonly Latency[], key: keyof Latency) => Math.min(...times.map((one) => one[key]))

function measure(model: string) {
  const [one, two, busy]: [Latency[], Latency[], Latency[]] = [[], [], []]
  for (let round = 0; round < Number(values.rounds); round++) {
    one.push(time(model, 1))
    two.push(time(model, 2))
    busy.push(timeBusy(model, 2))
  }
  return {
    model,
    oneMs: least(one, 'min'),
    twoMs: least(two, 'min'),
    speedup: least(one, 'min') / least(two, 'min'),
    // Of the whole time: what is lost is lost in a few runs.
    busySpeed: least(one, 'mean') / least(busy, 'mean'),
  }
}

const results = values.models.split(',').map(measure)
const columns = [
  { title: 'model' },
  ...['1 thread, ms', '2 threads, ms', 'speed', 'speed, busy core'].map((title) => ({
    title,
    align: 'right' as const,
  })),
]
const rows = results.map(({ model, oneMs, twoMs, speedup, busySpeed }) => [
  model,
  oneMs.toFixed(3),
  twoMs.toFixed(3),
  speedup.toFixed(2),
  busySpeed.toFixed(2),
])
process.stdout.write(`${values.json ? JSON.stringify(results) : table(columns, rows)}\n`)
