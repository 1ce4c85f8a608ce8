// A range that leaves out the few largest magnitudes.

import { Histogram } from './histogram.js'
import type { Observer } from './observer.js'

/** @param share Of the values that lie within, 0 to 1; zeros count. */
export function percentileObserver(share: number): Observer {
  const histogram = new Histogram()
  return {
    add: (values) => histogram.add(values),
    range: () => {
      const { min, max, width, first, counts, zeros } = histogram.result()
      // Bins of both sides by their distance from zero.
      const reach = Math.max(first + counts.length, -first)
      const at = (place: number) => counts[place - first] ?? 0
      const total = counts.reduce((sum, count) => sum + count, zeros)
      let within = zeros
      let bins = 0
      while (bins < reach && within < share * total) {
        within += at(bins) + at(-1 - bins)
        bins++
      }
      return { min: Math.max(min, -bins * width), max: Math.min(max, bins * width) }
    },
  }
}
