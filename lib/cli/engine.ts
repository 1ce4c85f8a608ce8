// Where the command line meets the engine: a loaded model with what results say of it.

import { loadBinding } from '../native/load.js'
import { loadModel } from '../session/load.js'
import type { Model } from '../session/model.js'
import { type LoadOptions, loadSettings } from '../session/options.js'

export interface Engine {
  readonly model: Model
  /** Level of the kernels, capped by `LOWBIT_ISA`. */
  readonly isa: string
  /** At most this many threads work on one run. */
  readonly threads: number
  /** Reading the file, checking, planning and packing. */
  readonly loadMs: number
}

/** What a command may say of loading; undefined where an option was not given. */
export interface EngineOptions {
  readonly threads?: number | undefined
  readonly memory?: LoadOptions['memory'] | undefined
}

/** Options, environment and processor together, as loading sees them. */
export function engineSettings({ threads, memory }: EngineOptions = {}) {
  const binding = loadBinding()
  const options: LoadOptions = {
    ...(threads !== undefined && { threads }),
    ...(memory !== undefined && { memory }),
  }
  const settings = loadSettings(options, process.env, binding.cpu())
  return { binding, options, settings, cpu: binding.cpu(settings.isa) }
}

export async function openModel(path: string, given: EngineOptions): Promise<Engine> {
  const { options, settings, cpu } = engineSettings(given)
  const started = performance.now()
  const model = await loadModel(path, options)
  return { model, isa: cpu.isa, threads: settings.threads, loadMs: performance.now() - started }
}
