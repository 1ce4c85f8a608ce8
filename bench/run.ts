// npm run bench: the bare kernels on layer shapes of real models, and operators without weights. Each case is checked first, then timed.
// Weights are packed once, before the clock runs, as they are in a loaded model; the functions of lowbit/kernels pack
// them at each call. They may be packed as large as the fastest kernel wants them. Options: --filter TEXT, --seconds S, --threads N, --json.

import { parseArgs } from 'node:util'
import Benchmark from 'benchmark'
import { cpu, createLayerProgram } from '#lib/bare/kernels.js'
import { table } from '#lib/report/table.js'
import { gmacsPerSecond, macsText, timeText } from '#lib/report/units.js'
import { CASES, type LayerCase } from './cases/layers.js'
import { OPERATORS, type OperatorCase } from './cases/operators.js'
import { clockGigahertz, macLimit } from './clock.js'
import { benchLayer, checkedPlaces } from './layers.js'
import { benchOperator } from './operators.js'

interface Row {
  readonly case: string
  readonly kernel: string
  readonly isa: string
  readonly threads: number
  readonly samples: number
  readonly minMs: number
  readonly medianMs: number
  /** Counted on the unpadded shape, at the minimum. */
  readonly gmacsPerSecond: number
  /** At the clock that the chain of additions shows. */
  readonly macsPerCycle: number
  /** Of the most that direct int8 products reach; depthwise layers and operators have no such limit. */
  readonly shareOfLimit?: number
  readonly macs: number
  /** Of inputs and output, at the minimum; weights are not counted. */
  readonly gigabytesPerSecond: number
}

function timed(run: () => void, seconds: number): number[] {
  const benchmark = new Benchmark('case', run, { maxTime: seconds, minSamples: 5 })
  benchmark.run({ async: false })
  if (benchmark.error) throw benchmark.error
  return benchmark.stats.sample.map((s) => 1000 * s).sort((a, b) => a - b)
}

interface Timed {
  readonly name: string
  readonly kind: LayerCase['kind'] | 'operator'
  readonly kernel: string
  readonly times: readonly number[]
  readonly macs: number
  readonly bytes: number
}

interface Setting {
  readonly isa: string
  readonly threads: number
  readonly gigahertz: number
}

function rowOf({ name, kind, kernel, times, macs, bytes }: Timed, { isa, threads, gigahertz }: Setting): Row {
  const minMs = times[0] as number
  const macsPerCycle = gmacsPerSecond(macs, minMs) / gigahertz
  const limit = kind === 'conv' || kind === 'gemm' ? macLimit(isa, threads) : undefined
  return {
    case: name,
    kernel,
    isa,
    threads,
    samples: times.length,
    minMs,
    medianMs: times[times.length >> 1] as number,
    gmacsPerSecond: gmacsPerSecond(macs, minMs),
    macsPerCycle,
    ...(limit !== undefined && { shareOfLimit: macsPerCycle / limit }),
    macs,
    gigabytesPerSecond: bytes / minMs / 1e6,
  }
}

function measureOperator(row: OperatorCase, threads: number, seconds: number): Timed {
  const { program, inputs, output, bytes } = benchOperator(row, threads)
  try {
    const times = timed(() => program.run(inputs, [output]), seconds)
    return { name: row.name, kind: row.kind, kernel: program.info().kernels[0] ?? '', times, macs: 0, bytes }
  } finally {
    program.dispose()
  }
}

function measureLayer(row: LayerCase, threads: number, seconds: number): Timed {
  const { layer, expected } = benchLayer(row)
  const program = createLayerProgram(layer, { threads, packed: Number.MAX_SAFE_INTEGER })
  try {
    const inputs = [layer.input]
    const output = new Int8Array(layer.outputShape.reduce((a, b) => a * b, 1))
    const outputs = [output]
    program.run(inputs, outputs)
    for (const place of checkedPlaces(layer)) {
      const right = expected(place)
      if (output[place] !== right) {
        throw new Error(`${row.name}: element ${place} is ${output[place]}, the reference says ${right}`)
      }
    }
    const times = timed(() => program.run(inputs, outputs), seconds)
    const kernel = program.info().kernels[0] ?? ''
    return {
      name: row.name,
      kind: row.kind,
      kernel,
      times,
      macs: layer.macs,
      bytes: layer.input.byteLength + output.byteLength,
    }
  } finally {
    program.dispose()
  }
}

const HELP = `npm run bench -- [options]: times the bare kernels on layer shapes of real models

  --filter TEXT   only cases whose kind and name contain TEXT
  --seconds S     how long each case is timed (0.5)
  --threads N     threads of a layer (1)
  --json          one JSON object instead of the table
  --help

  npm run bench -- --filter depthwise --seconds 2
  LOWBIT_ISA=avx2 npm run bench -- --json
`

function wrongUsage(why: string): never {
  process.stderr.write(`bench: ${why}\n\n${HELP}`)
  process.exit(2)
}

function options() {
  try {
    return parseArgs({
      options: {
        filter: { type: 'string', default: '' },
        seconds: { type: 'string', default: '0.5' },
        threads: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    return wrongUsage((error as Error).message)
  }
}

function main(): void {
  const values = options()
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  if (!(Number(values.seconds) > 0)) wrongUsage(`--seconds must be above 0, not "${values.seconds}"`)
  if (!(Number.isInteger(Number(values.threads)) && Number(values.threads) > 0)) {
    wrongUsage(`--threads must be a whole number above 0, not "${values.threads}"`)
  }
  const { isa } = cpu()
  const gigahertz = clockGigahertz()
  const rows: Row[] = []
  const [threads, seconds] = [Number(values.threads), Number(values.seconds)]
  const wanted = [...CASES, ...OPERATORS].filter(({ name, kind }) =>
    `${kind} ${name}`.includes(values.filter),
  )
  for (const row of wanted) {
    process.stderr.write(`${row.kind} ${row.name}\n`)
    const measured =
      row.kind === 'operator' ? measureOperator(row, threads, seconds) : measureLayer(row, threads, seconds)
    rows.push(rowOf(measured, { isa, threads, gigahertz }))
  }
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ isa, threads, gigahertz, rows })}\n`)
    return
  }
  const right = 'right' as const
  const columns = [
    { title: 'case' },
    { title: 'kernel' },
    { title: 'min', align: right },
    { title: 'median', align: right },
    { title: 'GMAC/s', align: right },
    { title: 'MAC/cycle', align: right },
    { title: '% of limit', align: right },
    { title: 'GB/s', align: right },
    { title: 'work', align: right },
  ]
  const cells = rows.map((r) => [
    r.case,
    r.kernel,
    timeText(r.minMs),
    timeText(r.medianMs),
    r.macs ? r.gmacsPerSecond.toFixed(1) : '',
    r.macs ? r.macsPerCycle.toFixed(1) : '',
    r.shareOfLimit === undefined ? '' : (100 * r.shareOfLimit).toFixed(0),
    r.gigabytesPerSecond.toFixed(1),
    r.macs ? macsText(r.macs) : '',
  ])
  process.stdout.write(
    `ISA ${isa}, threads ${values.threads}, ${gigahertz.toFixed(2)} GHz\n${table(columns, cells)}\n`,
  )
}

main()
