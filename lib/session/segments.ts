// A program with custom operators: native programs, and calls of JavaScript between them. Tensors that go from one to the
// next are copied through ordinary arrays. Only models with custom operators pay for that.

import { LowbitError } from '../errors.js'
import { type Graph, isCustom, type Node, type Value } from '../graph/graph.js'
import type { NativeProgram, NativeProgramInfo, NativeRun, RunEnd } from '../native/binding.js'
import { byteLength, type TypedArray } from '../tensor/dtype.js'
import { packCodes } from '../tensor/packed.js'
import {
  type CustomAttributes,
  type CustomOp,
  type CustomOps,
  type CustomTensor,
  callCustom,
  elementsOf,
  failed,
} from './custom-ops.js'

/** Nodes in a row that native code runs, as a graph of their own, or one custom operator. */
export type Segment =
  | { readonly kind: 'native'; readonly graph: Graph }
  | { readonly kind: 'custom'; readonly node: Node }

export type Part =
  | { readonly kind: 'native'; readonly graph: Graph; readonly program: NativeProgram }
  | { readonly kind: 'custom'; readonly node: Node }

/** The graph in pieces, in order: each native one gives what later pieces or the graph's outputs need. */
export function splitAtCustom(graph: Graph): readonly Segment[] {
  const pieces: (Node | Node[])[] = []
  for (const node of graph.nodes) {
    const last = pieces.at(-1)
    if (isCustom(node)) pieces.push(node)
    else if (Array.isArray(last)) last.push(node)
    else pieces.push([node])
  }
  const needed = new Set(graph.outputs)
  const segments: Segment[] = []
  for (const piece of pieces.toReversed()) {
    const nodes = Array.isArray(piece) ? piece : [piece]
    const made = new Set(nodes.flatMap((node) => node.outputs))
    const read = new Set(nodes.flatMap((node) => node.inputs))
    const inputs = [...read].filter(
      (value) => value >= 0 && !made.has(value) && graph.values[value]?.data === undefined,
    )
    if (Array.isArray(piece)) {
      const outputs = [...made].filter((value) => needed.has(value))
      segments.push({ kind: 'native', graph: { values: graph.values, nodes, inputs, outputs } })
    } else {
      segments.push({ kind: 'custom', node: piece })
    }
    for (const value of inputs) needed.add(value)
  }
  return segments.reverse()
}

/** Bytes of values that are known at some point of a run. */
type Known = Map<number, Uint8Array>

/** Looks to a session like a native program. */
export class SegmentedProgram implements NativeProgram {
  readonly #graph: Graph
  readonly #parts: readonly Part[]
  readonly #customOps: CustomOps
  #running = 0
  #isDisposed = false

  /** Owns the programs of the parts from here on. */
  constructor(graph: Graph, parts: readonly Part[], customOps: CustomOps) {
    this.#graph = graph
    this.#parts = parts
    this.#customOps = customOps
  }

  /** One of the native programs, if there is any, for other programs to share packed weights with. */
  anyNative(): NativeProgram | undefined {
    return this.#programs()[0]
  }

  info(): NativeProgramInfo {
    const infos = this.#parts.map((part) => (part.kind === 'native' ? part.program.info() : undefined))
    const sum = (of: (info: NativeProgramInfo) => number) =>
      infos.reduce((total, info) => total + (info === undefined ? 0 : of(info)), 0)
    return {
      arenaBytes: sum(({ arenaBytes }) => arenaBytes),
      scratchBytes: sum(({ scratchBytes }) => scratchBytes),
      packedBytes: sum(({ packedBytes }) => packedBytes),
      sharedBytes: sum(({ sharedBytes }) => sharedBytes),
      kernels: infos.flatMap((info) => info?.kernels ?? ['javascript']),
    }
  }

  run(inputs: readonly ArrayBufferView[], outputs: readonly ArrayBufferView[]): void {
    const known = this.#begin(inputs)
    this.#running++
    try {
      for (const part of this.#parts) {
        if (part.kind === 'native') part.program.run(read(part.graph, known), this.#room(part.graph, known))
        else this.#call(part.node, known)
      }
      this.#end(known, outputs)
    } finally {
      this.#leave()
    }
  }

  runAsync(inputs: readonly ArrayBufferView[], outputs: readonly ArrayBufferView[]): NativeRun {
    const known = this.#begin(inputs)
    let current: NativeRun | undefined
    let isCancelled = false
    const run = async (): Promise<RunEnd> => {
      try {
        for (const part of this.#parts) {
          // Also before the first one: JavaScript is never called before `run` has returned.
          await undefined
          if (isCancelled) return 'cancelled'
          if (part.kind === 'native') {
            current = part.program.runAsync(read(part.graph, known), this.#room(part.graph, known))
            if ((await current.promise) === 'cancelled') return 'cancelled'
          } else {
            this.#call(part.node, known)
          }
        }
        this.#end(known, outputs)
        return 'done'
      } finally {
        this.#leave()
      }
    }
    this.#running++
    return {
      promise: run(),
      cancel() {
        isCancelled = true
        current?.cancel()
      },
    }
  }

  /** Native parts are timed by themselves, with the inputs of one run. */
  async profile(inputs: readonly ArrayBufferView[], runs: number): Promise<Float64Array> {
    const known = this.#begin(inputs)
    const times: number[] = []
    this.#running++
    try {
      for (const part of this.#parts) {
        await undefined
        if (part.kind === 'native') {
          const given = read(part.graph, known)
          times.push(...(await part.program.profile(given, runs)))
          await part.program.runAsync(given, this.#room(part.graph, known)).promise
        } else {
          const samples = Array.from({ length: runs }, () => {
            const started = performance.now()
            this.#call(part.node, known)
            return (performance.now() - started) * 1000
          })
          times.push(samples.sort((a, b) => a - b)[runs >> 1] ?? 0)
        }
      }
      return Float64Array.from(times)
    } finally {
      this.#leave()
    }
  }

  /** Models with custom operators keep no state. */
  resetState(): void {
    if (this.#isDisposed) throw new LowbitError('DISPOSED', 'the model was disposed')
  }

  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    if (this.#running === 0) for (const program of this.#programs()) program.dispose()
  }

  #programs(): readonly NativeProgram[] {
    return this.#parts.flatMap((part) => (part.kind === 'native' ? [part.program] : []))
  }

  /** Copies the inputs, since they are read for longer than the call of native code lasts. */
  #begin(inputs: readonly ArrayBufferView[]): Known {
    if (this.#isDisposed) throw new LowbitError('DISPOSED', 'the model was disposed')
    const known: Known = new Map()
    for (const [i, value] of this.#graph.inputs.entries()) {
      const { buffer, byteOffset, byteLength } = inputs[i] as ArrayBufferView
      known.set(value, new Uint8Array(buffer, byteOffset, byteLength).slice())
    }
    return known
  }

  #end(known: Known, outputs: readonly ArrayBufferView[]): void {
    for (const [i, value] of this.#graph.outputs.entries()) {
      const { buffer, byteOffset, byteLength } = outputs[i] as ArrayBufferView
      const bytes = known.get(value) ?? this.#value(value).data
      if (bytes === undefined) throw new LowbitError('INTERNAL', `output ${i} was not computed`)
      new Uint8Array(buffer, byteOffset, byteLength).set(bytes)
    }
  }

  /** The last run out of a disposed program gives its memory back. */
  #leave(): void {
    this.#running--
    if (this.#isDisposed && this.#running === 0) for (const program of this.#programs()) program.dispose()
  }

  #value(index: number): Value {
    return this.#graph.values[index] as Value
  }

  #room({ outputs }: Graph, known: Known): readonly Uint8Array[] {
    return outputs.map((value) => {
      const { dtype, shape } = this.#value(value)
      const bytes = new Uint8Array(byteLength(dtype, shape) ?? 0)
      known.set(value, bytes)
      return bytes
    })
  }

  #call({ origin, attributes, inputs, outputs }: Node, known: Known): void {
    const { type, options } = attributes as CustomAttributes
    const tensor = (index: number, data: Uint8Array): CustomTensor => {
      const { name, shape, dtype, quantization } = this.#value(index)
      const facts = { name, shape, dtype, ...(quantization && { quantization }) }
      return { ...facts, data: elementsOf({ ...facts, data }) }
    }
    const given = inputs.map((index) =>
      index < 0 ? null : tensor(index, (known.get(index) ?? this.#value(index).data) as Uint8Array),
    )
    const wanted = outputs.map((index) => {
      const { dtype, shape } = this.#value(index)
      return tensor(index, new Uint8Array(byteLength(dtype, shape) ?? 0))
    })
    const arrays = wanted.map(({ data }) => data)
    const lengths = arrays.map(({ length }) => length)
    callCustom(origin, 'run', () => {
      return (this.#customOps[type] as CustomOp).run(given, wanted, new Uint8Array(options))
    })
    for (const [i, index] of outputs.entries()) {
      const array = arrays[i] as TypedArray
      if (wanted[i]?.data !== array || array.length !== lengths[i]) {
        const { name } = this.#value(index)
        throw failed(origin, `run took away the array of output "${name}"; it is to be filled`, {
          tensor: name,
        })
      }
      known.set(index, storedBytes(this.#value(index), array))
    }
  }
}

function read({ inputs }: Graph, known: Known): readonly Uint8Array[] {
  return inputs.map((value) => known.get(value) as Uint8Array)
}

function storedBytes({ dtype }: Value, array: TypedArray): Uint8Array {
  if (dtype === 'int4' || dtype === 'int2') return packCodes(array as Int8Array, dtype === 'int4' ? 4 : 2)
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
