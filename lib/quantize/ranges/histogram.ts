// Counts of values in equal bins that grow with what comes: one pass, whatever the values are.

import { endsOf } from './ends.js'
import type { ValueRange } from './observer.js'

/** The bins are at least half as many, once there are values, and twice as many at most: one set on each side of 0. */
const BINS = 4096

/**
 * Bin i of `counts` holds the values in [(first + i) * width, (first + i + 1) * width). Zeros are not in the bins:
 * every range has a code for them, and behind a ReLU they would hide all else.
 */
export interface HistogramCounts extends ValueRange {
  readonly width: number
  readonly first: number
  readonly counts: Float64Array
  readonly zeros: number
}

export class Histogram {
  /** A power of two, so that bins merge in pairs without a rest; 0 as long as all values were 0. */
  #width = 0
  #first = 0
  #counts = new Float64Array(0)
  #zeros = 0
  #ends: ValueRange | undefined

  /** @throws {LowbitError} `NOT_FINITE`. */
  add(values: Float32Array): void {
    if (values.length === 0) return
    const { min, max } = endsOf(values)
    const ends = { min: Math.min(min, this.#ends?.min ?? min), max: Math.max(max, this.#ends?.max ?? max) }
    this.#ends = ends
    this.#grow(ends)
    this.#count(values)
  }

  result(): HistogramCounts {
    const { min, max } = this.#ends ?? { min: 0, max: 0 }
    return {
      min,
      max,
      width: this.#width,
      first: this.#first,
      counts: this.#counts.slice(),
      zeros: this.#zeros,
    }
  }

  /** Bins for everything from `min` to `max`; wider ones where they would be too many. */
  #grow({ min, max }: ValueRange): void {
    const reach = Math.max(max, -min)
    if (reach === 0) return
    const width = Math.max(this.#width, 2 ** Math.ceil(Math.log2(reach / BINS)), 2 ** -140)
    const first = Math.floor(Math.min(min, 0) / width)
    const last = Math.floor(Math.max(max, 0) / width)
    const grown = new Float64Array(last - first + 1)
    const factor = this.#width / width
    this.#counts.forEach((count, i) => {
      const place = Math.floor((this.#first + i) * factor) - first
      grown[place] = (grown[place] as number) + count
    })
    this.#width = width
    this.#first = first
    this.#counts = grown
  }

  #count(values: Float32Array): void {
    const [counts, first, inverse] = [this.#counts, this.#first, 1 / this.#width]
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number
      if (value === 0) {
        this.#zeros++
      } else {
        const place = Math.floor(value * inverse) - first
        counts[place] = (counts[place] as number) + 1
      }
    }
  }
}
