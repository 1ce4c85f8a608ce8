// Options of loading and running, and the environment variables beside them; all checked.

import { LowbitError } from '../errors.js'
import type { NativeCpu } from '../native/binding.js'
import type { TypedArray } from '../tensor/dtype.js'
import { usableCores } from './cores.js'
import { type CustomOps, checkCustomOps } from './custom-ops.js'

/** An AbortSignal, as far as runs need it. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export interface LoadLimits {
  /**
   * Bytes of arena, scratch memory and packed weights together; default 2^31 (2 GiB). Holds for each plan of a model by
   * itself: after `resize`, for another signature, with `keep`.
   */
  readonly memory?: number | undefined
  /**
   * Operators and native steps of a plan, and steps that one run takes, those of loops in each pass; a pass is one by
   * itself. Default: 16384 in a plan, 2^24 in a run.
   */
  readonly steps?: number | undefined
}

export type MemoryPolicy = 'small' | 'balanced' | 'fast'

export interface LoadOptions {
  /**
   * At most this many threads work on one run, 1 to 256. Beats the environment variable `LOWBIT_THREADS`, which beats
   * the default: the cores that the process may use under its control group's quota.
   */
  readonly threads?: number | undefined
  /**
   * How much memory packed weights may take. `'fast'` packs them as the fastest kernel of each layer wants them (a 3x3
   * convolution up to 8 times as large as in the file), `'balanced'`, the default, does so for the layers that gain most
   * until packed weights take 4 times the file's weight bytes, `'small'` for none.
   */
  readonly memory?: MemoryPolicy | undefined
  /** Bounds on what a model may ask for; beyond them `LIMIT_EXCEEDED`. */
  readonly limits?: LoadLimits | undefined
  /** Implementations of the custom operators of the file, by their names. Others in the file stay unsupported. */
  readonly customOps?: CustomOps | undefined
}

export interface RunOptions {
  /** Aborting ends the run after its current step; the promise rejects with `signal.reason`. */
  readonly signal?: AbortSignalLike | undefined
  /** Arrays to fill, one for each output, of its class and length; they become the `data` of the result. */
  readonly outputs?: readonly TypedArray[] | undefined
  /**
   * Names of intermediate tensors (`#7`: the tensor of that index) to give as `kept` of the result. They are those of
   * the file, before anything is fused, so that a run with `keep` may take longer and more memory than one without.
   */
  readonly keep?: readonly string[] | undefined
}

export interface ProfileOptions {
  /** Runs over which the medians are taken, 1 to 100000; default 20. */
  readonly runs?: number | undefined
}

export interface Limits {
  readonly memory: number
  /** Of a plan. */
  readonly steps: number
  /** Steps and passes of loops of one run. */
  readonly passes: number
}

/** Options with every default filled in. */
export interface LoadSettings {
  readonly threads: number
  /** Level that caps the kernels; undefined for the best of the processor. */
  readonly isa: string | undefined
  readonly memory: MemoryPolicy
  readonly limits: Limits
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The most threads that may be asked for. */
export const MOST_THREADS = 256
const DEFAULT_MEMORY = 2 ** 31
const DEFAULT_STEPS = 16384
const DEFAULT_PASSES = 2 ** 24
const DEFAULT_RUNS = 20

/** @throws {LowbitError} `OPTION_INVALID` for an unknown key, or a value that is out of its range. */
export function loadSettings(options: LoadOptions, environment: Environment, cpu: NativeCpu): LoadSettings {
  checkKeys(options, ['threads', 'memory', 'limits', 'customOps'], 'options of loadModel')
  const { memory: policy = 'balanced' } = options
  if (!['small', 'balanced', 'fast'].includes(policy)) {
    throw invalid('memory', "'small', 'balanced' or 'fast'", policy)
  }
  if (options.customOps !== undefined) checkCustomOps(options.customOps)
  const { limits = {} } = options
  checkKeys(limits, ['memory', 'steps'], 'limits')
  const { memory = DEFAULT_MEMORY, steps = DEFAULT_STEPS } = limits
  return {
    threads: threadsOf(options.threads, environment['LOWBIT_THREADS']),
    isa: isaOf(environment['LOWBIT_ISA'], cpu),
    memory: policy,
    limits: {
      memory: integer('limits.memory', memory, 0, Number.MAX_SAFE_INTEGER),
      steps: integer('limits.steps', steps, 0, Number.MAX_SAFE_INTEGER),
      passes: limits.steps ?? DEFAULT_PASSES,
    },
  }
}

/** @throws {LowbitError} `OPTION_INVALID`. */
export function profileRuns(options: ProfileOptions): number {
  checkKeys(options, ['runs'], 'options of profile')
  const { runs = DEFAULT_RUNS } = options
  return integer('runs', runs, 1, 100_000)
}

/** @throws {LowbitError} `OPTION_INVALID`. */
export function checkKeys(given: unknown, known: readonly string[], what: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new LowbitError('OPTION_INVALID', `${what}: an object expected`, { actual: given })
  }
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue
    const message = `${what}: "${key}" is unknown; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`
    throw new LowbitError('OPTION_INVALID', message, { expected: known, actual: key })
  }
}

function threadsOf(option: number | undefined, variable: string | undefined): number {
  if (option !== undefined) return integer('threads', option, 1, MOST_THREADS)
  const text = variable?.trim() ?? ''
  if (text === '') return Math.min(usableCores(), MOST_THREADS)
  return integer('LOWBIT_THREADS', /^\d+$/.test(text) ? Number(text) : text, 1, MOST_THREADS)
}

function isaOf(variable: string | undefined, cpu: NativeCpu): string | undefined {
  const name = variable?.trim() ?? ''
  if (name === '') return undefined
  if (cpu.known.includes(name)) return name
  throw invalid('LOWBIT_ISA', `one of ${cpu.known.join(', ')}`, name)
}

function integer(name: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value
  throw invalid(name, `an integer from ${low} to ${high}`, value)
}

function invalid(name: string, expected: string, actual: unknown): LowbitError {
  return new LowbitError('OPTION_INVALID', `${name} is ${String(actual)}; ${expected} expected`, {
    expected,
    actual,
  })
}
