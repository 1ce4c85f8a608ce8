// How much of a range is given up so that the rest is finer: candidates of a scale, and the choice among them.

import { fillLevels, type GridCandidate } from './grid.js'
import { roundingError, type SortedWeights } from './sorted.js'

export type Clip = 'max' | 'mse'

/** Shares of the full range that a search tries; below a fifth clipping errs more than any rounding of 2 bits. */
const SHARES = Array.from({ length: 41 }, (_, i) => 1 - 0.02 * i)

/** Shares of the largest magnitude that the grid's end may be put at. */
export function clipShares(clip: Clip): readonly number[] {
  return clip === 'max' ? [1] : SHARES
}

/** The grid that errs least; of several the first. */
export function bestGrid<T extends GridCandidate>(weights: SortedWeights, candidates: Iterable<T>): T {
  let best: T | undefined
  let least = Number.POSITIVE_INFINITY
  let levels = new Float64Array(0)
  for (const candidate of candidates) {
    const { length } = candidate.codes
    if (levels.length !== length) levels = new Float64Array(length)
    fillLevels(levels, candidate)
    const error = roundingError(weights, levels)
    if (best !== undefined && !(error < least)) continue
    best = candidate
    least = error
  }
  if (best === undefined) throw new RangeError('no grid to choose from')
  return best
}
