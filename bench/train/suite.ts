// The measurement: all contenders in turn, each in a process of its own, several times; then memory.

import { output } from '#bench/peers/command.js'
import type { Contender, LeftOut } from './contenders.js'
import { growth, type Mark, marksOf } from './flat.js'
import type { ContenderName, Options } from './options.js'
import { CHECKED_STEPS, type Problem } from './problem.js'
import { difference } from './same.js'

export interface Row {
  readonly name: ContenderName
  readonly version: string
  /** Of the first steps. */
  readonly losses: readonly number[]
  /** Of all rounds. */
  readonly minMs: number
  /** The least of the medians of rounds: what the machine does besides lengthens the others. */
  readonly medianMs: number
  readonly samples: number
}

export interface Memory {
  readonly name: ContenderName
  readonly marks: readonly Mark[]
}

export interface Measured {
  readonly rows: readonly Row[]
  readonly memory: readonly Memory[]
  readonly leftOut: readonly LeftOut[]
  readonly failures: readonly string[]
}

export interface Suite extends Options {
  readonly problem: Problem
  readonly progress: (text: string) => void
}

type Figures = Omit<Row, 'name' | 'version'>

/** A step of TensorFlow.js by itself takes seconds. */
const checkedOf = ({ name }: Contender) => (name === 'tfjs' ? 2 : CHECKED_STEPS)

async function drive<T>(
  contender: Contender,
  { problem, threads }: Suite,
  more: readonly string[],
): Promise<T> {
  const given = ['--problem', JSON.stringify(problem), '--threads', String(threads)]
  const checked = ['--checked', String(checkedOf(contender))]
  const said = await output([...contender.command, ...given, ...checked, ...more])
  return JSON.parse(said.trim().split('\n').at(-1) ?? '') as T
}

function merged(rounds: readonly Figures[]): Figures | undefined {
  const first = rounds[0]
  if (first === undefined) return undefined
  return {
    losses: first.losses,
    minMs: Math.min(...rounds.map(({ minMs }) => minMs)),
    medianMs: Math.min(...rounds.map(({ medianMs }) => medianMs)),
    samples: rounds.reduce((sum, { samples }) => sum + samples, 0),
  }
}

async function times(contenders: readonly Contender[], suite: Suite) {
  const figures = new Map<ContenderName, Figures[]>()
  const failures = new Set<string>()
  let expected: readonly number[] | undefined
  for (let round = 1; round <= suite.rounds; round++) {
    for (const contender of contenders) {
      const { name } = contender
      const warmUp = name === 'tfjs' ? 0 : suite.warmUp
      const more = ['--warm-up', String(warmUp), '--seconds', String(suite.seconds)]
      const made = await drive<Figures>(contender, suite, more)
      suite.progress(`round ${round}: ${name} ${made.minMs.toFixed(2)} / ${made.medianMs.toFixed(2)} ms\n`)
      expected ??= made.losses
      const wrong = difference(suite.problem, made.losses, expected, name === 'lowbit-int8')
      if (wrong === undefined) figures.set(name, [...(figures.get(name) ?? []), made])
      else failures.add(`${name}: ${wrong}`)
    }
  }
  const rows = contenders.flatMap(({ name, version }): Row[] => {
    const row = merged(figures.get(name) ?? [])
    return row === undefined ? [] : [{ name, version, ...row }]
  })
  return { rows, failures: [...failures] }
}

/** V8 shall not make its young generation larger meanwhile: that alone is 25 MiB in the first epoch, once. */
const inSteadyNode = ({ command: [node = '', ...rest], ...contender }: Contender): Contender => ({
  ...contender,
  command: [node, '--expose-gc', '--max-semi-space-size=1', ...rest],
})

async function memoryOf(contenders: readonly Contender[], suite: Suite) {
  const memory: Memory[] = []
  const failures: string[] = []
  if (suite.epochs === 0) return { memory, failures }
  for (const contender of contenders.filter(({ name }) => name.startsWith('lowbit'))) {
    const marks = ['--marks', marksOf(suite.epochs, suite.steps).join()]
    const made = await drive<{ marks: readonly Mark[] }>(inSteadyNode(contender), suite, marks)
    memory.push({ name: contender.name, marks: made.marks })
    const grown = growth(made.marks)
    suite.progress(`memory: ${contender.name} ${grown ?? 'is flat'}\n`)
    if (grown !== undefined) failures.push(`${contender.name}: ${grown}`)
  }
  return { memory, failures }
}

const fastestTorch = (rows: readonly Row[]) =>
  rows.filter(({ name }) => name.startsWith('torch')).sort((a, b) => a.minMs - b.minMs)[0]

/** Time of lowbit's step over that of the faster PyTorch, where both were timed. */
export function ratioToTorch(rows: readonly Row[]): number | undefined {
  const [own, torch] = [rows.find(({ name }) => name === 'lowbit'), fastestTorch(rows)]
  return own && torch && own.minMs / torch.minMs
}

export async function measureAll(
  contenders: readonly Contender[],
  suite: Suite,
): Promise<Omit<Measured, 'leftOut'>> {
  // `lowbit` first: the others' losses are compared with its.
  const ordered = [...contenders].sort((a, b) => Number(b.name === 'lowbit') - Number(a.name === 'lowbit'))
  const { rows, failures } = await times(ordered, suite)
  const { memory, failures: grown } = await memoryOf(ordered, suite)
  const ratio = ratioToTorch(rows)
  const slow = ratio !== undefined && ratio > suite.most
  const more = slow
    ? [`a step takes ${ratio.toFixed(2)} times the time of PyTorch, at most ${suite.most} allowed`]
    : []
  return { rows, memory, failures: [...failures, ...grown, ...more] }
}
