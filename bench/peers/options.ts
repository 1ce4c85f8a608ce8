// The options of npm run bench:peers.

import { parseArgs } from 'node:util'

/** Whom lowbit may be compared with: LiteRT, ONNX Runtime in Python, onnxruntime-node. */
export const PEERS = ['litert', 'ort', 'ort-node'] as const
export type Peer = (typeof PEERS)[number]

export interface Options {
  /** Names or files; none: the networks of ../shared. */
  readonly models: readonly string[]
  readonly threads: readonly number[]
  /** None: all that this machine has, without scalar. */
  readonly isas: readonly string[]
  readonly peers: readonly Peer[]
  readonly rounds: number
  readonly seconds: number
  readonly memory: 'small' | 'balanced' | 'fast'
  readonly least: number
  readonly out: string
  readonly python: string | undefined
  readonly onnx: string | undefined
  readonly prefix: readonly string[]
  readonly json: boolean
  readonly help: boolean
}

export const HELP = `npm run bench:peers -- [options]: times whole models in lowbit and its peers, alternating

  --models A,B     .tflite files, or names of ../shared/bench/models (its ten networks)
  --peers A,B      litert, ort, ort-node (all)
  --threads 1,2    thread counts (1,2); one thread is pinned to the last core
  --isa A,B        instruction sets (all of this machine but scalar)
  --rounds N       rounds of all contenders in turn (3)
  --seconds S      how long a contender is timed in a round (0.8)
  --memory WHAT    what lowbit may pack: small, balanced or fast (fast)
  --least R        exit code 1 where a geometric mean of peer / lowbit is below R (no bound)
  --out FOLDER     where table.md, results.json, chart.svg and scratch files go (bench-results)
  --python FILE    Python with the peers' packages (FOLDER/venv/bin/python if it is there, else python3)
  --onnx FOLDER    ONNX forms of the models (FOLDER of --out/onnx; made there when the tools are there)
  --prefix TEXT    a command before each timed process, e.g. "flock FILE"
  --json           the results as JSON instead of the table
  --help

  npm run bench:peers -- --models mobilenet_v2_int8 --isa avx2 --threads 1
`

/** The command line is wrong; the message says how. */
export class WrongUsage extends Error {}

const list = (text: string) => text.split(',').filter((part) => part !== '')

function choice<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value)
  if (found === undefined) throw new WrongUsage(`${name} is one of ${allowed.join(', ')}, not "${value}"`)
  return found
}

function positive(name: string, value: string): number {
  const number = Number(value)
  if (!(number > 0 && Number.isFinite(number))) throw new WrongUsage(`${name} is above 0, not "${value}"`)
  return number
}

function whole(name: string, value: string): number {
  const number = positive(name, value)
  if (!Number.isInteger(number)) throw new WrongUsage(`${name} is a whole number, not "${value}"`)
  return number
}

function values(args: readonly string[]) {
  const text = (value: string) => ({ type: 'string', default: value }) as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        models: text(''),
        peers: text(PEERS.join(',')),
        threads: text('1,2'),
        isa: text(''),
        rounds: text('3'),
        seconds: text('0.8'),
        memory: text('fast'),
        least: { type: 'string' },
        out: text('bench-results'),
        python: { type: 'string' },
        onnx: { type: 'string' },
        prefix: text(''),
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new WrongUsage((error as Error).message)
  }
}

/** @throws {WrongUsage} */
export function parseOptions(args: readonly string[]): Options {
  const v = values(args)
  const threads = list(v.threads).map((count) => whole('--threads', count))
  if (threads.length === 0) throw new WrongUsage('--threads names no number')
  return {
    models: list(v.models),
    threads,
    isas: list(v.isa),
    peers: list(v.peers).map((peer) => choice('--peers', peer, PEERS)),
    rounds: whole('--rounds', v.rounds),
    seconds: positive('--seconds', v.seconds),
    memory: choice('--memory', v.memory, ['small', 'balanced', 'fast']),
    least: v.least === undefined ? 0 : positive('--least', v.least),
    out: v.out,
    python: v.python,
    onnx: v.onnx,
    prefix: v.prefix.split(' ').filter((part) => part !== ''),
    json: v.json,
    help: v.help,
  }
}
