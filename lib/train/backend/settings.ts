// How many threads work on a kernel, and for which instruction set it is chosen.

import { loadBinding } from '../../native/load.js'
import { checkKeys, loadSettings } from '../../session/options.js'

export interface BackendOptions {
  /** Beats the environment variable `LOWBIT_THREADS`, which beats the default: the cores that the process may use. */
  readonly threads?: number | undefined
  /** Caps the kernels at this instruction set, as the environment variable `LOWBIT_ISA` does, which it beats. */
  readonly isa?: string | undefined
}

export interface BackendSettings {
  readonly threads: number
  /** Undefined for the best of the processor. */
  readonly isa: string | undefined
}

let current: BackendSettings | undefined

export function settings(): BackendSettings {
  current ??= read({})
  return current
}

/** @throws {LowbitError} `OPTION_INVALID`. */
export function changeSettings(options: BackendOptions): void {
  checkKeys(options, ['threads', 'isa'], 'options of the backend')
  current = read(options)
}

function read({ threads, isa }: BackendOptions): BackendSettings {
  const environment = isa === undefined ? process.env : { ...process.env, LOWBIT_ISA: isa }
  return loadSettings({ threads }, environment, loadBinding().cpu())
}
