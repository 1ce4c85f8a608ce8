// The range with the smallest mean squared error, of clipping what lies beyond it and of rounding within.

import { Histogram, type HistogramCounts } from './histogram.js'
import type { Observer, ValueRange } from './observer.js'

/** Shares of each end that are tried. */
const SHARES = Array.from({ length: 100 }, (_, i) => 1 - i / 100)

/** @param codes Codes that the range will be spread over. */
export function errorObserver(codes: number): Observer {
  const histogram = new Histogram()
  return {
    add: (values) => histogram.add(values),
    range: () => leastError(histogram.result(), codes),
  }
}

function leastError(histogram: HistogramCounts, codes: number): ValueRange {
  const { min, max } = histogram
  const error = errorOf(histogram, codes)
  const best = (ranges: readonly ValueRange[]) =>
    ranges.reduce((found, range) => (error(range) < error(found) ? range : found))
  let range = { min, max }
  // One end after the other, twice: clipping one makes the steps finer, and so the other's clipping less worth it.
  for (let round = 0; round < 2; round++) {
    const { min: low } = range
    range = best(SHARES.map((share) => ({ min: low, max: max > 0 ? max * share : max })))
    const { max: high } = range
    range = best(SHARES.map((share) => ({ min: min < 0 ? min * share : min, max: high })))
  }
  return range
}

/** Sum of the squared errors that a range causes: rounding makes step² / 12 of each value that is not zero. */
function errorOf({ width, first, counts }: HistogramCounts, codes: number): (range: ValueRange) => number {
  return ({ min, max }) => {
    const [low, high] = [Math.min(min, 0), Math.max(max, 0)]
    const step = (high - low) / (codes - 1)
    const rounding = (step * step) / 12
    let error = 0
    for (let i = 0; i < counts.length; i++) {
      const value = (first + i + 0.5) * width
      const beyond = value > high ? value - high : value < low ? low - value : 0
      error += (counts[i] as number) * Math.max(beyond * beyond, rounding)
    }
    return error
  }
}
