// Loading: file bytes -> model -> graph -> plan -> program -> session.

import { closeSync, fstatSync, openSync, read, readFile, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { LowbitError } from '../errors.js'
import { decode } from '../format/tflite/decode.js'
import { readMetadata } from '../format/tflite/metadata.js'
import type { Graph } from '../graph/graph.js'
import type { ModelFile } from '../model/model.js'
import { loadBinding } from '../native/load.js'
import type { Plan } from '../plan/plan.js'
import { graphOf, planGraph, sourceOf } from './compile.js'
import type { CustomOps } from './custom-ops.js'
import type { Model, ModelMetadata } from './model.js'
import { type Limits, type LoadOptions, type LoadSettings, loadSettings } from './options.js'
import { Session } from './session.js'

/** Bytes that one call of the system may read. */
const MOST_READ = 2 ** 30

/** Everything that is known of a model before native code sees it. */
export interface Stages {
  readonly file: ModelFile
  readonly graph: Graph
  readonly plan: Plan
  /** Whether the plan is all of it; else a run decides on how the rest is planned, or calls it graph by graph. */
  readonly isComplete: boolean
  /** Constants of the file that its operators read, each block once. */
  readonly weightBytes: number
}

/**
 * Loads a `.tflite` model. The file is checked completely before anything of it runs.
 *
 * @param source Path of the file, or its bytes. Bytes are copied before this returns. The copy is kept until the model
 *   is disposed: `resize`, other signatures and `keep` plan from it.
 * @throws {LowbitError} (as rejection) `FILE_INVALID`, `FILE_TRUNCATED`, `NOT_FINITE` for defects of the file;
 *   `OPERATOR_UNSUPPORTED`, `DTYPE_UNSUPPORTED`, `SHAPE_MISMATCH` for what lowbit does not run; `LIMIT_EXCEEDED`;
 *   `OPTION_INVALID` for options, `LOWBIT_THREADS` and `LOWBIT_ISA`; `CUSTOM_OP_FAILED` for what `customOps` say of
 *   shapes; `DATA_INVALID`, with the system's error as `cause`, if the file cannot be read; `NO_BINARY`.
 */
export async function loadModel(source: string | Uint8Array, options: LoadOptions = {}): Promise<Model> {
  const reading = typeof source === 'string' ? readModel(source) : undefined // while the addon is loaded
  reading?.catch(() => {}) // told below, unless an option is wrong
  const settings = loadSettings(options, process.env, loadBinding().cpu())
  // No await for bytes: they are read now, whatever the caller does with them later.
  const bytes = typeof source === 'string' ? ((await reading) as Uint8Array) : copyOf(source)
  return openModel(bytes, settings, options.customOps)
}

/** @param bytes Of the file; kept, so that nobody may change them. */
export function openModel(bytes: Uint8Array, settings: LoadSettings, customOps?: CustomOps): Session {
  const file = decode(bytes)
  return new Session(sourceOf(file, settings, customOps), metadataOf(file, bytes))
}

/**
 * The stages before native code, also for `inspect`.
 *
 * @param isa Level that caps the kernels by which constants are folded.
 * @throws {LowbitError} As `loadModel`.
 */
export function prepare(bytes: Uint8Array, limits: Omit<Limits, 'passes'>, isa?: string): Stages {
  const settings: LoadSettings = {
    threads: 1,
    isa,
    memory: 'small',
    limits: { ...limits, passes: limits.steps },
  }
  const file = decode(bytes)
  const { graph, weightBytes, isComplete } = graphOf(sourceOf(file, settings), { subgraph: 0 })
  return { file, graph, plan: planGraph(graph, settings.limits), weightBytes, isComplete }
}

async function readModel(path: string): Promise<Uint8Array> {
  try {
    return await readWhole(path)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new LowbitError('DATA_INVALID', `the model file cannot be read: ${why}`, { actual: path, cause })
  }
}

/**
 * By few reads where the size is known: `readFile` goes to another thread and back for each half megabyte. What comes
 * before the first read is done at once, so that it runs while the caller goes on. Pipes block whoever opens them.
 */
async function readWhole(path: string): Promise<Uint8Array> {
  if (!statSync(path).isFile()) return await promisify(readFile)(path)
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) return await promisify(readFile)(file)
    const bytes = new Uint8Array(size)
    let length = 0
    for (let count = 1; count > 0 && length < bytes.length; length += count) {
      const most = Math.min(bytes.length - length, MOST_READ)
      count = (await promisify(read)(file, bytes, length, most, null)).bytesRead
    }
    return bytes.subarray(0, length)
  } finally {
    closeSync(file)
  }
}

/** Bytes that nobody else can change. */
function copyOf(source: Uint8Array): Uint8Array {
  if (ArrayBuffer.isView(source) && source[Symbol.toStringTag] === 'Uint8Array') return new Uint8Array(source)
  const message = 'source: the path of a .tflite file, or its bytes as Uint8Array, expected'
  throw new LowbitError('OPTION_INVALID', message, { actual: typeof source })
}

/** Broken metadata is no reason to refuse a sound model. */
function metadataOf(file: ModelFile, bytes: Uint8Array): ModelMetadata {
  try {
    return readMetadata(file, bytes)
  } catch (error) {
    if (!(error instanceof LowbitError)) throw error
    return { warning: error.message }
  }
}
