// Smallest and largest values, and the observers that need nothing else.

import { LowbitError } from '../../errors.js'
import type { Observer, ValueRange } from './observer.js'

/** @throws {LowbitError} `NOT_FINITE`. */
export function endsOf(values: Float32Array): ValueRange {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (!Number.isFinite(value)) {
      throw new LowbitError('NOT_FINITE', `value ${i} is ${value}, which has no range`, { actual: value })
    }
    if (value < min) min = value
    if (value > max) max = value
  }
  return values.length === 0 ? { min: 0, max: 0 } : { min, max }
}

/** Everything that was seen lies within. */
export function minMaxObserver(): Observer {
  let seen: ValueRange | undefined
  return {
    add: (values) => {
      if (values.length === 0) return
      const { min, max } = endsOf(values)
      seen =
        seen === undefined ? { min, max } : { min: Math.min(seen.min, min), max: Math.max(seen.max, max) }
    },
    range: () => seen ?? { min: 0, max: 0 },
  }
}

/** What a run counts less with each run after it. */
const KEPT = 0.99

/** Averages of the runs' ends, the last ones counting most: one strange sample hardly widens the range. */
export function movingAverageObserver(): Observer {
  let [min, max, total] = [0, 0, 0]
  return {
    add: (values) => {
      if (values.length === 0) return
      const ends = endsOf(values)
      min = KEPT * min + ends.min
      max = KEPT * max + ends.max
      total = KEPT * total + 1
    },
    range: () => (total === 0 ? { min: 0, max: 0 } : { min: min / total, max: max / total }),
  }
}
