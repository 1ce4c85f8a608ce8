// Loading: file bytes -> model -> graph -> plan -> program -> session.

import { readFile } from 'node:fs/promises'
import { LowbitError } from '../errors.js'
import { decode } from '../format/tflite/decode.js'
import { readMetadata } from '../format/tflite/metadata.js'
import { build } from '../graph/build.js'
import type { Graph } from '../graph/graph.js'
import { optimize } from '../graph/optimize.js'
import type { ModelFile } from '../model/model.js'
import { loadBinding } from '../native/load.js'
import { OPS_BY_NAME, OPS_BY_TYPE } from '../ops/registry.js'
import { type Plan, plan } from '../plan/plan.js'
import { encode } from '../program/encode.js'
import { byteLength } from '../tensor/dtype.js'
import type { TensorInfo } from '../tensor/tensor.js'
import { type LoadOptions, type LoadSettings, loadSettings } from './options.js'
import { type ModelMetadata, Session } from './session.js'

/** Constants that are computed while loading are kept beside the file's: there is a bound on them. */
const MOST_FOLDED_BYTES = 2 ** 28

/** Everything that is known of a model before native code sees it. */
export interface Stages {
  readonly file: ModelFile
  readonly graph: Graph
  readonly plan: Plan
  /** Constants of the file that its operators read, each block once. */
  readonly weightBytes: number
}

/**
 * Loads a `.tflite` model. The file is checked completely before anything of it runs.
 *
 * @param source Path of the file, or its bytes. Bytes are read before this returns, and not kept.
 * @throws {LowbitError} (as rejection) `FILE_INVALID`, `FILE_TRUNCATED`, `NOT_FINITE` for defects of the file;
 *   `OPERATOR_UNSUPPORTED`, `DTYPE_UNSUPPORTED`, `SHAPE_MISMATCH` for what lowbit does not run; `LIMIT_EXCEEDED`;
 *   `OPTION_INVALID` for options, `LOWBIT_THREADS` and `LOWBIT_ISA`; `DATA_INVALID`, with the system's error as
 *   `cause`, if the file cannot be read; `NO_BINARY`.
 */
export async function loadModel(source: string | Uint8Array, options: LoadOptions = {}): Promise<Session> {
  const binding = loadBinding()
  const settings = loadSettings(options, process.env, binding.cpu())
  // No await for bytes: they are read now, whatever the caller does with them later.
  const bytes = typeof source === 'string' ? await readModel(source) : ordinaryBytes(source)
  const { file, graph, plan, weightBytes } = prepare(bytes, settings.limits)
  const { program, constants } = encode(plan, binding.format())
  const { threads, isa, limits } = settings
  const native = binding.createProgram(program, constants, {
    threads,
    memory: limits.memory,
    ...(isa !== undefined && { isa }),
  })
  try {
    const { arenaBytes, scratchBytes, packedBytes } = native.info()
    checkMemory(arenaBytes + scratchBytes + packedBytes, limits.memory)
    return new Session({
      program: native,
      inputs: infos(file, graph, 'inputs'),
      outputs: infos(file, graph, 'outputs'),
      steps: plan.steps.map(({ op, step, outputs }) => ({
        op,
        name: plan.tensors[outputs[0] ?? -1]?.name ?? '',
        macs: step.macs ?? 0,
      })),
      weightBytes,
      metadata: metadataOf(file, bytes),
    })
  } catch (error) {
    native.dispose()
    throw error
  }
}

/**
 * The stages before native code, also for `inspect`.
 *
 * @throws {LowbitError} As `loadModel`.
 */
export function prepare(bytes: Uint8Array, limits: LoadSettings['limits']): Stages {
  const file = decode(bytes)
  const operators = file.subgraphs[0]?.operators.length ?? 0
  checkSteps(operators, limits.steps)
  const built = build(file, OPS_BY_TYPE, { operators: limits.steps })
  // Now, since operators make tables as large as their outputs when they are lowered.
  checkMemory(largestValue(built), limits.memory)
  const graph = optimize(built, {
    evaluate: (constants) => evaluate(constants, limits.memory),
    foldBytes: Math.min(MOST_FOLDED_BYTES, limits.memory),
  })
  const planned = plan(graph, OPS_BY_NAME)
  checkSteps(planned.steps.length, limits.steps)
  // Constants are kept at least once; kernels may hold them larger, which is counted when they are packed.
  checkMemory(planned.arenaBytes + planned.stateBytes + constantBytes(planned), limits.memory)
  return { file, graph, plan: planned, weightBytes: weightBytes(built) }
}

/** Runs a graph that has no inputs; gives the bytes of its outputs. */
function evaluate(graph: Graph, memory: number): readonly Uint8Array[] {
  const binding = loadBinding()
  const planned = plan(graph, OPS_BY_NAME)
  checkMemory(planned.arenaBytes, memory)
  const { program, constants } = encode(planned, binding.format())
  const native = binding.createProgram(program, constants, { threads: 1, memory })
  try {
    const outputs = planned.outputs.map((index) => new Uint8Array(planned.tensors[index]?.bytes ?? 0))
    native.run([], outputs)
    return outputs
  } finally {
    native.dispose()
  }
}

async function readModel(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new LowbitError('DATA_INVALID', `the model file cannot be read: ${why}`, { actual: path, cause })
  }
}

/** Bytes that only this thread can change and that keep their length. */
function ordinaryBytes(source: Uint8Array): Uint8Array {
  if (!ArrayBuffer.isView(source) || source[Symbol.toStringTag] !== 'Uint8Array') {
    const message = 'source: the path of a .tflite file, or its bytes as Uint8Array, expected'
    throw new LowbitError('OPTION_INVALID', message, { actual: typeof source })
  }
  const { buffer } = source as { buffer: ArrayBufferLike & { readonly resizable?: boolean } }
  return buffer instanceof ArrayBuffer && !buffer.resizable ? source : new Uint8Array(source)
}

function checkSteps(actual: number, expected: number): void {
  if (actual <= expected) return
  const message = `the model has ${actual} steps, the limit is ${expected} (limits.steps)`
  throw new LowbitError('LIMIT_EXCEEDED', message, { expected, actual })
}

function checkMemory(actual: number, expected: number): void {
  if (actual <= expected) return
  const message = `the model needs ${actual} bytes of memory, the limit is ${expected} (limits.memory)`
  throw new LowbitError('LIMIT_EXCEEDED', message, { expected, actual })
}

/** Bytes of the largest computed tensor. */
function largestValue({ values, nodes }: Graph): number {
  return nodes
    .flatMap(({ outputs }) => outputs)
    .map((index) => values[index] as Graph['values'][number])
    .reduce((most, { dtype, shape }) => Math.max(most, byteLength(dtype, shape) ?? 0), 0)
}

function constantBytes({ tensors }: Plan): number {
  const blocks = new Set(tensors.flatMap(({ place }) => (place.where === 'constant' ? [place.data] : [])))
  return [...blocks].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

function weightBytes({ values, nodes }: Graph): number {
  const used = new Set(nodes.flatMap(({ inputs }) => inputs))
  const blocks = new Map<string, number>()
  for (const index of used) {
    const data = values[index]?.data
    if (data !== undefined) blocks.set(`${data.byteOffset}+${data.byteLength}`, data.byteLength)
  }
  return [...blocks.values()].reduce((sum, bytes) => sum + bytes, 0)
}

function infos(file: ModelFile, graph: Graph, ends: 'inputs' | 'outputs'): readonly TensorInfo[] {
  return graph[ends].map((index, i) => {
    const { name, shape, dtype, quantization } = graph.values[index] as Graph['values'][number]
    // Passes may change which value an output is, but not what it means: the file tells which extents are free.
    const record = file.subgraphs[0]?.tensors[file.subgraphs[0][ends][i] ?? -1]
    const signature = record?.shapeSignature.length === shape.length ? record.shapeSignature : shape
    return Object.freeze({
      name,
      shape: Object.freeze([...shape]),
      shapeSignature: Object.freeze(shape.map((extent, axis) => (signature[axis] === -1 ? -1 : extent))),
      dtype,
      ...(quantization && { quantization }),
    })
  })
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
