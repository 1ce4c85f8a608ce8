// A signature of a model: runs one of its subgraphs with inputs and outputs by name.

import { LowbitError } from '../errors.js'
import type { Signature, Subgraph } from '../model/model.js'
import type { Tensor, TensorInfo } from '../tensor/tensor.js'
import type { ModelSignature, NamedInputs, NamedOutputs, SignatureRunOptions } from './model.js'
import { checkKeys } from './options.js'
import type { Runner } from './runner.js'
import type { TensorData } from './tensor-data.js'

/** A name, and the place of its tensor among the inputs or outputs of the subgraph. */
type Place = readonly [name: string, place: number]

export class SignatureRunner implements ModelSignature {
  readonly name: string
  readonly #inputs: readonly Place[]
  readonly #outputs: readonly Place[]
  readonly #runner: () => Runner
  readonly #track: <T>(promise: Promise<T>) => Promise<T>

  constructor(
    { name, inputs, outputs }: Signature,
    ends: Pick<Subgraph, 'inputs' | 'outputs'>,
    runner: () => Runner,
    track: <T>(promise: Promise<T>) => Promise<T>,
  ) {
    this.name = name
    this.#inputs = inputs.map((port) => [port.name, ends.inputs.indexOf(port.tensor)])
    this.#outputs = outputs.map((port) => [port.name, ends.outputs.indexOf(port.tensor)])
    this.#runner = runner
    this.#track = track
    const named = new Set(inputs.map(({ tensor }) => tensor)).size
    if (named !== ends.inputs.length) {
      const expected = ends.inputs.length
      const message = `signature "${name}" names ${named} inputs, its subgraph has ${expected}`
      throw new LowbitError('FILE_INVALID', message, { expected, actual: named })
    }
  }

  get inputs(): Readonly<Record<string, TensorInfo>> {
    return infos(this.#inputs, this.#runner().inputs)
  }

  get outputs(): Readonly<Record<string, TensorInfo>> {
    return infos(this.#outputs, this.#runner().outputs)
  }

  run(inputs: NamedInputs, options: SignatureRunOptions = {}): Promise<NamedOutputs> {
    try {
      checkKeys(options, ['signal'], 'options of run')
      const running = this.#runner().run(this.#inputList(inputs), options)
      return this.#track(running.then((tensors) => this.#named(tensors)))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  runSync(inputs: NamedInputs, options: SignatureRunOptions = {}): NamedOutputs {
    checkKeys(options, ['signal'], 'options of run')
    return this.#named(this.#runner().runSync(this.#inputList(inputs), options))
  }

  #inputList(given: NamedInputs): TensorData[] {
    if (typeof given !== 'object' || given === null || Array.isArray(given) || ArrayBuffer.isView(given)) {
      const message = `signature "${this.name}": an object of typed arrays by the names of the inputs expected`
      throw new LowbitError('OPTION_INVALID', message, { actual: typeof given })
    }
    const expected = this.#inputs.map(([name]) => name)
    const stray = Object.keys(given).find((name) => !expected.includes(name))
    if (stray !== undefined) {
      const message = `signature "${this.name}" has no input "${stray}"; it has ${expected.join(', ')}`
      throw new LowbitError('NAME_UNKNOWN', message, { expected, actual: stray })
    }
    const list: TensorData[] = []
    for (const [name, place] of this.#inputs) {
      if (!Object.hasOwn(given, name)) {
        const message = `signature "${this.name}": input "${name}" is missing`
        throw new LowbitError('INPUT_COUNT', message, {
          tensor: name,
          expected,
          actual: Object.keys(given),
        })
      }
      list[place] = given[name] as TensorData
    }
    return list
  }

  #named(tensors: readonly Tensor[]): NamedOutputs {
    return Object.fromEntries(this.#outputs.map(([name, place]) => [name, tensors[place] as Tensor]))
  }
}

function infos(places: readonly Place[], all: readonly TensorInfo[]): Readonly<Record<string, TensorInfo>> {
  return Object.fromEntries(places.map(([name, place]) => [name, all[place] as TensorInfo]))
}
