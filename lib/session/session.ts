// A loaded model: owns the native program, and turns callers' arrays into runs of it.

import { LowbitError } from '../errors.js'
import type { Metadata } from '../format/tflite/metadata.js'
import type { NativeProgram, NativeRun } from '../native/binding.js'
import type { TypedArray } from '../tensor/dtype.js'
import { Tensor, type TensorInfo } from '../tensor/tensor.js'
import { type ProfileOptions, profileRuns, type RunOptions } from './options.js'
import {
  checkOutput,
  finishOutput,
  inputView,
  outputView,
  type Port,
  portOf,
  type TensorData,
} from './tensor-data.js'

/** Bytes that a model takes. */
export interface ModelMemory {
  /** Activations of one run in flight. */
  readonly arenaBytes: number
  /** Working memory of kernels, beside the arena of one run in flight. */
  readonly scratchBytes: number
  /** Constant tensors that the model uses, as the file stores them. */
  readonly weightBytes: number
  /** Weights as the kernels hold them, once a model. */
  readonly packedBytes: number
}

/** One native step of a model, and its time. */
export interface ProfileStep {
  /** Place in the order of execution. */
  readonly index: number
  /** Operator, as `conv2d`. */
  readonly op: string
  /** Name of the step's first output tensor. */
  readonly name: string
  readonly kernel: string
  readonly medianUs: number
  /** Multiply-accumulates by the unpadded definition; 0 where a step has none. */
  readonly macs: number
}

/** What a file says of itself beside its graph; what it does not say is absent. */
export interface ModelMetadata extends Metadata {
  /** Why the file's metadata cannot be read; nothing else is there then. The model itself is sound. */
  readonly warning?: string
}

/** What loading prepares for a session. */
export interface SessionParts {
  readonly program: NativeProgram
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly steps: readonly { readonly op: string; readonly name: string; readonly macs: number }[]
  readonly weightBytes: number
  readonly metadata: ModelMetadata
}

/** A loaded model. It holds native memory until `dispose()`, or until it is garbage. */
export class Session {
  /** Inputs of subgraph 0, in the file's order. */
  readonly inputs: readonly TensorInfo[]
  /** Outputs of subgraph 0, in the file's order. */
  readonly outputs: readonly TensorInfo[]
  readonly memory: ModelMemory
  readonly metadata: ModelMetadata
  readonly #inputs: readonly Port[]
  readonly #outputs: readonly Port[]
  readonly #steps: SessionParts['steps']
  readonly #kernels: readonly string[]
  readonly #inFlight = new Set<Promise<unknown>>()
  #program: NativeProgram | undefined

  constructor({ program, inputs, outputs, steps, weightBytes, metadata }: SessionParts) {
    const { arenaBytes, scratchBytes, packedBytes, kernels } = program.info()
    this.inputs = inputs
    this.outputs = outputs
    this.memory = { arenaBytes, scratchBytes, weightBytes, packedBytes }
    this.metadata = metadata
    this.#inputs = inputs.map(portOf)
    this.#outputs = outputs.map(portOf)
    this.#steps = steps
    this.#kernels = kernels
    this.#program = program
  }

  /**
   * Runs the model on another thread. Several runs may be in flight at once; those of a model that keeps state from run
   * to run happen one after the other, in the order of the calls. One that is aborted midway leaves part of the state
   * changed.
   *
   * @param inputs One typed array for each of `inputs`, row-major; copied before this returns.
   * @returns One tensor for each of `outputs`, in their order.
   * @throws {LowbitError} (as rejection) `INPUT_COUNT`, `DTYPE_MISMATCH`, `SHAPE_MISMATCH`, `NOT_FINITE` and
   *   `OPTION_INVALID` for what is given; `DISPOSED`. An abort rejects with `signal.reason`, even when the run has just
   *   ended.
   */
  run(inputs: readonly TensorData[], options?: RunOptions): Promise<Tensor[]> {
    try {
      const program = this.#living()
      checkRunOptions(options)
      const signal = options?.signal
      if (signal?.aborted) return Promise.reject(signal.reason)
      const views = this.#inputViews(inputs)
      const arrays = this.#outputArrays(options?.outputs)
      const filled = this.#outputs.map((port, i) => outputView(port, arrays[i] as TypedArray))
      const run = program.runAsync(views, filled)
      const ended = signal === undefined ? run.promise : untilAborted(run, signal)
      return this.#track(ended.then(() => this.#results(filled, arrays)))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Runs the model on this thread, which it blocks meanwhile: for scripts and worker threads.
   *
   * @throws {LowbitError} As `run` rejects.
   */
  runSync(inputs: readonly TensorData[], options?: RunOptions): Tensor[] {
    const program = this.#living()
    checkRunOptions(options)
    options?.signal?.throwIfAborted()
    const views = this.#inputViews(inputs)
    const arrays = this.#outputArrays(options?.outputs)
    const filled = this.#outputs.map((port, i) => outputView(port, arrays[i] as TypedArray))
    program.run(views, filled)
    return this.#results(filled, arrays)
  }

  /**
   * Times each native step, on another thread. A model's state is afterwards what it was before.
   *
   * @param inputs As for `run`.
   * @returns Steps in order of execution, with the median over all runs in microseconds.
   */
  profile(inputs: readonly TensorData[], options: ProfileOptions = {}): Promise<ProfileStep[]> {
    try {
      const program = this.#living()
      const runs = profileRuns(options)
      const timed = program.profile(this.#inputViews(inputs), runs)
      return this.#track(
        timed.then((times) =>
          this.#steps.map(({ op, name, macs }, index) => ({
            index,
            op,
            name,
            kernel: this.#kernels[index] ?? '',
            medianUs: times[index] ?? 0,
            macs,
          })),
        ),
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Sets all that the model remembers from earlier runs (LSTM and SVDF states, variables) back to what it was after
   * loading. Runs that were started before still end as they would have. No effect on models without state.
   *
   * @throws {LowbitError} `DISPOSED`.
   */
  resetState(): void {
    this.#living().resetState()
  }

  /**
   * Gives the native memory back, once the runs in flight have ended. May be called twice; runs that are started later
   * fail with `DISPOSED`.
   */
  dispose(): void {
    this.#program?.dispose()
    this.#program = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** As `dispose`, and waits for the runs in flight. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose()
    await Promise.allSettled(this.#inFlight)
  }

  #living(): NativeProgram {
    if (this.#program === undefined) throw new LowbitError('DISPOSED', 'the model was disposed')
    return this.#program
  }

  #inputViews(inputs: readonly TensorData[]): ArrayBufferView[] {
    const ports = this.#inputs
    if (!Array.isArray(inputs)) {
      throw new LowbitError('OPTION_INVALID', 'inputs: an array of typed arrays expected', {
        actual: typeof inputs,
      })
    }
    if (inputs.length !== ports.length) throw wrongCount('inputs', ports.length, inputs.length)
    return ports.map((port, i) => inputView(port, inputs[i]))
  }

  #outputArrays(given: readonly TypedArray[] | undefined): readonly TypedArray[] {
    const ports = this.#outputs
    if (given === undefined) return ports.map((port) => port.create())
    if (!Array.isArray(given)) {
      throw new LowbitError('OPTION_INVALID', 'outputs: an array of typed arrays expected', {
        actual: typeof given,
      })
    }
    if (given.length !== ports.length) throw wrongCount('outputs', ports.length, given.length)
    // A copy: a run in flight must not see what the caller does to the list.
    return ports.map((port, i) => {
      checkOutput(port, given[i])
      return given[i]
    })
  }

  #results(views: readonly ArrayBufferView[], arrays: readonly TypedArray[]): Tensor[] {
    return this.#outputs.map((port, i) => {
      const array = arrays[i] as TypedArray
      finishOutput(port, views[i] as ArrayBufferView, array)
      return new Tensor(port.info, array)
    })
  }

  #track<T>(promise: Promise<T>): Promise<T> {
    const end = promise.finally(() => this.#inFlight.delete(end))
    this.#inFlight.add(end)
    return end
  }
}

function checkRunOptions(options: RunOptions | undefined): void {
  for (const key in options) {
    if (key === 'outputs' || key === 'signal') continue
    const message = `options of run: "${key}" is unknown; there are signal, outputs`
    throw new LowbitError('OPTION_INVALID', message, { expected: ['signal', 'outputs'], actual: key })
  }
  const signal = options?.signal
  if (signal !== undefined && !(typeof signal.addEventListener === 'function' && 'aborted' in signal)) {
    throw new LowbitError('OPTION_INVALID', 'signal: an AbortSignal expected', { actual: typeof signal })
  }
}

/** Ends when the run has ended; rejects with the signal's reason if it was aborted before. */
function untilAborted(run: NativeRun, signal: AbortSignal): Promise<void> {
  const cancel = () => run.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  return run.promise
    .finally(() => signal.removeEventListener('abort', cancel))
    .then(() => signal.throwIfAborted())
}

function wrongCount(what: string, expected: number, actual: number): LowbitError {
  const message = `${what}: the model has ${expected}, ${actual} given`
  return new LowbitError('INPUT_COUNT', message, { expected, actual })
}
