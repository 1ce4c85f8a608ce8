// One process of a contender: outputs of a run, and times where they are wanted.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { output } from './command.js'
import type { Contender } from './contenders.js'
import type { Outputs } from './differences.js'

export interface Place {
  readonly model: string
  /** Undefined: the whole processor. */
  readonly isa: string | undefined
  readonly threads: number
}

export interface Timing {
  readonly minMs: number
  readonly medianMs: number
  readonly samples: number
}

export interface DriveOptions {
  /** Command before that of the driver. */
  readonly prefix: readonly string[]
  readonly scratch: string
  readonly more?: readonly string[]
}

async function drive(
  contender: Contender,
  { model, isa, threads }: Place,
  prefix: readonly string[],
  more: readonly string[],
) {
  const { command, env } = await contender.launch(isa)
  const file = await contender.file(model)
  const said = await output([...prefix, ...command, file, '--threads', String(threads), ...more], env)
  return JSON.parse(said.trim().split('\n').at(-1) ?? '')
}

/** The outputs of one run. */
export async function outputsOf(
  contender: Contender,
  place: Place,
  { scratch, more = [] }: DriveOptions,
): Promise<Outputs> {
  const file = join(scratch, `${contender.name}.outputs`)
  const { outputs } = await drive(contender, place, [], ['--output', file, ...more])
  return { layout: outputs, bytes: new Uint8Array(readFileSync(file)) }
}

export function time(
  contender: Contender,
  place: Place,
  seconds: number,
  { prefix }: DriveOptions,
): Promise<Timing> {
  return drive(contender, place, prefix, ['--seconds', String(seconds)])
}
