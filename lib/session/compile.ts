// From a checked file to what runs: any of its subgraphs, with any input shapes, and with intermediate tensors as further
// outputs. It is one native program, or a script where no single program can be it. What one has packed or folded, the
// next ones of the model take over.

import { LowbitError } from '../errors.js'
import { advance, type BuildOptions, type Cursor, open, type Piece } from '../graph/build.js'
import type { VariableForm } from '../graph/expand.js'
import { type Graph, isCustom, type Node, type Value } from '../graph/graph.js'
import { optimize } from '../graph/optimize.js'
import type { ModelFile } from '../model/model.js'
import type { NativeProgram, NativeShared } from '../native/binding.js'
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
import { graphOfPiece, splitAtCustom } from './pieces.js'
import { Script, type ScriptModel } from './script.js'
import { disposeStage, type Part, type Stage, StageCache, type StepInfo } from './stages.js'
import { Turns } from './turns.js'

/** Constants that are computed while loading are kept beside the file's: there is a bound on them. */
const MOST_FOLDED_BYTES = 2 ** 28

/** `memory: 'balanced'`: packed weights take at most so many times the bytes of those in the file. */
const BALANCED_GROWTH = 4

/** A model, and what its programs share. */
export interface Source extends ScriptModel {
  readonly file: ModelFile
  readonly settings: LoadSettings
  /** Definitions of the custom operators, by their types. */
  readonly operators: ReadonlyMap<string, Op>
  /** Constants folded so far, by subgraph and value; only those to which shapes of inputs do not matter. */
  readonly folded: Map<string, Uint8Array>
  /** Names constants by number, the same bytes of the same buffer alike. */
  readonly identities: (constants: readonly Uint8Array[]) => Float64Array
  /** Numbers of the variables, by their keys. */
  readonly variables: (key: string) => number
  /** Shapes and types of variables with names. */
  readonly forms: Map<string, VariableForm>
}

/** Which program of a model. */
export interface Request {
  readonly subgraph: number
  /** Shapes of the inputs; the file's when left out. */
  readonly shapes?: readonly Shape[]
  /** Values that are further outputs. */
  readonly keep?: readonly number[]
}

/** An input or output; of some outputs only runs know the shape. */
export interface PortInfo extends TensorInfo {
  readonly isOpen?: boolean
}

export interface Compiled {
  readonly program: NativeProgram | Script
  readonly inputs: readonly TensorInfo[]
  /** Those of the subgraph, then the kept ones. */
  readonly outputs: readonly PortInfo[]
  readonly keptCount: number
  /** Of a native program. */
  readonly steps: readonly StepInfo[]
  readonly weightBytes: number
}

export function sourceOf(file: ModelFile, settings: LoadSettings, customOps: CustomOps = {}): Source {
  const numbers = new Map<string, number>()
  let shared: NativeShared | undefined
  const source: Source = {
    file,
    settings,
    customOps,
    operators: customOperators(customOps),
    folded: new Map(),
    identities: nameBlocks(),
    variables(key) {
      const number = numbers.get(key) ?? numbers.size
      numbers.set(key, number)
      return number
    },
    forms: new Map(),
    shared() {
      shared ??= loadBinding().createShared()
      return shared
    },
    stages: new StageCache(),
    turns: new Turns(),
    hasState: keepsState(file),
    passes: settings.limits.passes,
    stage: (cursor, wanted) => stageOf(source, cursor, pieceOf(source, cursor), wanted),
    open({ subgraph, handles }, inputs, origin) {
      const given = inputs.map(({ dtype, shape }) => ({ shape, ...(dtype && { dtype }) }))
      const start = { subgraph, handles, inputs: given, prefix: `${origin} / ` }
      return open(file, optionsOf(source, subgraph), start)
    },
  }
  return source
}

/** Whether any run depends on those before it. */
function keepsState({ subgraphs }: ModelFile): boolean {
  const types = ['VAR_HANDLE', 'CALL_ONCE']
  return subgraphs.some(
    ({ tensors, operators }) =>
      tensors.some(({ isVariable, data }) => isVariable && data === undefined) ||
      operators.some(({ type }) => types.includes(type)),
  )
}

function optionsOf(source: Source, subgraph: number): BuildOptions {
  const { operators, settings, forms } = source
  return {
    ops: OPS_BY_TYPE,
    customOps: operators,
    operators: settings.limits.steps,
    variables: forms,
    evaluate: (graph) => evaluate(source, { subgraph, ...graph }),
  }
}

function begin(source: Source, { subgraph, shapes = [] }: Request): Cursor {
  const { file, settings } = source
  checkSteps(file.subgraphs[subgraph]?.operators.length ?? 0, settings.limits.steps)
  const inputs = shapes.map((shape) => ({ shape }))
  return open(file, optionsOf(source, subgraph), { subgraph, inputs })
}

function pieceOf(source: Source, cursor: Cursor): Piece {
  const piece = advance(source.file, cursor, optionsOf(source, cursor.subgraph))
  // Now, since operators make tables as large as their outputs when they are lowered.
  checkMemory(largestValue(piece.nodes, piece.end.values), source.settings.limits.memory)
  return piece
}

/** The graph that is run, up to where the run itself decides on shapes, and the bytes of the constants that it reads. */
export function graphOf(
  source: Source,
  request: Request,
): { readonly graph: Graph; readonly weightBytes: number; readonly isComplete: boolean } {
  const cursor = begin(source, request)
  const piece = pieceOf(source, cursor)
  const built = graphOfPiece(cursor, piece, [...cursor.flat.outputs, ...(request.keep ?? [])])
  const isComplete = piece.stop === undefined
  return { graph: optimized(source, built), weightBytes: weightBytes(built), isComplete }
}

function optimized(source: Source, graph: Graph): Graph {
  const { memory } = source.settings.limits
  const run = (inner: Graph) => evaluate(source, inner)
  return optimize(graph, { evaluate: run, foldBytes: Math.min(MOST_FOLDED_BYTES, memory) })
}

/** @throws {LowbitError} `LIMIT_EXCEEDED`, and what `plan` throws. */
export function planGraph(graph: Graph, limits: LoadSettings['limits']): Plan {
  const planned = plan(graph, OPS_BY_NAME)
  checkSteps(planned.steps.length, limits.steps)
  const stateBytes = planned.variables.reduce((sum, { bytes }) => sum + bytes, 0)
  // Constants are kept at least once; kernels may hold them larger, which is counted when they are packed.
  checkMemory(planned.arenaBytes + stateBytes + constantBytes(planned), limits.memory)
  return planned
}

/** @throws {LowbitError} As `loadModel`. */
export function compile(source: Source, request: Request): Compiled {
  const { file } = source
  const cursor = begin(source, request)
  const piece = pieceOf(source, cursor)
  const { keep = [] } = request
  const wanted = [...cursor.flat.outputs, ...keep]
  const built = graphOfPiece(cursor, piece, wanted)
  const isWhole = piece.stop === undefined && !piece.nodes.some(isCustom)
  const graph = isWhole ? optimized(source, built) : { ...built, inputs: cursor.flat.inputs, outputs: wanted }
  const made = new Set(piece.nodes.flatMap(({ outputs }) => outputs))
  const isOpen = (index: number) => {
    const { data, state } = graph.values[index] as Value
    const isKnown =
      made.has(index) || graph.inputs.includes(index) || data !== undefined || state !== undefined
    return !isWhole && !isKnown
  }
  const ends = {
    inputs: infos(file, graph, request.subgraph, 'inputs'),
    outputs: infos(file, graph, request.subgraph, 'outputs', isOpen),
    keptCount: keep.length,
    weightBytes: weightBytes(built),
  }
  if (isWhole) return { ...ends, ...native(source, graph, ends.weightBytes) }
  const kept = wanted.find((index) => graph.values[index]?.state !== undefined)
  if (kept !== undefined) {
    const tensor = graph.values[kept]?.name ?? ''
    const message = `output "${tensor}" is a variable, which lowbit does not give where a run decides on shapes, or beside custom operators`
    throw new LowbitError('OPERATOR_UNSUPPORTED', message, { tensor })
  }
  const stage = stageOf(source, cursor, piece, wanted)
  return { ...ends, program: new Script(source, stage, wanted), steps: [] }
}

interface Runnable {
  readonly program: NativeProgram
  readonly steps: readonly StepInfo[]
}

function native(source: Source, graph: Graph, weightBytes: number): Runnable {
  const { threads, isa, memory, limits } = source.settings
  const planned = planGraph(graph, limits)
  const binding = loadBinding()
  const { program, constants } = encode(planned, binding.format(), source.variables)
  return {
    program: binding.createProgram(program, constants, {
      threads,
      memory: limits.memory,
      packed: packedBudget(memory, weightBytes, planned),
      steps: limits.passes,
      identities: source.identities(constants),
      shared: source.shared(),
      ...(isa !== undefined && { isa }),
    }),
    steps: planned.steps.map(({ op, step, outputs }) => ({
      op,
      name: planned.tensors[outputs[0] ?? -1]?.name ?? '',
      macs: step.macs ?? 0,
    })),
  }
}

let stageCount = 0

/** Plans a piece: native programs, and calls of custom operators between. */
function stageOf(source: Source, cursor: Cursor, piece: Piece, wanted: readonly number[]): Stage {
  const built = graphOfPiece(cursor, piece, wanted)
  const graph = optimized(source, built)
  const { end, stop } = piece
  const parts: Part[] = []
  try {
    for (const part of splitAtCustom(graph)) {
      parts.push(
        part.kind === 'custom' ? part : { ...part, ...native(source, part.graph, weightBytes(built)) },
      )
    }
    checkSteps(
      parts.reduce((sum, part) => sum + (part.kind === 'native' ? part.steps.length : 1), 0),
      source.settings.limits.steps,
    )
    const infos = parts.map((part) => (part.kind === 'native' ? part.program.info() : undefined))
    const bytes = infos.reduce((sum, info) => sum + (info ? info.arenaBytes + info.scratchBytes : 0), 0)
    const packed = infos.reduce((sum, info) => sum + (info?.packedBytes ?? 0), 0)
    checkMemory(bytes + packed, source.settings.limits.memory)
    // What was folded is known to later stages, too.
    const values = graph.values.map((value, index) => ({ ...(end.values[index] as Value), ...value }))
    return { id: ++stageCount, parts, end: { ...end, values }, ...(stop && { stop }), bytes }
  } catch (error) {
    disposeStage({ parts })
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
function evaluate(source: Source, graph: Graph): readonly Uint8Array[] {
  const { folded, settings } = source
  const { subgraph = -1 } = graph
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
      steps: limits.passes,
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
function largestValue(nodes: readonly Node[], values: readonly Value[]): number {
  const inner = nodes.flatMap(({ graphs = [] }) =>
    graphs.map((graph) => largestValue(graph.nodes, graph.values)),
  )
  return nodes
    .flatMap(({ outputs }) => outputs)
    .map((index) => values[index] as Value)
    .reduce((most, { dtype, shape }) => Math.max(most, byteLength(dtype, shape) ?? 0), Math.max(0, ...inner))
}

function constantBytes({ tensors }: Plan): number {
  const blocks = new Set(tensors.flatMap(({ place }) => (place.where === 'constant' ? [place.data] : [])))
  return [...blocks].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

function weightBytes(graph: Graph): number {
  return [...weightBlocks(graph).values()].reduce((sum, bytes) => sum + bytes, 0)
}

/** Sizes of the constants that a graph and those that it calls read, by their places. */
function weightBlocks({ values, nodes }: Graph, blocks = new Map<string, number>()): Map<string, number> {
  for (const { inputs, graphs = [] } of nodes) {
    for (const index of inputs) {
      const data = values[index]?.data
      if (data !== undefined) blocks.set(`${data.byteOffset}+${data.byteLength}`, data.byteLength)
    }
    for (const graph of graphs) weightBlocks(graph, blocks)
  }
  return blocks
}

function infos(
  file: ModelFile,
  graph: Graph,
  subgraph: number,
  ends: 'inputs' | 'outputs',
  isOpen: (index: number) => boolean = () => false,
): readonly PortInfo[] {
  const record = file.subgraphs[subgraph]
  return graph[ends].map((index, i) => {
    const { name, shape, dtype, quantization } = graph.values[index] as Value
    // Passes may change which value an output is, but not what it means: the file tells which extents are free.
    const declared = record?.tensors[record[ends][i] ?? index]
    const signature = declared?.shapeSignature.length === shape.length ? declared.shapeSignature : shape
    const open = isOpen(index)
    // Of what runs decide, all that the file does not leave free may still be otherwise.
    const isFree = (axis: number) => signature[axis] === -1 || (open && !signature.includes(-1))
    return Object.freeze({
      name,
      shape: Object.freeze([...shape]),
      shapeSignature: Object.freeze(shape.map((extent, axis) => (isFree(axis) ? -1 : extent))),
      dtype,
      ...(quantization && { quantization }),
      ...(open && { isOpen: true }),
    })
  })
}
