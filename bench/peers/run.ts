// npm run bench:peers: whole models in lowbit and its peers on the same machine, thread counts and instruction sets.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { commit, machine } from '#bench/machine.js'
import { cpu } from '#lib/bare/kernels.js'
import { chart } from './chart.js'
import { works } from './command.js'
import { type Contender, findPeer, lowbit, pythonOf, type Surroundings } from './contenders.js'
import { onnxForms } from './onnx.js'
import { HELP, type Options, parseOptions, WrongUsage } from './options.js'
import { belowLeast, type LeftOut, type Results } from './results.js'
import { measureAll } from './suite.js'
import { markdown } from './table.js'

/** This file runs as dist/bench/peers/run.js. */
const root = join(import.meta.dirname, '../../..')
const shared = join(root, '../shared/bench')

const NETWORKS = [
  'mobilenet_v1_int8',
  'mobilenet_v2_int8',
  'mobilenet_v3s_int8',
  'effnet_lite0_int8',
  'resnet50_int8',
  'resnet8_int8',
  'dscnn_kws_int8',
  'vww_int8',
  'ad_fc_int8',
  'bert_dyn',
]

const progress = (text: string) => void process.stderr.write(text)

function modelsOf(wanted: readonly string[]) {
  if (wanted.length === 0 && !existsSync(shared)) {
    throw new WrongUsage(`${shared} is missing: give .tflite files with --models`)
  }
  return (wanted.length > 0 ? wanted : NETWORKS).map((model) => {
    const path = [model, join(shared, 'models', `${model}.tflite`)].find((file) => existsSync(file))
    if (path === undefined) throw new WrongUsage(`there is no model "${model}"`)
    return { name: basename(path, '.tflite'), path: resolve(path) }
  })
}

function levelsOf(wanted: readonly string[]): { isas: readonly string[]; best: string } {
  const all = cpu().isas
  const missing = wanted.find((isa) => !all.includes(isa))
  if (missing !== undefined) throw new WrongUsage(`this machine has ${all.join(', ')}, not "${missing}"`)
  return {
    isas: wanted.length > 0 ? wanted : all.filter((isa) => isa !== 'scalar'),
    best: all.at(-1) as string,
  }
}

/** One thread stays on the last core, where that can be had. */
async function prefixes({ prefix }: Options) {
  const pin = ['taskset', '-c', String(cpus().length - 1)]
  const pinned = await works([...pin, 'true'])
  if (!pinned) progress('taskset does not work here: threads are not pinned, figures are less steady\n')
  return (threads: number) => [...prefix, ...(pinned && threads === 1 ? pin : [])]
}

async function contendersOf(options: Options, scratch: string) {
  const python = pythonOf(options)
  const scripts = join(shared, 'peers')
  const onnxFolder = resolve(options.onnx ?? join(options.out, 'onnx'))
  const around: Surroundings = {
    root,
    python,
    caps: { scripts, scratch: join(scratch, 'smaller-cpu'), python },
    onnx: onnxForms({ folder: onnxFolder, scripts, python, progress }),
  }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const contenders: Contender[] = [lowbit(version, options.memory)]
  const leftOut: LeftOut[] = []
  for (const peer of options.peers) {
    try {
      contenders.push(await findPeer(peer, around))
    } catch (error) {
      const why = (error as Error).message
      progress(`${peer} is left out: ${why}\n`)
      leftOut.push({ contender: peer, where: 'everywhere', why })
    }
  }
  return { contenders, leftOut }
}

async function resultsOf(options: Options, args: readonly string[]) {
  const models = modelsOf(options.models)
  const levels = levelsOf(options.isas)
  const out = resolve(options.out)
  const scratch = join(out, 'scratch')
  mkdirSync(scratch, { recursive: true })
  const { contenders, leftOut } = await contendersOf(options, scratch)
  const { threads, rounds, seconds } = options
  const prefix = await prefixes(options)
  const suite = { models, ...levels, threads, rounds, seconds, scratch, prefix, progress }
  const measured = await measureAll(contenders, suite)
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    commit: await commit(root),
    command: ['npm run bench:peers --', ...args].join(' '),
    machine: machine(),
    node: process.versions.node,
    versions: Object.fromEntries(contenders.map(({ name, version }) => [name, version])),
    rows: measured.rows,
    leftOut: [...leftOut, ...measured.leftOut],
    notes: measured.notes,
  }
  return { results, failures: measured.failures }
}

function write(folder: string, results: Results): void {
  const files = {
    'table.md': markdown(results),
    'results.json': `${JSON.stringify(results, undefined, 2)}\n`,
    'chart.svg': chart(results.rows),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  progress(`${Object.keys(files).join(', ')} are in ${folder}\n`)
}

async function main(): Promise<number> {
  const args = process.argv.slice(2)
  const options = parseOptions(args)
  if (options.help) {
    process.stdout.write(HELP)
    return 0
  }
  const { results, failures } = await resultsOf(options, args)
  write(resolve(options.out), results)
  process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : markdown(results))
  const bad = [...failures, ...belowLeast(results.rows, options.least)]
  for (const line of bad) progress(`bench:peers: ${line}\n`)
  return bad.length > 0 ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof WrongUsage)) throw error
  progress(`bench:peers: ${error.message}\n\n${HELP}`)
  process.exitCode = 2
}
