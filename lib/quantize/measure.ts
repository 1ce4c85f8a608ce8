// How far the quantised model's numbers lie from the float model's, tensor by tensor.

import type { TensorRecord } from '../model/model.js'
import type { Histogram, OutputReport, Range } from './report.js'
import { CODE_RANGES, CODE_TYPES } from './rules.js'

const BINS = 64

/** Compares two sequences of numbers, piece by piece. */
export class Comparison {
  readonly #span: Range
  readonly #before = new Float64Array(BINS)
  readonly #after = new Float64Array(BINS)
  #signal = 0
  #noise = 0
  #count = 0
  #clipped = 0
  maxError = 0

  /**
   * @param span Over which the histograms go.
   * @param range Numbers more than half a step beyond count as clipped.
   */
  constructor(
    span: Range,
    readonly range: Range = span,
    readonly step = 0,
  ) {
    this.#span = span
  }

  add(before: Float32Array, after: Float32Array): void {
    const { min, max } = this.#span
    const perBin = max > min ? BINS / (max - min) : 0
    const [low, high] = [this.range.min - this.step / 2, this.range.max + this.step / 2]
    let [signal, noise, most, clipped] = [0, 0, this.maxError, 0]
    // Every number of every layer comes by here: no closures, no arrays.
    for (let i = 0; i < before.length; i++) {
      const x = before[i] as number
      const y = after[i] as number
      const error = x - y
      signal += x * x
      noise += error * error
      if (Math.abs(error) > most) most = Math.abs(error)
      if (x < low || x > high) clipped++
      addOne(this.#before, (x - min) * perBin)
      addOne(this.#after, (y - min) * perBin)
    }
    this.#signal += signal
    this.#noise += noise
    this.#count += before.length
    this.#clipped += clipped
    this.maxError = most
  }

  get clippedShare(): number {
    return this.#count === 0 ? 0 : this.#clipped / this.#count
  }

  /** Signal to quantisation noise in decibels; null where there is no noise, or no signal. */
  get sqnrDb(): number | null {
    return sqnrDb(this.#signal, this.#noise)
  }

  get histogram(): Histogram {
    return { ...this.#span, before: [...this.#before], after: [...this.#after] }
  }
}

export function sqnrDb(signal: number, noise: number): number | null {
  return noise === 0 || signal === 0 ? null : 10 * Math.log10(signal / noise)
}

/** The report on a computed tensor that is codes; undefined where it stays as it was. */
export function outputReport(
  tensor: TensorRecord,
  seen: Range,
  comparison: Comparison,
): OutputReport | undefined {
  const codes = codesOfTensor(tensor)
  if (codes === undefined) return undefined
  const { clippedShare, sqnrDb: db, maxError, histogram, range } = comparison
  return { ...codes, seen, range, clippedShare, sqnrDb: db, maxError, histogram }
}

/** Type, scale and zero point of a computed tensor of codes. */
export function codesOfTensor({ dtype, quantization }: TensorRecord) {
  const type = CODE_TYPES.find((one) => one === dtype)
  if (type === undefined || quantization === undefined) return undefined
  return { type, scale: quantization.scale[0] as number, zeroPoint: quantization.zeroPoint[0] ?? 0 }
}

/** The real values that the codes of a tensor reach to; all numbers where it has none. */
export function codedRange(tensor: TensorRecord): Range {
  const codes = codesOfTensor(tensor)
  if (codes === undefined) return { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY }
  const { low, high } = CODE_RANGES[codes.type]
  return { min: codes.scale * (low - codes.zeroPoint), max: codes.scale * (high - codes.zeroPoint) }
}

/** Counts in the bin that a place lies in; what lies outside counts in the outermost ones. */
function addOne(counts: Float64Array, place: number): void {
  const bin = place >= BINS ? BINS - 1 : place > 0 ? Math.floor(place) : 0
  counts[bin] = (counts[bin] as number) + 1
}
