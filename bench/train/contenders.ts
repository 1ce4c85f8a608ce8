// Who trains, and how each is started.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { output } from '#bench/peers/command.js'
import type { ContenderName } from './options.js'

export interface Contender {
  readonly name: ContenderName
  readonly version: string
  readonly command: readonly string[]
}

export interface LeftOut {
  readonly name: ContenderName
  readonly why: string
}

const compiled = join(import.meta.dirname, 'drivers/lowbit.js')
const node = (what: string) => [process.execPath, compiled, what]

const IN_NODE: Readonly<Partial<Record<ContenderName, readonly string[]>>> = {
  lowbit: node('fit'),
  'lowbit-int8': node('int8'),
  'lowbit-layers': node('layers'),
  tfjs: node('tfjs'),
}

const IN_PYTHON: Readonly<Partial<Record<ContenderName, { module: string; driver: string; what: string }>>> =
  {
    torch: { module: 'torch', driver: 'torch_step', what: 'plain' },
    'torch-fast': { module: 'torch', driver: 'torch_step', what: 'fast' },
    tensorflow: { module: 'tensorflow', driver: 'tensorflow_step', what: 'step' },
  }

export interface Surroundings {
  /** Of the package. */
  readonly root: string
  readonly python: string | undefined
  /** Of lowbit and of TensorFlow.js. */
  readonly versions: { readonly lowbit: string; readonly tfjs: string }
}

/** @throws {Error} that says what is missing. */
async function find(name: ContenderName, { root, python, versions }: Surroundings): Promise<Contender> {
  const command = IN_NODE[name]
  if (command !== undefined) return { name, command, version: versions[name === 'tfjs' ? 'tfjs' : 'lowbit'] }
  const { module, driver, what } = IN_PYTHON[name] as NonNullable<(typeof IN_PYTHON)[ContenderName]>
  if (python === undefined) throw new Error(`no Python is named (--python); it needs ${module} and numpy`)
  const version = (
    await output([python, '-c', `import numpy, ${module}; print(${module}.__version__)`])
  ).trim()
  const script = join(root, 'bench/train/drivers', `${driver}.py`)
  if (!existsSync(script)) throw new Error(`${script} is missing`)
  return { name, version, command: [python, script, what] }
}

export async function findAll(names: readonly ContenderName[], around: Surroundings) {
  const contenders: Contender[] = []
  const leftOut: LeftOut[] = []
  for (const name of names) {
    try {
      contenders.push(await find(name, around))
    } catch (error) {
      leftOut.push({ name, why: (error as Error).message })
    }
  }
  return { contenders, leftOut }
}
