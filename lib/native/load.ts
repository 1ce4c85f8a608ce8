// Finds the addon, once and when it is first needed, and turns its errors into LowbitErrors.

import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ERROR_CODES, type ErrorCode, LowbitError } from '../errors.js'
import type { NativeBinding, NativeExchange, NativeProgram, NativeRun, NativeViews } from './binding.js'

/** The interface of `binding.ts` in numbers; kAbi in native/binding/addon.cc is the same. */
const ABI = 5

/** What was looked at, and how it ended. */
export interface Attempt {
  readonly path: string
  /** Left out for the binary that was loaded. */
  readonly error?: string
}

/** How the search for the binary went, for `lowbit doctor`. */
export interface BinaryReport {
  /** The binary in use; left out when none could be loaded. */
  readonly path?: string
  readonly tried: readonly Attempt[]
  /** `linux-x64-glibc`, `darwin-arm64`, … */
  readonly platform: string
}

// This file lies in dist/esm/native or dist/cjs/native.
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const require = createRequire(import.meta.url)

const ALPINE = '/etc/alpine-release'

/** Environment variables by which node-gyp-build looks elsewhere. */
const SWITCHES = ['PREBUILDS_ONLY', 'LOWBIT_PREBUILD', 'LIBC', 'npm_config_arch', 'npm_config_platform']

/** What is used of node-gyp-build: where it would load from, and how it reads names of prebuilt binaries. */
interface Locator {
  path(folder: string): string
  parseTuple(name: string): { readonly name: string }
  matchTuple(platform: string, arch: string): (tuple: { readonly name: string }) => boolean
  compareTuples(a: { readonly name: string }, b: { readonly name: string }): number
  parseTags(file: string): { readonly file: string }
  matchTags(runtime: string, abi: string): (tags: { readonly file: string }) => boolean
  compareTags(runtime: string): (a: { readonly file: string }, b: { readonly file: string }) => number
}

interface Found {
  readonly binding?: NativeBinding
  readonly report: BinaryReport
}

let found: Found | undefined

/**
 * The addon. All of its failures are `LowbitError`s, also those of promises.
 *
 * The environment variable `LOWBIT_BINARY` names a `.node` file to use instead of the package's own, for tests of
 * special builds (sanitizers).
 *
 * @throws {LowbitError} `NO_BINARY` when there is no binary that works here; the message lists what was tried.
 */
export function loadBinding(): NativeBinding {
  found ??= find()
  if (!found.binding) throw noBinary(found.report)
  return found.binding
}

/** Which binary is used, or why none is. Never throws. */
export function binaryReport(): BinaryReport {
  found ??= find()
  return found.report
}

function find(): Found {
  const tried: Attempt[] = []
  const platform = platformName()
  for (const path of candidates(tried)) {
    try {
      const binding = require(path) as NativeBinding
      const abi = typeof binding.abi === 'function' ? binding.abi() : undefined
      if (abi === ABI) {
        tried.push({ path })
        return { binding: guardBinding(binding), report: { path, tried, platform } }
      }
      tried.push({ path, error: `it was built for another version of lowbit (interface ${abi}, not ${ABI})` })
    } catch (error) {
      tried.push({ path, error: textOf(error) })
    }
  }
  return { report: { tried, platform } }
}

/** Files to try, in order: a local build first, then the prebuilt one. */
function* candidates(tried: Attempt[]): Iterable<string> {
  const own = process.env['LOWBIT_BINARY']
  if (own) return yield resolve(own)
  const usual = usualPath()
  if (usual !== undefined) yield usual
  for (const path of located(tried)) if (path !== usual) yield path
}

/**
 * Where node-gyp-build would find the binary in all but rare cases: it takes a millisecond and more to load and to look around.
 * Its own switches, and other systems, are left to it.
 */
function usualPath(): string | undefined {
  const { env, platform, arch } = process
  if (SWITCHES.some((name) => env[name])) return undefined
  const local = join(ROOT, 'build/Release/lowbit.node')
  if (existsSync(local)) return local
  const prebuilt = join(ROOT, 'prebuilds', `${platform}-${arch}`)
  const name = platform === 'linux' ? `lowbit.${existsSync(ALPINE) ? 'musl' : 'glibc'}.node` : 'lowbit.node'
  return existsSync(join(prebuilt, name)) ? join(prebuilt, name) : undefined
}

/** What node-gyp-build finds. */
function located(tried: Attempt[]): readonly string[] {
  const locate = require('node-gyp-build') as Locator
  try {
    return [...new Set([locate.path(ROOT), ...prebuilt(locate)])]
  } catch (error) {
    for (const folder of ['build/Release', 'prebuilds']) {
      const path = resolve(ROOT, folder)
      tried.push({ path, error: existsSync(path) ? 'no binary for this platform' : 'no such folder' })
    }
    tried.push({ path: ROOT, error: textOf(error) })
    return []
  }
}

/**
 * The prebuilt binary for this platform, best first. `path` stops at a local build, which may be of no use here: of
 * another version, or made for another system and copied.
 */
function prebuilt(locate: Locator): string[] {
  const prebuilds = join(ROOT, 'prebuilds')
  const [tuple] = namesIn(prebuilds)
    .map(locate.parseTuple)
    .filter(locate.matchTuple(process.platform, process.arch))
    .sort(locate.compareTuples)
  if (tuple === undefined) return []
  const folder = join(prebuilds, tuple.name)
  return namesIn(folder)
    .map(locate.parseTags)
    .filter(locate.matchTags('node', process.versions.modules))
    .sort(locate.compareTags('node'))
    .map(({ file }) => join(folder, file))
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

function platformName(): string {
  const parts = [process.platform as string, process.arch as string]
  if (process.platform === 'linux') parts.push(existsSync(ALPINE) ? 'musl' : 'glibc')
  return parts.join('-')
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim()
}

function noBinary(report: BinaryReport): LowbitError {
  const tried = report.tried.map(({ path, error }) => `  ${path}: ${error}`).join('\n')
  return new LowbitError(
    'NO_BINARY',
    `no native binary of lowbit works here (${report.platform}, Node.js ${process.version}). Tried:\n${tried}\n` +
      'In a checkout, `npm run build:native` builds one; it needs CMake 3.15 or later and a C++17 compiler. An installed ' +
      'package has prebuilt binaries only: install it on the machine that runs it, not in a folder copied from another ' +
      'system; if this version has none for this platform, build a checkout and `npm install` its folder.',
    { actual: report.platform },
  )
}

/** A LowbitError for what the addon threw: its `code` is one of the closed list, or it is a fault of lowbit. */
function wrap(error: unknown): unknown {
  if (error instanceof LowbitError || !(error instanceof Error)) return error
  const { code } = error as { code?: unknown }
  if (ERROR_CODES.includes(code as ErrorCode)) return new LowbitError(code as ErrorCode, error.message)
  // An exception of the caller's own getter or proxy goes through as it is.
  return error
}

function guard<Result>(call: () => Result): Result {
  try {
    return call()
  } catch (error) {
    throw wrap(error)
  }
}

function guardPromise<Result>(promise: Promise<Result>): Promise<Result> {
  return promise.catch((error: unknown) => {
    throw wrap(error)
  })
}

function guardBinding(native: NativeBinding): NativeBinding {
  // The end of the process waits for all runs in flight, whose results nobody will see.
  process.once('exit', () => native.cancelAll())
  return {
    abi: () => native.abi(),
    cpu: (isa) => guard(() => native.cpu(isa)),
    kernels: (isa) => guard(() => native.kernels(isa)),
    format: () => guard(() => native.format()),
    createShared: () => guard(() => native.createShared()),
    createProgram: (program, constants, options) =>
      new GuardedProgram(guard(() => native.createProgram(program, constants, options))),
    cancelAll: () => guard(() => native.cancelAll()),
  }
}

/** A list of one as its only view, which native code reads faster. */
function oneOrAll(views: readonly ArrayBufferView[]): NativeViews {
  const one = views[0]
  return views.length === 1 && ArrayBuffer.isView(one) ? one : views
}

class GuardedProgram implements NativeProgram {
  readonly #native: NativeProgram

  constructor(native: NativeProgram) {
    this.#native = native
  }

  info() {
    return guard(() => this.#native.info())
  }

  run(inputs: readonly ArrayBufferView[], outputs: readonly ArrayBufferView[]): void {
    try {
      this.#native.run(oneOrAll(inputs), oneOrAll(outputs))
    } catch (error) {
      throw wrap(error)
    }
  }

  exchange(): NativeExchange | undefined {
    const exchange = guard(() => this.#native.exchange())
    if (exchange === undefined) return undefined
    const { buffer, run } = exchange
    return {
      buffer,
      run() {
        try {
          run()
        } catch (error) {
          throw wrap(error)
        }
      },
    }
  }

  runAsync(inputs: readonly ArrayBufferView[], outputs: readonly ArrayBufferView[]): NativeRun {
    const run = guard(() => this.#native.runAsync(inputs, outputs))
    return { promise: guardPromise(run.promise), cancel: () => run.cancel() }
  }

  profile(inputs: readonly ArrayBufferView[], runs: number): Promise<Float64Array> {
    return guardPromise(guard(() => this.#native.profile(inputs, runs)))
  }

  dispose(): void {
    this.#native.dispose()
  }
}
