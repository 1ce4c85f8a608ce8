// Which of its grid's levels each weight becomes: the nearest, or such that the layer's output errs least.

import { nearestLevel } from './grid.js'
import type { ErrorNorm } from './norm.js'

/** Index of the nearest level for each weight; `levelsOf` has the levels of a column, sorted. */
export function roundNearest(values: Float32Array, levelsOf: (column: number) => Float64Array): Uint8Array {
  return values.reduce((chosen, value, column) => {
    chosen[column] = nearestLevel(levelsOf(column), value)
    return chosen
  }, new Uint8Array(values.length))
}

/** Passes over a row; the loss falls in each, and hardly any row needs half as many. */
const MOST_PASSES = 20

/**
 * Indices of levels that make (w - q)ᵀ H (w - q) small, with w one row of weights and H the second moments
 * of the layer's inputs: the mean squared error of its output.
 *
 * First one weight after the other, those of the largest inputs first, each the nearest to what mends the errors of
 * those before it (the order of GPTQ, Frantar et al., ICLR 2023; the same as Babai's nearest plane). Then weights move
 * one at a time to the level that errs least beside all others, until none moves. The objective is that of AdaRound
 * (Nagel et al., ICML 2020, equation 13); the search is ours, and needs neither gradients nor steps to choose.
 *
 * @param levelsOf The levels that the weight of a column may take.
 */
export function roundAdaptive(
  values: Float32Array,
  levelsOf: (column: number) => Float64Array,
  norm: ErrorNorm,
): Uint8Array {
  const start = (): Row => ({
    values,
    levelsOf,
    chosen: new Uint8Array(values.length),
    errors: new Float64Array(values.length),
  })
  const [ordered, nearest] = [start(), start()]
  roundInOrder(ordered, norm)
  values.forEach((value, column) => {
    choose(nearest, column, value)
  })
  // The order nearly always wins, but only the nearest levels make sure that nothing is worse than they are.
  return descend(ordered, norm) <= descend(nearest, norm) ? ordered.chosen : nearest.chosen
}

interface Row {
  readonly values: Float32Array
  levelsOf(column: number): Float64Array
  /** Of each column. */
  readonly chosen: Uint8Array
  /** w - q of each column. */
  readonly errors: Float64Array
}

function choose({ values, levelsOf, chosen, errors }: Row, column: number, target: number): void {
  const levels = levelsOf(column)
  const index = nearestLevel(levels, target)
  chosen[column] = index
  errors[column] = (values[column] as number) - (levels[index] as number)
}

/** With H = Rᵀ R, R upper triangular, the loss is the sum of (R_ii e_i + sum over j > i of R_ij e_j)², settled from the last i on. */
function roundInOrder(row: Row, { columns, order, factor }: ErrorNorm): void {
  const { values, errors } = row
  for (let i = columns - 1; i >= 0; i--) {
    const column = order[i] as number
    const line = i * columns
    let carried = 0
    for (let j = i + 1; j < columns; j++) {
      carried += (factor[line + j] as number) * (errors[order[j] as number] as number)
    }
    choose(row, column, (values[column] as number) + carried / (factor[line + i] as number))
  }
}

/** @returns The loss. */
function descend(row: Row, { columns, matrix }: ErrorNorm): number {
  const { values, chosen, errors, levelsOf } = row
  const gradient = new Float64Array(columns)
  for (let i = 0; i < columns; i++) addTimes(gradient, errors[i] as number, matrix, i * columns)
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    let moved = 0
    for (let i = 0; i < columns; i++) {
      const before = errors[i] as number
      const current = chosen[i] as number
      // The real value at which this weight, with all others as they are, errs least.
      const target =
        (values[i] as number) - before + (gradient[i] as number) / (matrix[i * columns + i] as number)
      if (nearestLevel(levelsOf(i), target) === current) continue
      choose(row, i, target)
      addTimes(gradient, (errors[i] as number) - before, matrix, i * columns)
      moved++
    }
    if (moved === 0) break
  }
  return errors.reduce((loss, error, i) => loss + error * (gradient[i] as number), 0)
}

/** sum += factor * (the row of `matrix` that begins at `from`) */
function addTimes(sum: Float64Array, factor: number, matrix: Float64Array, from: number): void {
  for (let j = 0; j < sum.length; j++) sum[j] = (sum[j] as number) + factor * (matrix[from + j] as number)
}
