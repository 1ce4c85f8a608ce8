// Recipes by name.

import type { Recipe } from './recipe.js'

/** The layers that have weights to quantise. */
const LAYERS = ['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED', 'TRANSPOSE_CONV']

export const PRESETS = {
  /** Weights and activations of 8 bits, weights with a scale for each output channel. */
  int8: { version: 1, name: 'int8', rules: [], repairs: { biasCorrection: 'analytic' } },
  /** Weights of 8 bits; activations are float32 and quantised in the run. Needs no samples. */
  'int8-dynamic': { version: 1, name: 'int8-dynamic', rules: [{ activations: { type: 'dynamic' } }] },
  /** Weights of 8 bits, activations of 16. */
  int16x8: {
    version: 1,
    name: 'int16x8',
    rules: [{ activations: { type: 'int16' } }],
    repairs: { biasCorrection: 'analytic' },
  },
  /** Weights of 4 bits with the repairs that they need, activations of 8 bits. */
  'int4-weights': {
    version: 1,
    name: 'int4-weights',
    rules: [{ ops: LAYERS, weights: { bits: 4, clip: 'mse', rounding: 'adaptive' } }],
    repairs: { biasCorrection: 'empirical' },
  },
  /** Weights with 16 values a channel along two slopes, stored as int8; activations of 8 bits. */
  pwlq4: {
    version: 1,
    name: 'pwlq4',
    rules: [{ ops: LAYERS, weights: { bits: 4, method: 'piecewise', clip: 'mse', rounding: 'adaptive' } }],
    repairs: { biasCorrection: 'empirical' },
  },
} as const satisfies Record<string, Recipe>

export type PresetName = keyof typeof PRESETS
