// One program of a model, and the way between callers' arrays and it. A session has one for plain runs, and further ones
// for other signatures and for kept tensors.

import { LowbitError } from '../errors.js'
import type { NativeProgram } from '../native/binding.js'
import type { TypedArray } from '../tensor/dtype.js'
import { sameShape } from '../tensor/shape.js'
import { Tensor, type TensorInfo } from '../tensor/tensor.js'
import { onAbort } from './abort.js'
import type { Compiled, PortInfo } from './compile.js'
import { Exchange } from './exchange.js'
import type { ModelMemory, ProfileStep } from './model.js'
import { type AbortSignalLike, checkKeys, type RunOptions } from './options.js'
import { mustWait, type Result, Script } from './script.js'
import type { StepInfo } from './stages.js'
import {
  checkOutput,
  finishOutput,
  inputView,
  outputView,
  type Port,
  portOf,
  type TensorData,
} from './tensor-data.js'
import type { Turns } from './turns.js'

export class Runner {
  readonly inputs: readonly TensorInfo[]
  /** Kept tensors are the last ones. */
  readonly outputs: readonly TensorInfo[]
  readonly #inputs: readonly Port[]
  readonly #outputs: readonly Port[]
  /** How many outputs a caller may give arrays for. */
  readonly #ownCount: number
  readonly #steps: readonly StepInfo[]
  readonly #kernels: readonly string[]
  readonly #infos: readonly PortInfo[]
  readonly #turns: Turns
  readonly #exchange: Exchange | undefined
  #program: NativeProgram | Script | undefined
  readonly memory: ModelMemory

  /** Owns the program from here on. */
  constructor({ program, inputs, outputs, keptCount, steps, weightBytes }: Compiled, turns: Turns) {
    try {
      const { arenaBytes, scratchBytes, packedBytes, kernels } = program.info()
      this.#infos = outputs
      this.#turns = turns
      this.inputs = publicInfos(inputs)
      this.outputs = publicInfos(outputs)
      this.memory = Object.freeze({ arenaBytes, scratchBytes, weightBytes, packedBytes })
      this.#inputs = inputs.map(portOf)
      this.#outputs = outputs.map(portOf)
      this.#ownCount = outputs.length - keptCount
      this.#steps = steps
      this.#kernels = kernels
      this.#exchange =
        program instanceof Script ? undefined : Exchange.of(program, this.#inputs, this.#outputs)
      this.#program = program
    } catch (error) {
      program.dispose()
      throw error
    }
  }

  run(inputs: readonly TensorData[], options?: RunOptions): Promise<Tensor[]> {
    try {
      const program = this.#living()
      checkRunOptions(options)
      const signal = options?.signal
      if (signal?.aborted) return Promise.reject(signal.reason)
      const views = this.#inputViews(inputs)
      if (program instanceof Script) {
        const given = this.#openArrays(options?.outputs)
        const run = program.runAsync(views)
        return untilAborted(run, signal).then((results) => this.#fill(results as readonly Result[], given))
      }
      const arrays = this.#outputArrays(options?.outputs)
      const filled = this.#outputs.map((port, i) => outputView(port, arrays[i] as TypedArray))
      const ended = this.#turns.isTaken
        ? this.#runInTurn(program, views, filled, signal)
        : untilAborted(program.runAsync(views, filled), signal)
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
    if (program instanceof Script) {
      const given = this.#openArrays(options?.outputs)
      return this.#fill(program.run(views), given)
    }
    if (this.#turns.isTaken) throw mustWait()
    const arrays = this.#outputArrays(options?.outputs)
    if (this.#exchange?.run(views as TypedArray[], arrays)) return this.#tensors(arrays)
    const filled = this.#outputs.map((port, i) => outputView(port, arrays[i] as TypedArray))
    program.run(views, filled)
    return this.#results(filled, arrays)
  }

  async profile(inputs: readonly TensorData[], runs: number): Promise<ProfileStep[]> {
    const program = this.#living()
    const views = this.#inputViews(inputs)
    if (program instanceof Script) {
      const steps = await program.profile(views, runs)
      return steps.map((step, index) => ({ index, ...step }))
    }
    const times = await program.profile(views, runs)
    return this.#steps.map(({ op, name, macs }, index) => {
      const [kernel, medianUs] = [this.#kernels[index] ?? '', times[index] ?? 0]
      return { index, op, name, kernel, medianUs, macs }
    })
  }

  /** Runs in flight finish first. */
  dispose(): void {
    const program = this.#program
    this.#program = undefined
    if (this.#turns.isTaken) void this.#turns.take(() => program?.dispose())
    else program?.dispose()
  }

  /** After runs that go through JavaScript, whose state this one is to find. */
  #runInTurn(
    program: NativeProgram,
    views: readonly ArrayBufferView[],
    filled: readonly ArrayBufferView[],
    signal: AbortSignalLike | undefined,
  ): Promise<unknown> {
    const copies = views.map(({ buffer, byteOffset, byteLength }) =>
      new Uint8Array(buffer, byteOffset, byteLength).slice(),
    )
    return this.#turns.take(() => {
      signal?.throwIfAborted()
      return untilAborted(program.runAsync(copies, filled), signal)
    })
  }

  #living(): NativeProgram | Script {
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
    this.#checkList(given)
    // A copy: a run in flight must not see what the caller does to the list.
    return ports.map((port, i) => {
      if (i >= this.#ownCount) return port.create()
      const array = given[i] as TypedArray
      checkOutput(port, array)
      return array
    })
  }

  /** Arrays for outputs of which only the run knows the shapes. */
  #openArrays(given: readonly TypedArray[] | undefined): readonly TypedArray[] {
    if (given === undefined) return []
    this.#checkList(given)
    for (const [i, array] of given.entries()) {
      if (!this.#infos[i]?.isOpen) checkOutput(this.#outputs[i] as Port, array)
    }
    return [...given]
  }

  #checkList(given: readonly TypedArray[]): void {
    if (!Array.isArray(given)) {
      throw new LowbitError('OPTION_INVALID', 'outputs: an array of typed arrays expected', {
        actual: typeof given,
      })
    }
    if (given.length !== this.#ownCount) throw wrongCount('outputs', this.#ownCount, given.length)
  }

  /** Outputs with the shapes that they have come to. */
  #fill(results: readonly Result[], given: readonly TypedArray[]): Tensor[] {
    const ports = this.#outputs.map((port, i) => {
      const { shape } = results[i] as Result
      return sameShape(shape, port.info.shape) ? port : portOf({ ...port.info, shape })
    })
    // All of them are checked before the first is filled.
    for (const [i, array] of given.entries()) checkOutput(ports[i] as Port, array)
    return ports.map((port, i) => {
      const array = given[i] ?? port.create()
      const view = outputView(port, array)
      const { buffer, byteOffset, byteLength } = view
      new Uint8Array(buffer, byteOffset, byteLength).set((results[i] as Result).bytes)
      finishOutput(port, view, array)
      return new Tensor(port.info, array)
    })
  }

  #results(views: readonly ArrayBufferView[], arrays: readonly TypedArray[]): Tensor[] {
    for (const [i, port] of this.#outputs.entries()) {
      finishOutput(port, views[i] as ArrayBufferView, arrays[i] as TypedArray)
    }
    return this.#tensors(arrays)
  }

  #tensors(arrays: readonly TypedArray[]): Tensor[] {
    return this.#outputs.map(({ info }, i) => new Tensor(info, arrays[i] as TypedArray))
  }
}

/** Facts for callers: frozen, with scales of their own, since typed arrays cannot be frozen and runs read ours. */
function publicInfos(infos: readonly PortInfo[]): readonly TensorInfo[] {
  const copies = infos.map(({ quantization, isOpen: _, ...info }) => {
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
function untilAborted<T>(
  run: { readonly promise: Promise<T>; cancel(): void },
  signal: AbortSignalLike | undefined,
): Promise<T> {
  if (signal === undefined) return run.promise
  const stop = onAbort(signal, () => run.cancel())
  return run.promise.finally(stop).then((value) => {
    signal.throwIfAborted()
    return value
  })
}

function wrongCount(what: string, expected: number, actual: number): LowbitError {
  const message = `${what}: the model has ${expected}, ${actual} given`
  return new LowbitError('INPUT_COUNT', message, { expected, actual })
}
