// What watches a tensor over all samples and then says which range its codes should span.

import type { RangeMethod } from '../../recipe/recipe.js'
import { minMaxObserver, movingAverageObserver } from './ends.js'
import { entropyObserver } from './entropy.js'
import { errorObserver } from './mse.js'
import { percentileObserver } from './percentile.js'

export interface ValueRange {
  readonly min: number
  readonly max: number
}

export interface Observer {
  /**
   * Values of the tensor in one run.
   *
   * @throws {LowbitError} `NOT_FINITE`.
   */
  add(values: Float32Array): void
  /** Of what was added so far; 0 to 0 if nothing was. It need not hold zero. */
  range(): ValueRange
}

export interface ObserverSettings {
  readonly range: RangeMethod
  /** Share of the values that lie within, for `percentile`: 0 to 1. */
  readonly percentile: number
  /** Codes that the range will be spread over: 256 for 8 bits. */
  readonly codes: number
}

export function createObserver({ range, percentile, codes }: ObserverSettings): Observer {
  switch (range) {
    case 'minmax':
      return minMaxObserver()
    case 'moving-average':
      return movingAverageObserver()
    case 'percentile':
      return percentileObserver(percentile)
    case 'entropy':
      return entropyObserver(codes)
    case 'mse':
      return errorObserver(codes)
  }
}
