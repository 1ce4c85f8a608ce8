// Whether two contenders do the same work: the losses of their first steps, within what rounding allows.

import { CHECKED_STEPS, type Problem } from './problem.js'

/** Of float32. */
const U = 2 ** -24
/** Steps of a grid of 8 bits. */
const GRID = 255

/** Products that are added up for one output of each layer, one layer after the other. */
const fanIns = ({ weights }: Problem) =>
  weights.reduce(
    (sum, { shape }) => sum + (shape.length > 1 ? shape.slice(0, -1).reduce((a, b) => a * b) : 0),
    0,
  )

/** Products that are added up for one number of the widest gradient: a place of each picture for the first filter. */
const gradientTerms = ({ batch, image: [height, width], weights }: Problem) => {
  const [kh = 1, kw = 1] = weights[0]?.shape ?? []
  return batch * (height - kh + 1) * (width - kw + 1)
}

/**
 * What the loss of each step may differ by. A sum of n products errs by at most n 2^-24 of their sizes: forth, this adds up
 * over the layers; back, it is the share by which a gradient, and so what a step takes off the loss, may differ.
 */
export function tolerances(problem: Problem, losses: readonly number[]): number[] {
  const forth = fanIns(problem) * U
  const back = gradientTerms(problem) * U
  let moved = 0
  return losses.map((loss, i) => {
    if (i > 0) moved += Math.abs(loss - (losses[i - 1] as number))
    return forth * Math.abs(loss) + back * moved
  })
}

/**
 * Quantisation-aware: the first loss alone, which the grids of the inputs, and of the weights and outputs of each layer,
 * move by half a step of the greatest magnitude each; the loss of the same step in float is `loss`.
 */
export function gridTolerance({ weights }: Problem, loss: number): number {
  const layers = weights.length / 2
  return ((2 * layers + 1) / (2 * GRID)) * loss
}

/** What is wrong with the losses of a contender, in words. */
export function difference(
  problem: Problem,
  losses: readonly number[],
  expected: readonly number[],
  isOnGrid: boolean,
): string | undefined {
  const allowed = isOnGrid ? [gridTolerance(problem, expected[0] as number)] : tolerances(problem, expected)
  for (const [i, loss] of losses.entries()) {
    const [want, most] = [expected[i], allowed[i]]
    if (!Number.isFinite(loss)) return `the loss of step ${i + 1} is ${loss}`
    if (want === undefined || most === undefined || Math.abs(loss - want) <= most) continue
    return `the loss of step ${i + 1} is ${loss}, ${want} within ${most.toPrecision(2)} expected`
  }
  if (losses.length === 0 || losses.length > CHECKED_STEPS) return `${losses.length} losses were told`
  if (losses.length > 1 && (losses.at(-1) as number) >= (losses[0] as number)) return 'the loss does not fall'
  return undefined
}
