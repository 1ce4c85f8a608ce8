// A loaded model: owns its programs (one for plain runs, others when they are asked for) and hands runs to them.
/// <reference lib="esnext.disposable" preserve="true" />

import { LowbitError } from '../errors.js'
import type { Shape } from '../tensor/shape.js'
import { shapeText } from '../tensor/shape.js'
import type { Tensor, TensorInfo } from '../tensor/tensor.js'
import { compile, type Request, type Source } from './compile.js'
import { keptNames, keptValues, type TensorsWithKept, withKept } from './keep.js'
import type {
  Model,
  ModelMemory,
  ModelMetadata,
  ModelSignature,
  ProfileStep,
  SignatureInfo,
} from './model.js'
import { type ProfileOptions, profileRuns, type RunOptions } from './options.js'
import { Runner } from './runner.js'
import { SignatureRunner } from './signature.js'
import type { TensorData } from './tensor-data.js'

/** Programs with kept tensors that are held at once; the one that was used least lately goes. */
const MOST_VARIANTS = 8

/** Owns native memory until `dispose()`, or until it is garbage. */
export class Session implements Model {
  readonly metadata: ModelMetadata
  readonly signatures: readonly SignatureInfo[]
  readonly #inFlight = new Set<Promise<unknown>>()
  /** By subgraph; 0 is the one of plain runs. */
  readonly #runners = new Map<number, Runner>()
  /** Of subgraph 0, by the values they keep; the latest used last. */
  readonly #variants = new Map<string, Runner>()
  #source: Source | undefined
  #shapes: readonly Shape[] | undefined
  #main: Runner

  constructor(source: Source, metadata: ModelMetadata) {
    this.metadata = Object.freeze({ ...metadata })
    const signatures = source.file.signatures.map(({ name, inputs, outputs }) =>
      Object.freeze({
        name,
        inputs: Object.freeze(inputs.map((port) => port.name)),
        outputs: Object.freeze(outputs.map((port) => port.name)),
      }),
    )
    this.signatures = Object.freeze(signatures)
    this.#source = source
    this.#main = runnerOf(source, { subgraph: 0 })
  }

  get inputs(): readonly TensorInfo[] {
    return this.#main.inputs
  }

  get outputs(): readonly TensorInfo[] {
    return this.#main.outputs
  }

  get memory(): ModelMemory {
    return this.#main.memory
  }

  run(
    inputs: readonly TensorData[],
    options: RunOptions & { readonly keep: readonly string[] },
  ): Promise<TensorsWithKept>
  run(inputs: readonly TensorData[], options?: RunOptions): Promise<Tensor[]>
  run(inputs: readonly TensorData[], options?: RunOptions): Promise<Tensor[]> {
    if (options?.keep === undefined) return this.#track(this.#main.run(inputs, options))
    try {
      const { runner, names } = this.#keeping(options.keep)
      return this.#track(runner.run(inputs, options).then((tensors) => withKept(tensors, names)))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  runSync(
    inputs: readonly TensorData[],
    options: RunOptions & { readonly keep: readonly string[] },
  ): TensorsWithKept
  runSync(inputs: readonly TensorData[], options?: RunOptions): Tensor[]
  runSync(inputs: readonly TensorData[], options?: RunOptions): Tensor[] {
    if (options?.keep === undefined) return this.#main.runSync(inputs, options)
    const { runner, names } = this.#keeping(options.keep)
    return withKept(runner.runSync(inputs, options), names)
  }

  resize(shapes: readonly (readonly number[])[]): void {
    const source = this.#living()
    const checked = checkShapes(shapes, this.#main.inputs)
    const next = runnerOf(source, { subgraph: 0, shapes: checked })
    this.#main.dispose()
    source.stages.clear()
    for (const variant of this.#variants.values()) variant.dispose()
    this.#variants.clear()
    this.#main = next
    this.#shapes = checked
  }

  signature(name: string): ModelSignature {
    const source = this.#living()
    const signature = source.file.signatures.find((one) => one.name === name)
    if (signature === undefined) {
      const expected = this.signatures.map((one) => one.name)
      const known = expected.length === 0 ? 'the file has none' : `there ${listText(expected)}`
      const message = `signature "${name}" is unknown; ${known}`
      throw new LowbitError('NAME_UNKNOWN', message, { expected, actual: name })
    }
    const { subgraph } = signature
    if (subgraph !== 0 && !this.#runners.has(subgraph)) {
      this.#runners.set(subgraph, runnerOf(source, { subgraph }))
    }
    const runner = () => (subgraph === 0 ? this.#main : (this.#runners.get(subgraph) as Runner))
    const ends = source.file.subgraphs[subgraph] ?? { inputs: [], outputs: [] }
    return new SignatureRunner(signature, ends, runner, (promise) => this.#track(promise))
  }

  profile(inputs: readonly TensorData[], options: ProfileOptions = {}): Promise<ProfileStep[]> {
    try {
      return this.#track(this.#main.profile(inputs, profileRuns(options)))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  resetState(): void {
    const { turns, shared } = this.#living()
    if (turns.isTaken) void turns.take(() => shared().resetState())
    else shared().resetState()
  }

  dispose(): void {
    this.#source?.stages.close()
    this.#source = undefined
    for (const runner of [this.#main, ...this.#runners.values(), ...this.#variants.values()]) runner.dispose()
    this.#variants.clear()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose()
    await Promise.allSettled(this.#inFlight)
  }

  #living(): Source {
    if (this.#source === undefined) throw new LowbitError('DISPOSED', 'the model was disposed')
    return this.#source
  }

  /** The program in which these tensors are outputs, and their names in the order of its last outputs. */
  #keeping(keep: readonly string[]): { runner: Runner; names: readonly (readonly string[])[] } {
    const source = this.#living()
    const values = keptValues(source.file, keptNames(keep))
    const kept = [...values.keys()]
    const key = kept.join()
    const runner = this.#variants.get(key) ?? runnerOf(source, this.#request(kept))
    // Again at the end: the first of the map is the one that was used least lately.
    this.#variants.delete(key)
    this.#variants.set(key, runner)
    const [oldest = '', least] = this.#variants.entries().next().value ?? []
    if (this.#variants.size > MOST_VARIANTS) {
      this.#variants.delete(oldest)
      least?.dispose()
    }
    return { runner, names: [...values.values()] }
  }

  #request(keep: readonly number[]): Request {
    return { subgraph: 0, keep, ...(this.#shapes && { shapes: this.#shapes }) }
  }

  #track<T>(promise: Promise<T>): Promise<T> {
    const end = promise.finally(() => this.#inFlight.delete(end))
    this.#inFlight.add(end)
    return end
  }
}

function runnerOf(source: Source, request: Request): Runner {
  return new Runner(compile(source, request), source.turns)
}

function checkShapes(shapes: unknown, inputs: readonly TensorInfo[]): readonly Shape[] {
  if (!Array.isArray(shapes) || !shapes.every((shape) => Array.isArray(shape))) {
    throw new LowbitError('OPTION_INVALID', 'resize: an array of shapes expected', { actual: shapes })
  }
  if (shapes.length !== inputs.length) {
    const [expected, actual] = [inputs.length, shapes.length]
    const message = `resize: the model has ${expected} inputs, ${actual} shapes given`
    throw new LowbitError('SHAPE_MISMATCH', message, { expected, actual })
  }
  return inputs.map(({ name, shape }, i) => {
    const given = shapes[i] as readonly unknown[]
    const isShape = given.every((extent) => Number.isInteger(extent) && (extent as number) >= 0)
    if (given.length === shape.length && isShape) return [...given] as number[]
    const wanted = `${shape.length} whole numbers of 0 or more`
    const message = `resize: input "${name}" of shape ${shapeText(shape)}: ${wanted} expected, [${given.join(', ')}] given`
    throw new LowbitError('SHAPE_MISMATCH', message, { tensor: name, expected: shape, actual: given })
  })
}

function listText(names: readonly string[]): string {
  return `${names.length === 1 ? 'is' : 'are'} ${names.map((name) => `"${name}"`).join(', ')}`
}
