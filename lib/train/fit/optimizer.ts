// How gradients change the weights. The state lies in plain arrays, so that a checkpoint holds all of it.

import { LowbitError } from '../../errors.js'

export const OPTIMIZER_NAMES = ['adam', 'sgd'] as const
export type OptimizerName = (typeof OPTIMIZER_NAMES)[number]

export interface OptimizerSettings {
  readonly optimizer: OptimizerName
  readonly momentum: number
}

/** One weight tensor's step. */
export interface Update {
  readonly weights: Float32Array
  readonly gradient: Float32Array
  /** What the optimiser keeps of these weights, changed in place. */
  readonly slots: readonly Float32Array[]
  readonly result: Float32Array
  readonly learningRate: number
  readonly decay: number
  /** Counts steps, from 1. */
  readonly step: number
}

export interface Optimizer {
  /** Arrays as long as the weights, 0 at first. */
  readonly slots: number
  update(one: Update): void
}

/** @throws {LowbitError} `OPTION_INVALID` for another name. */
export function optimizerOf({ optimizer, momentum }: OptimizerSettings): Optimizer {
  if (optimizer === 'adam') return { slots: 2, update: adam }
  if (optimizer === 'sgd') return { slots: 1, update: (one) => sgd(one, momentum) }
  const message = `optimizer: ${OPTIMIZER_NAMES.join(' or ')} expected, not ${optimizer}`
  throw new LowbitError('OPTION_INVALID', message, { expected: OPTIMIZER_NAMES, actual: optimizer })
}

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7]

/** Kingma and Ba 2015, algorithm 1, as Keras has it; weights decay apart from the gradient (Loshchilov and Hutter 2019). */
function adam({ weights, gradient, slots, result, learningRate, decay, step }: Update): void {
  const [mean, square] = slots as [Float32Array, Float32Array]
  const round = Math.fround
  // Keras 2.x, adam.py: the corrections of both moments in one factor.
  const rate = round((learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step))
  const kept = round(1 - learningRate * decay)
  const [one, two, epsilon] = [round(1 - BETA1), round(1 - BETA2), round(EPSILON)]
  for (let i = 0; i < weights.length; i++) {
    const g = gradient[i] as number
    const m = round((mean[i] as number) + round(round(g - (mean[i] as number)) * one))
    const v = round((square[i] as number) + round(round(round(g * g) - (square[i] as number)) * two))
    mean[i] = m
    square[i] = v
    const change = round(round(rate * m) / round(round(Math.sqrt(v)) + epsilon))
    result[i] = round(round(kept * (weights[i] as number)) - change)
  }
}

/** Nesterov's momentum as Sutskever et al. 2013 rewrite it and Keras has it; the decay is part of the gradient. */
function sgd({ weights, gradient, slots, result, learningRate, decay }: Update, momentum: number): void {
  const [speed] = slots as [Float32Array]
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i] as number
    const change = learningRate * ((gradient[i] as number) + decay * w)
    const v = Math.fround(momentum * (speed[i] as number) - change)
    speed[i] = v
    result[i] = w + momentum * v - change
  }
}
