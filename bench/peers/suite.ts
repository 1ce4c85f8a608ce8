// The measurement: for each model, level and thread count, every contender is checked, then all are timed in turn.

import type { Contender } from './contenders.js'
import { difference, differenceText, type Outputs } from './differences.js'
import { type DriveOptions, outputsOf, type Place, type Timing, time } from './drive.js'
import { type ContenderName, type Difference, type LeftOut, type Row, TITLES } from './results.js'

export interface SuiteOptions {
  /** Names of models, and their files. */
  readonly models: readonly { readonly name: string; readonly path: string }[]
  readonly isas: readonly string[]
  /** The level of the whole processor, at which peers run without a cap. */
  readonly best: string
  readonly threads: readonly number[]
  readonly rounds: number
  readonly seconds: number
  readonly scratch: string
  /** Command before a timed process. */
  readonly prefix: (threads: number) => readonly string[]
  readonly progress: (text: string) => void
}

export interface Measured {
  readonly rows: readonly Row[]
  readonly leftOut: readonly LeftOut[]
  readonly notes: readonly string[]
  /** lowbit's own failures: wrong results, or none. */
  readonly failures: readonly string[]
}

interface Checked {
  readonly contender: Contender
  readonly place: Place
  readonly right: boolean
  readonly difference: Difference
}

const message = (error: unknown) => (error as Error).message

/** What each contender's outputs should be, found once. */
class References {
  private readonly known = new Map<ContenderName, Promise<Outputs>>()
  private reference: Promise<Outputs> | undefined

  constructor(
    private readonly model: string,
    private readonly contenders: readonly Contender[],
    private readonly drive: DriveOptions,
  ) {}

  /** lowbit's are those of LiteRT's reference kernels, or of its own scalar ones; a peer's are its own. */
  of(contender: Contender): Promise<Outputs> {
    const found = this.known.get(contender.name) ?? this.find(contender)
    this.known.set(contender.name, found)
    return found
  }

  /** LiteRT's reference kernels, which end some models with an abort. */
  ofKernels(): Promise<Outputs> {
    this.reference ??= this.findReference()
    return this.reference
  }

  private async findReference(): Promise<Outputs> {
    const litert = this.contenders.find(({ name }) => name === 'litert')
    if (!litert) throw new Error('LiteRT, which has reference kernels, is left out')
    return outputsOf(litert, this.whole, { ...this.drive, more: ['--reference'] })
  }

  private find(contender: Contender): Promise<Outputs> {
    if (contender.name !== 'lowbit') return outputsOf(contender, this.whole, this.drive)
    return this.ofKernels().catch(() => outputsOf(contender, { ...this.whole, isa: 'scalar' }, this.drive))
  }

  private get whole(): Place {
    return { model: this.model, isa: undefined, threads: 1 }
  }
}

/** Minima and medians of all rounds: the least of each. */
export function merged(rounds: readonly Timing[]): Timing {
  return {
    minMs: Math.min(...rounds.map(({ minMs }) => minMs)),
    medianMs: Math.min(...rounds.map(({ medianMs }) => medianMs)),
    samples: rounds.reduce((sum, { samples }) => sum + samples, 0),
  }
}

export async function measureAll(contenders: readonly Contender[], options: SuiteOptions): Promise<Measured> {
  const rows: Row[] = []
  const leftOut = new Map<string, LeftOut>()
  const notes: string[] = []
  const failures: string[] = []
  const drive = { prefix: [], scratch: options.scratch }

  const fails = (contender: Contender, where: string, error: unknown) => {
    const why = message(error)
    options.progress(`  ${contender.name} left out: ${why}\n`)
    if (contender.name === 'lowbit') failures.push(`${where}: ${why}`)
    leftOut.set(`${contender.name} ${where} ${why}`, { contender: contender.name, where, why })
  }

  async function check(contender: Contender, place: Place, references: References): Promise<Checked> {
    const expected = await references.of(contender)
    const found = difference(expected, await outputsOf(contender, place, drive))
    const right = found.differing === 0
    if (!right && contender.name === 'lowbit') throw new Error(`wrong: ${differenceText(found)}`)
    return { contender, place, right, difference: found }
  }

  async function measureHere(
    name: string,
    path: string,
    isa: string,
    threads: number,
    references: References,
  ) {
    const where = `${name}, ${isa}, ${threads} threads`
    options.progress(`${where}\n`)
    const checked: Checked[] = []
    for (const contender of contenders) {
      const capped = contender.name === 'lowbit' || isa !== options.best
      const place = { model: path, isa: capped ? isa : undefined, threads }
      await check(contender, place, references).then(
        (result) => checked.push(result),
        (error) => fails(contender, where, error),
      )
    }
    const times = new Map<Checked, Timing[]>(checked.map((one) => [one, []]))
    for (let round = 1; round <= options.rounds; round++) {
      for (const [one, taken] of times) {
        taken.push(
          await time(one.contender, one.place, options.seconds, {
            ...drive,
            prefix: options.prefix(threads),
          }),
        )
      }
      const figures = [...times].map(
        ([{ contender }, taken]) => `${contender.name} ${taken.at(-1)?.minMs.toPrecision(4)}`,
      )
      options.progress(`  round ${round} of ${options.rounds}: ${figures.join(', ')} ms\n`)
    }
    for (const [{ contender, right, difference }, taken] of times) {
      rows.push({ model: name, isa, threads, contender: contender.name, ...merged(taken), right, difference })
    }
  }

  /** XNNPACK rounds otherwise than the reference kernels: no defect, but lowbit has no such freedom. */
  async function noteRounding(name: string, references: References) {
    const litert = contenders.find((contender) => contender.name === 'litert')
    if (!litert) return
    try {
      const found = difference(await references.ofKernels(), await references.of(litert))
      if (found.differing > 0) {
        notes.push(`${TITLES.litert} against its reference kernels, ${name}: ${differenceText(found)}.`)
      }
    } catch (error) {
      notes.push(
        `${name}: lowbit was checked against its scalar kernels, the reference failed: ${message(error)}`,
      )
    }
  }

  for (const { name, path } of options.models) {
    const references = new References(path, contenders, drive)
    for (const threads of options.threads) {
      for (const isa of options.isas) await measureHere(name, path, isa, threads, references)
    }
    await noteRounding(name, references)
  }
  return { rows, leftOut: [...leftOut.values()], notes, failures }
}
