// From a checked file to a native program: any of its subgraphs, with any input shapes, and with intermediate tensors as
// further outputs. What one program has packed or folded, the next ones of the model take over.

import { LowbitError } from '../errors.js'
import { build } from '../graph/build.js'
import { type Graph, isCustom, type Value } from '../graph/graph.js'
import { optimize } from '../graph/optimize.js'
import type { ModelFile } from '../model/model.js'
import type { NativeProgram } from '../native/binding.js'
import { loadBinding } from '../native/load.js'
import type { Op } from '../ops/contract.js'
import { OPS_BY_NAME, OPS_BY_TYPE } from '../ops/registry.js'
import { type Plan, plan } from '../plan/plan.js'
import { encode } from '../program/encode.js'
import { byteLength } from '../tensor/dtype.js'
import type { Shape } from '../tensor/shape.js'
import type { TensorInfo } from '../tensor/tensor.js'
import { type CustomOps, customOperators } from './custom-ops.js'
import type { LoadSettings, MemoryPolicy } from './options.js'
import { type Part, SegmentedProgram, splitAtCustom } from './segments.js'

/** Constants that are computed while loading are kept beside the file's: there is a bound on them. */
const MOST_FOLDED_BYTES = 2 ** 28

/** `memory: 'balanced'`: packed weights take at most so many times the bytes of those in the file. */
const BALANCED_GROWTH = 4

/** A model, and what its programs share. */
export interface Source {
  readonly file: ModelFile
  readonly settings: LoadSettings
  readonly customOps: CustomOps
  /** Definitions of the custom operators, by their types. */
  readonly operators: ReadonlyMap<string, Op>
  /** Constants folded so far, by subgraph and value; only those to which shapes of inputs do not matter. */
  readonly folded: Map<string, Uint8Array>
  /** Names constants by number, the same bytes of the same buffer alike. */
  readonly identities: (constants: readonly Uint8Array[]) => Float64Array
}

/** Which program of a model. */
export interface Request {
  readonly subgraph: number
  /** Shapes of the inputs; the file's when left out. */
  readonly shapes?: readonly Shape[]
  /** Values that are further outputs. */
  readonly keep?: readonly number[]
}

/** One native step, or one call of a custom operator. */
export interface StepInfo {
  readonly op: string
  readonly name: string
  readonly macs: number
}

export interface Compiled {
  readonly program: NativeProgram
  readonly inputs: readonly TensorInfo[]
  /** Those of the subgraph, then the kept ones. */
  readonly outputs: readonly TensorInfo[]
  readonly keptCount: number
  readonly steps: readonly StepInfo[]
  readonly weightBytes: number
}

export function sourceOf(file: ModelFile, settings: LoadSettings, customOps: CustomOps = {}): Source {
  return {
    file,
    settings,
    customOps,
    operators: customOperators(customOps),
    folded: new Map(),
    identities: nameBlocks(),
  }
}

/** The graph that is run, and the bytes of the file's constants that it reads. */
export function graphOf(source: Source, request: Request): { graph: Graph; weightBytes: number } {
  const { file, settings, operators } = source
  const { limits } = settings
  checkSteps(file.subgraphs[request.subgraph]?.operators.length ?? 0, limits.steps)
  const run = (constants: Graph) => evaluate(source, constants, request.subgraph)
  const built = build(file, OPS_BY_TYPE, {
    ...request,
    customOps: operators,
    operators: limits.steps,
    evaluate: run,
  })
  // Now, since operators make tables as large as their outputs when they are lowered.
  checkMemory(largestValue(built), limits.memory)
  checkState(built, request)
  const wanted = { ...built, outputs: [...built.outputs, ...(request.keep ?? [])] }
  const graph = optimize(wanted, {
    evaluate: run,
    foldBytes: Math.min(MOST_FOLDED_BYTES, limits.memory),
  })
  return { graph, weightBytes: weightBytes(built) }
}

/** @throws {LowbitError} `LIMIT_EXCEEDED`, and what `plan` throws. */
export function planGraph(graph: Graph, limits: LoadSettings['limits']): Plan {
  const planned = plan(graph, OPS_BY_NAME)
  checkSteps(planned.steps.length, limits.steps)
  // Constants are kept at least once; kernels may hold them larger, which is counted when they are packed.
  checkMemory(planned.arenaBytes + planned.stateBytes + constantBytes(planned), limits.memory)
  return planned
}

/**
 * @param share A living program of the same model.
 * @throws {LowbitError} As `loadModel`.
 */
export function compile(source: Source, request: Request, share?: NativeProgram): Compiled {
  const { file, settings } = source
  const { graph, weightBytes } = graphOf(source, request)
  const { program, steps } = graph.nodes.some(isCustom)
    ? segmented(source, graph, weightBytes, share)
    : native(source, graph, weightBytes, share)
  try {
    const { arenaBytes, scratchBytes, packedBytes } = program.info()
    checkMemory(arenaBytes + scratchBytes + packedBytes, settings.limits.memory)
    return {
      program,
      inputs: infos(file, graph, request.subgraph, 'inputs'),
      outputs: infos(file, graph, request.subgraph, 'outputs'),
      keptCount: request.keep?.length ?? 0,
      steps,
      weightBytes,
    }
  } catch (error) {
    program.dispose()
    throw error
  }
}

interface Runnable {
  readonly program: NativeProgram
  readonly steps: readonly StepInfo[]
}

function native(
  source: Source,
  graph: Graph,
  weightBytes: number,
  share: NativeProgram | undefined,
): Runnable {
  const { threads, isa, memory, limits } = source.settings
  const planned = planGraph(graph, limits)
  const binding = loadBinding()
  const { program, constants } = encode(planned, binding.format())
  const living = share instanceof SegmentedProgram ? share.anyNative() : share
  return {
    program: binding.createProgram(program, constants, {
      threads,
      memory: limits.memory,
      packed: packedBudget(memory, weightBytes, planned),
      identities: source.identities(constants),
      ...(living && { share: living }),
      ...(isa !== undefined && { isa }),
    }),
    steps: planned.steps.map(({ op, step, outputs }) => ({
      op,
      name: planned.tensors[outputs[0] ?? -1]?.name ?? '',
      macs: step.macs ?? 0,
    })),
  }
}

/** Custom operators are calls of JavaScript between native programs. */
function segmented(
  source: Source,
  graph: Graph,
  weightBytes: number,
  share: NativeProgram | undefined,
): Runnable {
  const parts: Part[] = []
  const steps: StepInfo[] = []
  let first = share
  try {
    for (const segment of splitAtCustom(graph)) {
      if (segment.kind === 'native') {
        const made = native(source, segment.graph, weightBytes, first)
        first ??= made.program
        parts.push({ ...segment, program: made.program })
        steps.push(...made.steps)
      } else {
        const [output] = segment.node.outputs
        const name = graph.values[output ?? -1]?.name ?? ''
        parts.push(segment)
        steps.push({ op: segment.node.op, name, macs: 0 })
      }
    }
    checkSteps(steps.length, source.settings.limits.steps)
    return { program: new SegmentedProgram(graph, parts, source.customOps), steps }
  } catch (error) {
    for (const part of parts) if (part.kind === 'native') part.program.dispose()
    throw error
  }
}

/** Bytes up to which a plan's weights are packed to be fast rather than small. */
export function packedBudget(memory: MemoryPolicy, weightBytes: number, planned: Plan): number {
  if (memory === 'fast') return Number.MAX_SAFE_INTEGER
  // A plan may hold a part of the file's weights alone (a segment), or more than them (folded constants).
  return memory === 'balanced' ? BALANCED_GROWTH * Math.min(weightBytes, constantBytes(planned)) : 0
}

/** Runs a graph that has no inputs; gives the bytes of its outputs. */
function evaluate(source: Source, graph: Graph, subgraph: number): readonly Uint8Array[] {
  const { folded, settings } = source
  const { isa, limits } = settings
  const key = (value: number) => `${subgraph}:${value}`
  const lasting = valuesOfFile(source.file, graph, subgraph)
  const known = graph.outputs.map((value) => (lasting.has(value) ? folded.get(key(value)) : undefined))
  const fresh = graph.outputs.filter((_, i) => known[i] === undefined)
  if (fresh.length > 0) {
    const binding = loadBinding()
    const planned = plan({ ...graph, outputs: fresh }, OPS_BY_NAME)
    checkMemory(planned.arenaBytes, limits.memory)
    const { program, constants } = encode(planned, binding.format())
    const native = binding.createProgram(program, constants, {
      threads: 1,
      memory: limits.memory,
      ...(isa !== undefined && { isa }),
    })
    try {
      const outputs = planned.outputs.map((index) => new Uint8Array(planned.tensors[index]?.bytes ?? 0))
      native.run([], outputs)
      for (const [i, value] of fresh.entries()) {
        const bytes = outputs[i] as Uint8Array
        known[graph.outputs.indexOf(value)] = bytes
        if (lasting.has(value)) folded.set(key(value), bytes)
      }
    } finally {
      native.dispose()
    }
  }
  return known as readonly Uint8Array[]
}

/** What follows from the file's own constants alone. Others may come from shapes (SHAPE, …), which inputs decide. */
function valuesOfFile(file: ModelFile, graph: Graph, subgraph: number): ReadonlySet<number> {
  const tensors = file.subgraphs[subgraph]?.tensors ?? []
  const found = new Set<number>()
  for (const [index, { data }] of graph.values.entries()) {
    if (data !== undefined && data === tensors[index]?.data) found.add(index)
  }
  for (const { inputs, outputs } of graph.nodes) {
    if (!inputs.every((index) => index === -1 || found.has(index))) continue
    for (const index of outputs) found.add(index)
  }
  return found
}

/** Buffers are held weakly, so that a number outlives what it names but never names anything else. */
function nameBlocks(): Source['identities'] {
  const known = new WeakMap<ArrayBufferLike, Map<string, number>>()
  let last = 0
  return (constants) =>
    Float64Array.from(constants, ({ buffer, byteOffset, byteLength }) => {
      const blocks = known.get(buffer) ?? new Map<string, number>()
      known.set(buffer, blocks)
      const key = `${byteOffset}+${byteLength}`
      const number = blocks.get(key) ?? ++last
      blocks.set(key, number)
      return number
    })
}

/** State belongs to one program: what would spread over several is refused. */
function checkState({ nodes, values }: Graph, { keep = [] }: Request): void {
  const keeps = nodes.find(({ inputs }) => inputs.some((index) => values[index]?.state !== undefined))
  const custom = nodes.find(isCustom)
  if (keeps === undefined || (custom === undefined && keep.length === 0)) return
  const what = custom === undefined ? 'the option keep' : `custom operators (${custom.origin})`
  const message = `${keeps.origin} keeps state between runs, beside which lowbit does not run ${what}`
  throw new LowbitError('OPERATOR_UNSUPPORTED', message, { operator: keeps.origin })
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
    .map((index) => values[index] as Value)
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

function infos(
  file: ModelFile,
  graph: Graph,
  subgraph: number,
  ends: 'inputs' | 'outputs',
): readonly TensorInfo[] {
  const record = file.subgraphs[subgraph]
  return graph[ends].map((index, i) => {
    const { name, shape, dtype, quantization } = graph.values[index] as Value
    // Passes may change which value an output is, but not what it means: the file tells which extents are free.
    const declared = record?.tensors[record[ends][i] ?? index]
    const signature = declared?.shapeSignature.length === shape.length ? declared.shapeSignature : shape
    return Object.freeze({
      name,
      shape: Object.freeze([...shape]),
      shapeSignature: Object.freeze(shape.map((extent, axis) => (signature[axis] === -1 ? -1 : extent))),
      dtype,
      ...(quantization && { quantization }),
    })
  })
}
