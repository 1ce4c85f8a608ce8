// Weights in sorted order with running sums, so that the error of a grid costs a few steps a level, not one a weight.

import { firstAtLeast } from './grid.js'

export interface SortedWeights {
  readonly values: Float64Array
  /** Running sums of `values` and of their squares, one entry more than those. */
  readonly sum: Float64Array
  readonly squares: Float64Array
  /** What the squared sum of the errors counts beside the sum of their squares. */
  readonly shiftWeight: number
}

/**
 * `shiftWeight` of weights that are rounded to the nearest. For independent inputs the squared error of the output is
 * variance * (sum of squares) + mean² * (sum)²; behind a ReLU a normal distribution about zero keeps the mean
 * 1 / sqrt(2 pi) and the variance 1 / 2 - 1 / (2 pi). Also where a bias takes up the mean error: inputs that rise and fall
 * together need small sums all the same. Adaptive rounding knows the inputs and needs none of it.
 */
export const RECTIFIED_SHIFT_WEIGHT = 1 / (Math.PI - 1)

export function sortWeights(weights: Float32Array, shiftWeight = 0): SortedWeights {
  const values = Float64Array.from(weights).sort()
  const sum = new Float64Array(values.length + 1)
  const squares = new Float64Array(values.length + 1)
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    sum[i + 1] = (sum[i] as number) + value
    squares[i + 1] = (squares[i] as number) + value * value
  }
  return { values, sum, squares, shiftWeight }
}

/**
 * What rounding each weight to the nearest of `levels` errs: the sum of the squared errors, and `shiftWeight` times the
 * square of their sum.
 *
 * @param levels Sorted.
 */
export function roundingError(
  { values, sum, squares, shiftWeight }: SortedWeights,
  levels: Float64Array,
): number {
  let from = 0
  let error = 0
  let shift = 0
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i] as number
    const last = i === levels.length - 1
    const to = last ? values.length : firstAtLeast(values, (level + (levels[i + 1] as number)) / 2)
    // Sum of (v - level)² over the weights that round to this level.
    const part = (sum[to] as number) - (sum[from] as number)
    error +=
      (squares[to] as number) - (squares[from] as number) - 2 * level * part + level * level * (to - from)
    shift += part - level * (to - from)
    from = to
  }
  return error + shiftWeight * shift * shift
}
