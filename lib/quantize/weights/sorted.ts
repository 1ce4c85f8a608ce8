// Weights in sorted order with running sums, so that the error of a grid costs a few steps a level, not one a weight.

import { firstAtLeast } from './grid.js'

export interface SortedWeights {
  readonly values: Float64Array
  /** Running sums of `values` and of their squares, one entry more than those. */
  readonly sum: Float64Array
  readonly squares: Float64Array
  readonly meanWeight: number
}

/**
 * @param meanWeight How much the square of the summed error counts beside the sum of the squared errors. Independent
 *   inputs of mean m and deviation s make of errors e the output error s² sum(e²) + m² sum(e)². So it is (m / s)²:
 *   0 where a bias takes up the mean error or inputs have none, 1.75 for a normal density behind a ReLU.
 */
export function sortWeights(weights: Float32Array, meanWeight = 0): SortedWeights {
  const values = Float64Array.from(weights).sort()
  const sum = new Float64Array(values.length + 1)
  const squares = new Float64Array(values.length + 1)
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    sum[i + 1] = (sum[i] as number) + value
    squares[i + 1] = (squares[i] as number) + value * value
  }
  return { values, sum, squares, meanWeight }
}

/**
 * Sum of the squared errors of rounding each weight to the nearest of `levels`, and `meanWeight` times their sum squared.
 *
 * @param levels Sorted.
 */
export function squaredError(
  { values, sum, squares, meanWeight }: SortedWeights,
  levels: Float64Array,
): number {
  let from = 0
  let error = 0
  let mean = 0
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i] as number
    const last = i === levels.length - 1
    const to = last ? values.length : firstAtLeast(values, (level + (levels[i + 1] as number)) / 2)
    // Sum of (v - level)² over the weights that round to this level.
    error +=
      (squares[to] as number) -
      (squares[from] as number) -
      2 * level * ((sum[to] as number) - (sum[from] as number)) +
      level * level * (to - from)
    mean += (sum[to] as number) - (sum[from] as number) - level * (to - from)
    from = to
  }
  return error + meanWeight * mean * mean
}
