// One program of a model, and the way between callers' arrays and it. A session has one for plain runs, and further ones
// for other signatures and for kept tensors.

import { LowbitError } from '../errors.js'
import type { NativeProgram, NativeRun } from '../native/binding.js'
import type { TypedArray } from '../tensor/dtype.js'
import { Tensor, type TensorInfo } from '../tensor/tensor.js'
import { onAbort } from './abort.js'
import type { Compiled, StepInfo } from './compile.js'
import type { ModelMemory, ProfileStep } from './model.js'
import { type AbortSignalLike, checkKeys, type RunOptions } from './options.js'
import {
  checkOutput,
  finishOutput,
  inputView,
  outputView,
  type Port,
  portOf,
  type TensorData,
} from './tensor-data.js'

export class Runner {
  readonly inputs: readonly TensorInfo[]
  /** Kept tensors are the last ones. */
  readonly outputs: readonly TensorInfo[]
  readonly memory: ModelMemory
  readonly #inputs: readonly Port[]
  readonly #outputs: readonly Port[]
  /** How many outputs a caller may give arrays for. */
  readonly #ownCount: number
  readonly #steps: readonly StepInfo[]
  readonly #kernels: readonly string[]
  #program: NativeProgram | undefined

  /** Owns the program from here on. */
  constructor({ program, inputs, outputs, keptCount, steps, weightBytes }: Compiled) {
    try {
      const { arenaBytes, scratchBytes, packedBytes, kernels } = program.info()
      this.inputs = publicInfos(inputs)
      this.outputs = publicInfos(outputs)
      this.memory = Object.freeze({ arenaBytes, scratchBytes, weightBytes, packedBytes })
      this.#inputs = inputs.map(portOf)
      this.#outputs = outputs.map(portOf)
      this.#ownCount = outputs.length - keptCount
      this.#steps = steps
      this.#kernels = kernels
      this.#program = program
    } catch (error) {
      program.dispose()
      throw error
    }
  }

  /** The native program, for others to share its packed weights. */
  get program(): NativeProgram {
    return this.#living()
  }

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
      return ended.then(() => this.#results(filled, arrays))
    } catch (error) {
      return Promise.reject(error)
    }
  }

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

  profile(inputs: readonly TensorData[], runs: number): Promise<ProfileStep[]> {
    try {
      const timed = this.#living().profile(this.#inputViews(inputs), runs)
      return timed.then((times) =>
        this.#steps.map(({ op, name, macs }, index) => ({
          index,
          op,
          name,
          kernel: this.#kernels[index] ?? '',
          medianUs: times[index] ?? 0,
          macs,
        })),
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Runs in flight finish first. */
  dispose(): void {
    this.#program?.dispose()
    this.#program = undefined
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
    if (given.length !== this.#ownCount) throw wrongCount('outputs', this.#ownCount, given.length)
    // A copy: a run in flight must not see what the caller does to the list.
    return ports.map((port, i) => {
      if (i >= this.#ownCount) return port.create()
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
}

/** Facts for callers: frozen, with scales of their own, since typed arrays cannot be frozen and runs read ours. */
function publicInfos(infos: readonly TensorInfo[]): readonly TensorInfo[] {
  const copies = infos.map(({ quantization, ...info }) => {
    if (quantization === undefined) return Object.freeze(info)
    const { scale, zeroPoint, axis } = quantization
    const copy = Object.freeze({ scale: scale.slice(), zeroPoint: zeroPoint.slice(), axis })
    return Object.freeze({ ...info, quantization: copy })
  })
  return Object.freeze(copies)
}

function checkRunOptions(options: RunOptions | undefined): void {
  if (options === undefined) return
  checkKeys(options, ['signal', 'outputs', 'keep'], 'options of run')
  const { signal } = options
  if (signal !== undefined && !(typeof signal?.addEventListener === 'function' && 'aborted' in signal)) {
    const actual = signal === null ? 'null' : typeof signal
    throw new LowbitError('OPTION_INVALID', 'signal: an AbortSignal expected', { actual })
  }
}

/** Ends when the run has ended; rejects with the signal's reason if it was aborted before. */
function untilAborted(run: NativeRun, signal: AbortSignalLike): Promise<void> {
  const stop = onAbort(signal, () => run.cancel())
  return run.promise.finally(stop).then(() => signal.throwIfAborted())
}

function wrongCount(what: string, expected: number, actual: number): LowbitError {
  const message = `${what}: the model has ${expected}, ${actual} given`
  return new LowbitError('INPUT_COUNT', message, { expected, actual })
}
