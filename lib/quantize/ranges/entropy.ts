// The range whose codes keep most of the information: the least relative entropy of the values before and after.
//
// Migacz, "8-bit inference with TensorRT", GTC 2017: one threshold for the magnitudes of both sides. An end that is
// nearer to zero than the threshold stays, so that asymmetric codes span no more than the values do.

import { Histogram, type HistogramCounts } from './histogram.js'
import type { Observer, ValueRange } from './observer.js'

/** Shares of the largest magnitude that are tried as threshold. */
const SHARES = Array.from({ length: 99 }, (_, i) => 1 - i / 100)

/** @param codes Codes that the range will be spread over. */
export function entropyObserver(codes: number): Observer {
  const histogram = new Histogram()
  return {
    add: (values) => histogram.add(values),
    range: () => leastDivergence(histogram.result(), codes),
  }
}

function leastDivergence(histogram: HistogramCounts, codes: number): ValueRange {
  const { min, max } = histogram
  let best: ValueRange = { min, max }
  let least = Number.POSITIVE_INFINITY
  for (const share of SHARES) {
    const threshold = share * Math.max(max, -min)
    const range = { min: Math.max(min, -threshold), max: Math.min(max, threshold) }
    const divergence = divergenceOf(histogram, range, codes)
    if (!(divergence < least)) continue
    best = range
    least = divergence
  }
  return best
}

/**
 * Of the counts with what lies beyond moved into the outermost bins that have any, from the counts spread evenly over
 * each code. (A bin that only outliers fall into would make every clipped range infinitely bad.)
 */
function divergenceOf({ width, first, counts }: HistogramCounts, range: ValueRange, codes: number): number {
  const low = Math.max(Math.floor(Math.min(range.min, 0) / width) - first, 0)
  const high = Math.min(Math.ceil(Math.max(range.max, 0) / width) - first, counts.length)
  const inside = counts.slice(low, high)
  const [lowest, highest] = [inside.findIndex(isFilled), inside.findLastIndex(isFilled)]
  if (lowest < 0) return Number.POSITIVE_INFINITY
  const spread = spreadOverCodes(inside, Math.min(codes, inside.length))
  inside[lowest] = (inside[lowest] as number) + sum(counts.subarray(0, low))
  inside[highest] = (inside[highest] as number) + sum(counts.subarray(high))
  const [total, kept] = [sum(inside), sum(spread)]
  return inside.reduce((divergence, count, i) => {
    if (count === 0) return divergence
    const [before, after] = [count / total, (spread[i] as number) / kept]
    return divergence + before * Math.log(before / after)
  }, 0)
}

function isFilled(count: number): boolean {
  return count > 0
}

/** What is left of the counts once values have codes: each code's counts evenly over those of its bins that had any. */
function spreadOverCodes(inside: Float64Array, codes: number): Float64Array {
  const result = new Float64Array(inside.length)
  for (let code = 0; code < codes; code++) {
    const from = Math.floor((code * inside.length) / codes)
    const to = Math.floor(((code + 1) * inside.length) / codes)
    const part = inside.subarray(from, to)
    const filled = part.filter(isFilled).length
    const share = filled === 0 ? 0 : sum(part) / filled
    for (let i = from; i < to; i++) result[i] = isFilled(inside[i] as number) ? share : 0
  }
  return result
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
