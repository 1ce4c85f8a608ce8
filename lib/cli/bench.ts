// lowbit bench: how long a model takes.

import { Command, Option } from 'commander'
import { LowbitError } from '../errors.js'
import { facts, table } from '../report/table.js'
import { bytesText, gmacsPerSecond, macsText, timeText } from '../report/units.js'
import type { Model, ProfileStep } from '../session/model.js'
import type { TypedArray } from '../tensor/dtype.js'
import { shownName } from './assets.js'
import { openModel } from './engine.js'
import { type Latency, measure } from './measure.js'
import { jsonOption, memoryOption, positiveNumber, threadsOption } from './options.js'
import { heading, print, printJson, stdoutWidth } from './output.js'
import { randomInput, shapeInput } from './random-inputs.js'

interface BenchOptions {
  readonly threads?: number
  readonly seconds: number
  readonly memory: 'small' | 'balanced' | 'fast'
  readonly profile?: true
  readonly json?: true
}

/** As `--json` prints it. */
interface BenchResult extends Latency {
  readonly model: string
  readonly isa: string
  readonly threads: number
  readonly loadMs: number
  readonly firstMs: number
  readonly macs: number
  readonly arenaBytes: number
  readonly weightBytes: number
  readonly packedBytes: number
  readonly steps?: readonly ProfileStep[]
}

const PROFILED_RUNS = 100

const EXAMPLES = `
Examples:
  $ lowbit bench model.tflite
  $ lowbit bench model.tflite --threads 1 --seconds 5 --json
  $ lowbit bench model.tflite --profile
  $ LOWBIT_ISA=avx2 lowbit bench model.tflite

Inputs are random, always the same. After 0.3 s of warm-up, a sample is a batch of runs of at least 0.5 ms, divided by
their number. Pin one thread to one core for steady figures: taskset -c 1 lowbit bench model.tflite --threads 1`

export function benchCommand(): Command {
  return new Command('bench')
    .description('time a model')
    .argument('<model>', 'a .tflite file')
    .addOption(threadsOption())
    .addOption(
      new Option('--seconds <s>', 'how long to take samples').argParser(positiveNumber(3600)).default(2),
    )
    .addOption(memoryOption())
    .option('--profile', 'time each step too')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(bench)
}

/** With random inputs; where a shape among them does not fit, with the one that the file has for an output. */
function firstRun(model: Model) {
  const random = model.inputs.map((info, i) => randomInput(info, i + 1))
  const shaped = model.inputs.map((info, i) => shapeInput(info, model.outputs) ?? random[i]) as TypedArray[]
  const timed = (inputs: readonly TypedArray[]) => {
    const started = performance.now()
    return { inputs, first: model.runSync(inputs), firstMs: performance.now() - started }
  }
  try {
    return timed(random)
  } catch (error) {
    if (!(error instanceof LowbitError && error.code === 'SHAPE_MISMATCH')) throw error
    return timed(shaped)
  }
}

const round = (ms: number) => Number(ms.toPrecision(6))

async function bench(path: string, options: BenchOptions): Promise<void> {
  const { model, isa, threads, loadMs } = await openModel(path, options)
  try {
    const { inputs, first, firstMs } = firstRun(model)
    // Arrays of the first run, whose shapes the run may have decided.
    const outputs = { outputs: first.map(({ data }) => data) }
    const { samples, latencyMs } = measure(() => model.runSync(inputs, outputs), options.seconds)
    const steps = await model.profile(inputs, { runs: options.profile ? PROFILED_RUNS : 1 })
    const { arenaBytes, weightBytes, packedBytes } = model.memory
    const { min, median, mean, p90, p99 } = latencyMs
    const result: BenchResult = {
      model: shownName(path),
      isa,
      threads,
      samples,
      loadMs: round(loadMs),
      firstMs: round(firstMs),
      latencyMs: {
        min: round(min),
        median: round(median),
        mean: round(mean),
        p90: round(p90),
        p99: round(p99),
      },
      macs: steps.reduce((sum, step) => sum + step.macs, 0),
      arenaBytes,
      weightBytes,
      packedBytes,
      ...(options.profile && { steps }),
    }
    if (options.json) printJson(result)
    else print(benchText(result))
  } finally {
    model.dispose()
  }
}

function benchText(result: BenchResult): string {
  const { latencyMs: t, macs } = result
  const rate = macs > 0 ? `, ${gmacsPerSecond(macs, t.min).toFixed(1)} GMAC/s at the minimum` : ''
  const text = facts([
    ['model', result.model],
    ['ISA', `${result.isa}, threads ${result.threads}`],
    ['latency', `min ${timeText(t.min)}, median ${timeText(t.median)}, mean ${timeText(t.mean)}`],
    ['', `p90 ${timeText(t.p90)}, p99 ${timeText(t.p99)}, samples ${result.samples}`],
    ['load, first run', `${timeText(result.loadMs)}, ${timeText(result.firstMs)}`],
    ['work', `${macsText(macs)}${rate}`],
    ['arena', bytesText(result.arenaBytes)],
    ['weights', `${bytesText(result.weightBytes)}, packed ${bytesText(result.packedBytes)}`],
  ])
  return result.steps ? `${text}\n\n${stepsText(result.steps)}` : text
}

function stepsText(steps: readonly ProfileStep[]): string {
  const sum = steps.reduce((total, step) => total + step.medianUs, 0)
  const rows = steps.map(({ index, op, kernel, medianUs, macs, name }) => [
    index,
    op,
    kernel,
    medianUs.toFixed(1),
    sum > 0 ? ((100 * medianUs) / sum).toFixed(1) : '',
    macs > 0 && medianUs > 0 ? gmacsPerSecond(macs, medianUs / 1000).toFixed(1) : '',
    name,
  ])
  const right = 'right' as const
  const columns = [
    { title: '#', align: right },
    { title: 'op', shrinkTo: 8 },
    { title: 'kernel', shrinkTo: 12 },
    { title: 'µs', align: right },
    { title: '%', align: right },
    { title: 'GMAC/s', align: right },
    { title: 'output', shrinkTo: 8 },
  ]
  return table(columns, rows, { width: stdoutWidth(), head: heading })
}
