// What the parts of training hand each other.

import type { LayersModel } from '@tensorflow/tfjs-layers'

/** The grid that training chose for a tensor: real = scale * (code - zeroPoint). One scale per tensor, or one per output channel (`axis` of the tfjs weight tensor). */
export interface LearnedGrid {
  readonly bits: 8 | 4 | 3 | 2
  readonly scales: Float32Array
  readonly zeroPoints: Int32Array
  readonly axis?: number
}

/** By name: activations under the name of the tfjs layer whose output they are (after its activation; inputs under their InputLayer's name), weights under the name of the layer in `model`. */
export interface LearnedQuantization {
  readonly activations: ReadonlyMap<string, LearnedGrid>
  readonly weights: ReadonlyMap<string, LearnedGrid>
}

/**
 * A model with fake quantisers, ready for `fit`: `model` trains; `freeze()` folds batch norms for good and fixes ranges; `learned()` says the grids; `float()` gives the plain layers model (batch norms folded, same layer names,
 * no quantisers) whose weights, laid on the grids, are what `model` computes with. `dispose()` frees.
 */
export interface QuantizeAware {
  readonly model: LayersModel
  freeze(): void
  learned(): LearnedQuantization
  float(): LayersModel
  dispose(): void
}
