// How gradients change the weights: the backend's native step, with all of the state in tensors that a checkpoint holds.

import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import { LowbitError } from '../../errors.js'
import { METHODS, UPDATE } from '../backend/optimisers.js'
import type { CoreModule } from '../backend/tfjs.js'

export const OPTIMIZER_NAMES = ['adam', 'sgd'] as const
export type OptimizerName = (typeof OPTIMIZER_NAMES)[number]

export interface OptimizerSettings {
  readonly optimizer: OptimizerName
  readonly momentum: number
}

export interface Rates {
  readonly learningRate: number
  readonly decay: number
  /** Counts steps, from 1. */
  readonly step: number
}

export interface Optimizer {
  /** Tensors as large as the weights, 0 at first. */
  readonly slots: number
  /** New weights, then new slots. */
  update(
    core: CoreModule,
    weights: Tensor,
    gradient: Tensor,
    slots: readonly Tensor[],
    rates: Rates,
  ): Tensor[]
}

/** @throws {LowbitError} `OPTION_INVALID` for another name. */
export function optimizerOf({ optimizer, momentum }: OptimizerSettings): Optimizer {
  if (optimizer === 'adam') return adam
  if (optimizer === 'sgd') return sgd(momentum)
  const message = `optimizer: ${OPTIMIZER_NAMES.join(' or ')} expected, not ${optimizer}`
  throw new LowbitError('OPTION_INVALID', message, { expected: OPTIMIZER_NAMES, actual: optimizer })
}

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7]

/** Kingma and Ba 2015, algorithm 1; weights decay apart from the gradient (Loshchilov and Hutter 2019). */
const adam: Optimizer = {
  slots: 2,
  update(core, weights, gradient, [m, v], { learningRate, decay, step }) {
    const w = decay > 0 ? core.mul(weights, 1 - learningRate * decay) : weights
    const numbers = Float32Array.of(
      ...[-learningRate, BETA1, 1 - BETA1, 1 - BETA1 ** step],
      ...[BETA2, 1 - BETA2, 1 - BETA2 ** step, EPSILON],
    )
    return run(core, { w, g: gradient, m: m as Tensor, v: v as Tensor }, METHODS.adam, numbers)
  },
}

/** Nesterov's momentum (Sutskever et al. 2013); the decay is part of the gradient. */
const sgd = (momentum: number): Optimizer => ({
  slots: 1,
  update(core, weights, gradient, [m], { learningRate, decay }) {
    const g = decay > 0 ? core.add(gradient, core.mul(weights, decay)) : gradient
    const numbers = Float32Array.of(-learningRate, momentum)
    return run(core, { w: weights, g, m: m as Tensor }, METHODS.nesterov, numbers)
  },
})

function run(
  core: CoreModule,
  inputs: Record<string, Tensor>,
  method: number,
  numbers: Float32Array,
): Tensor[] {
  const attrs = { method, numbers } as never
  return core.engine().runKernel(UPDATE, inputs as NamedTensorMap, attrs) as Tensor[]
}
