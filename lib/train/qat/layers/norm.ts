// Batch normalisation as part of the layer before it.
//
// The weights that are laid on a grid are w * factor with factor = gamma / sqrt(moving variance + epsilon), as the file
// will have them. In a training step the sums are divided by the factor again and normalised by the batch's own mean
// and variance, so that the network learns as with an ordinary batch norm; with the moving statistics (inference, and
// after `freeze`) the two cancel out and only a bias is left.

import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type { LayerVariable } from '@tensorflow/tfjs-layers'
import { tensorflow } from '../fake-quantize.js'

export interface NormConfig {
  readonly epsilon: number
  readonly momentum: number
  readonly hasGamma: boolean
  readonly hasBeta: boolean
}

/** The variables of a folded batch norm. */
export interface FoldedNorm {
  readonly gamma: LayerVariable | undefined
  readonly beta: LayerVariable | undefined
  readonly mean: LayerVariable
  readonly variance: LayerVariable
}

type AddVariable = (name: string, kind: 'zeros' | 'ones', isTrained: boolean) => LayerVariable

/** A factor nearer to 0 is not divided by: its channel is a constant, whatever its weights. */
const LEAST_FACTOR = 1e-12

export class NormFolding implements FoldedNorm {
  readonly gamma: LayerVariable | undefined
  readonly beta: LayerVariable | undefined
  readonly mean: LayerVariable
  readonly variance: LayerVariable
  readonly #config: NormConfig
  readonly #core = tensorflow()

  constructor(config: NormConfig, add: AddVariable) {
    this.#config = config
    this.gamma = config.hasGamma ? add('gamma', 'ones', true) : undefined
    this.beta = config.hasBeta ? add('beta', 'zeros', true) : undefined
    this.mean = add('moving_mean', 'zeros', false)
    this.variance = add('moving_variance', 'ones', false)
  }

  /** What a channel of the weights is multiplied with, by the moving statistics. */
  factor(): Tensor {
    const deviation = this.#core.sqrt(this.#core.add(this.variance.read(), this.#config.epsilon))
    return this.#core.div(this.gamma?.read() ?? this.#core.onesLike(deviation), deviation)
  }

  /** The same as a constant: a training step divides it out again, so that it has no gradient but that of rounding. */
  constantFactor(): Tensor {
    const values = this.factor().dataSync().slice()
    return this.#core.tensor1d(values as Float32Array)
  }

  /** @param own Bias of the layer itself. */
  bias(factor: Tensor, own: Tensor | undefined): Tensor {
    const { mean, beta } = this
    const shift = own === undefined ? this.#core.neg(mean.read()) : this.#core.sub(own, mean.read())
    const scaled = this.#core.mul(shift, factor)
    return beta === undefined ? scaled : this.#core.add(scaled, beta.read())
  }

  /** Sums of weights that hold `factor`, normalised by their own mean and variance; moving statistics follow. */
  applyBatch(sums: Tensor, factor: Tensor, own: Tensor | undefined): Tensor {
    const core = this.#core
    const inverse = core.tensor1d(
      Float32Array.from(factor.dataSync() as Float32Array, (f) => (Math.abs(f) < LEAST_FACTOR ? 0 : 1 / f)),
    )
    const axes = sums.shape.slice(0, -1).map((_, axis) => axis)
    const { mean, variance } = core.moments(sums, axes)
    const trueVariance = core.mul(variance, core.square(inverse))
    this.#follow(core.mul(mean, inverse), trueVariance, own)
    const gain = this.gamma === undefined ? inverse : core.mul(this.gamma.read(), inverse)
    const { epsilon } = this.#config
    return core.batchNorm(
      sums,
      mean as Tensor1D,
      trueVariance as Tensor1D,
      this.beta?.read() as Tensor1D | undefined,
      gain as Tensor1D,
      epsilon,
    )
  }

  #follow(mean: Tensor, variance: Tensor, own: Tensor | undefined): void {
    this.#average(this.mean, own === undefined ? mean : this.#core.add(mean, own))
    this.#average(this.variance, variance)
  }

  #average(variable: LayerVariable, now: Tensor): void {
    const before = variable.read()
    const { momentum } = this.#config
    variable.write(this.#core.add(before, this.#core.mul(this.#core.sub(now, before), 1 - momentum)))
  }
}
