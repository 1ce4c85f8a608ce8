// What a recipe means where it says nothing.

import type { ActivationSettings, Repairs, WeightSettings } from './recipe.js'

export const DEFAULT_WEIGHTS: WeightSettings = {
  type: 'integer',
  bits: 8,
  scheme: 'symmetric',
  granularity: 'channel',
  groupSize: 32,
  method: 'uniform',
  clip: 'max',
  rounding: 'nearest',
  breakpoint: 'search',
}

export const DEFAULT_ACTIVATIONS: ActivationSettings = {
  type: 'int8',
  scheme: 'asymmetric',
  range: 'minmax',
  percentile: 0.9999,
}

export const DEFAULT_REPAIRS: Required<Repairs> = {
  foldBatchNorm: true,
  equalise: false,
  biasCorrection: 'none',
}

export const DEFAULT_SEED = 1
