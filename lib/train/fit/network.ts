// A layers model as the loop sees it: one step forth and back, and the arrays of its weights.

import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { LowbitError } from '../../errors.js'
import { BACKEND } from '../backend/name.js'
import { type CoreModule, requireTfjs } from '../backend/tfjs.js'
import type { Dataset } from '../data/dataset.js'
import { type BatchLoss, crossEntropy, type LossSettings } from './loss.js'
import type { Optimizer, Rates } from './optimizer.js'

/** A weight of the model. Its tensor is never written in place: others may hold the same one. */
type Weight = LayersModel['weights'][number]

export interface StepInput extends Rates {
  /** As many rows as labels; may be longer. */
  readonly inputs: Float32Array
  readonly labels: Int32Array
}

export class Network {
  readonly #core = requireTfjs<CoreModule>('core')
  readonly #model: LayersModel
  readonly #shape: readonly number[]
  readonly #loss: LossSettings
  readonly #optimizer: Optimizer
  readonly #trained: readonly Weight[]
  /** Of each trained weight. */
  readonly #slots: readonly Tensor[][]

  constructor(model: LayersModel, { shape }: Dataset, optimizer: Optimizer, labelSmoothing: number) {
    this.#model = model
    this.#shape = shape
    this.#loss = { labelSmoothing, areProbabilities: endsInSoftmax(model) }
    this.#optimizer = optimizer
    this.#trained = model.trainableWeights
    this.#slots = this.#trained.map(({ shape }) =>
      Array.from({ length: optimizer.slots }, () => this.#core.zeros(shape as number[])),
    )
  }

  /** Trains on a batch; gives the sum of the losses and how many were right, before the step. */
  step({ inputs, labels, learningRate, decay, step }: StepInput): Omit<BatchLoss, 'gradient'> {
    const core = this.#core
    return core.tidy(() => {
      const x = core.tensor(inputs, [labels.length, ...this.#shape], 'float32')
      let result: BatchLoss | undefined
      const meanLoss = core.customGrad((outputs) => {
        const of = crossEntropy((outputs as Tensor).dataSync() as Float32Array, labels, this.#loss)
        result = of
        return {
          value: core.scalar(of.loss / labels.length),
          gradFunc: (dy: Tensor) => core.mul(core.tensor(of.gradient, (outputs as Tensor).shape), dy),
        }
      })
      const variables = this.#trained.map((weight) => weight.read() as Variable)
      const { value, grads } = core.variableGrads(() => {
        const outputs = this.#model.apply(x, { training: true }) as Tensor
        return this.#model
          .calculateLosses()
          .reduce<Tensor>((sum, one) => core.add(sum, one), meanLoss(outputs)) as Scalar
      }, variables)
      const loss = value.dataSync()[0] as number
      if (!Number.isFinite(loss)) throw divergedAt(step, loss, learningRate)
      this.#update(variables, grads, { learningRate, decay, step })
      return { loss: loss * labels.length, right: (result as BatchLoss).right }
    })
  }

  #update(variables: readonly Variable[], gradients: Readonly<Record<string, Tensor>>, rates: Rates): void {
    for (const [i, variable] of variables.entries()) {
      const gradient = gradients[variable.name]
      if (gradient === undefined) continue
      const slots = this.#slots[i] as Tensor[]
      const decay = variable.rank > 1 ? rates.decay : 0
      const made = this.#optimizer.update(this.#core, variable, gradient, slots, { ...rates, decay })
      this.#trained[i]?.write(made[0] as Tensor)
      this.#replace(slots, made.slice(1))
    }
  }

  #replace(slots: Tensor[], made: readonly Tensor[]): void {
    for (const [k, slot] of made.entries()) {
      slots[k]?.dispose()
      slots[k] = this.#core.keep(slot)
    }
  }

  /** Sum of the losses and how many were right, as the network is used. */
  measure(inputs: Float32Array, labels: Int32Array): Omit<BatchLoss, 'gradient'> {
    const core = this.#core
    const outputs = core.tidy(() => {
      const x = core.tensor(inputs, [labels.length, ...this.#shape], 'float32')
      return this.#model.apply(x) as Tensor
    })
    const { loss, right } = crossEntropy(outputs.dataSync() as Float32Array, labels, {
      ...this.#loss,
      labelSmoothing: 0,
    })
    outputs.dispose()
    return { loss, right }
  }

  /** Copies of all weights, those that are not trained too, in the order of the model. */
  weights(): readonly Float32Array[] {
    return this.#model.weights.map((weight) => copyOf(weight.read()))
  }

  setWeights(arrays: readonly Float32Array[]): void {
    for (const [i, weight] of this.#model.weights.entries()) {
      const value = this.#tensor(arrays[i] as Float32Array, weight.read())
      weight.write(value)
      value.dispose()
    }
  }

  /** Copies of the optimiser's state. */
  slots(): readonly Float32Array[] {
    return this.#slots.flat().map(copyOf)
  }

  setSlots(arrays: readonly Float32Array[]): void {
    let at = 0
    for (const slots of this.#slots) {
      const made = slots.map((slot) => this.#tensor(arrays[at++] as Float32Array, slot))
      this.#replace(slots, made)
    }
  }

  #tensor(array: Float32Array, { shape, dtype }: Tensor): Tensor {
    return this.#core.tensor(Float32Array.from(array), shape, dtype)
  }

  /** Frees the optimiser's state. */
  dispose(): void {
    for (const slot of this.#slots.flat()) slot.dispose()
  }

  /** How long the arrays of a checkpoint must be: weights first, then the optimiser's. */
  get lengths(): readonly number[] {
    const weights = this.#model.weights.map((weight) => weight.read().size)
    return [...weights, ...this.#slots.flat().map(({ size }) => size)]
  }
}

const copyOf = (tensor: Tensor) => Float32Array.from(tensor.dataSync())

function divergedAt(step: number, loss: number, learningRate: number): LowbitError {
  const message = `step ${step}: the loss is ${loss}, a finite number expected; a lower learning rate than ${learningRate} may help`
  return new LowbitError('NOT_FINITE', message, { actual: loss })
}

/** Such a model gives probabilities; others are taken to give logits. */
function endsInSoftmax(model: LayersModel): boolean {
  const last = model.layers.at(-1)
  if (last === undefined) return false
  return last.getClassName() === 'Softmax' || last.getConfig()['activation'] === 'softmax'
}

/** @throws {LowbitError} `SHAPE_MISMATCH`, `INPUT_COUNT` for a model that does not fit the data; `OPTION_INVALID` on another backend. */
export function checkModel(model: LayersModel, { name, shape, classes }: Dataset): void {
  const backend = requireTfjs<CoreModule>('core').getBackend()
  if (backend !== BACKEND) {
    const message = `the backend is ${backend}; tf.setBackend('${BACKEND}') expected before`
    throw new LowbitError('OPTION_INVALID', message, { expected: BACKEND, actual: backend })
  }
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    const message = `the model has ${model.inputs.length} inputs and ${model.outputs.length} outputs; one of each expected`
    throw new LowbitError('INPUT_COUNT', message, { expected: 1 })
  }
  const pairs = [
    ['takes inputs', model.inputs[0]?.shape.slice(1), shape],
    ['gives outputs', model.outputs[0]?.shape.slice(1), [classes]],
  ] as const
  for (const [what, actual, expected] of pairs) {
    if (String(actual) === String(expected)) continue
    const message = `the model ${what} of shape [${actual}], [${expected}] expected for ${name}`
    throw new LowbitError('SHAPE_MISMATCH', message, { expected, actual })
  }
}
