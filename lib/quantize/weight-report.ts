// The report on the weights of a layer.

import { fromHalf, toHalf } from '../numerics/half.js'
import type { QuantizedRows } from './codes.js'
import { extremes } from './find-codes.js'
import { Comparison } from './measure.js'
import type { QuantizedLayer } from './quantize-layers.js'
import type { Range, WeightReport } from './report.js'

export function weightReport({ values, rows, settings, tensors }: QuantizedLayer): WeightReport {
  const after =
    rows === undefined ? Float32Array.from(values, (value) => fromHalf(toHalf(value))) : realRows(rows)
  const range = rows === undefined ? seenRange(values) : widestRange(rows)
  const comparison = new Comparison(seenRange(values), range)
  comparison.add(values, after)
  return {
    type: tensors.weights.dtype,
    bits: rows === undefined ? 16 : settings.bits,
    method: settings.method,
    granularity: settings.granularity,
    scales: rows?.scale.length ?? 0,
    seen: seenRange(values),
    range,
    clippedShare: rows === undefined ? 0 : clippedShare(values, rows),
    sqnrDb: comparison.sqnrDb,
    maxError: comparison.maxError,
    bytes: { before: 4 * values.length, after: tensors.weights.data?.length ?? 0 },
    histogram: comparison.histogram,
  }
}

const seenRange = (values: Float32Array): Range =>
  values.length === 0 ? { min: 0, max: 0 } : extremes(values)

/** Real values of codes. */
export function realRows({ codes, scale, zeroPoint }: QuantizedRows): Float32Array {
  const span = codes.length / scale.length
  return Float32Array.from(codes, (code, i) => {
    const s = Math.floor(i / span)
    return (scale[s] as number) * (code - (zeroPoint[s] as number))
  })
}

/** What the codes in use reach to, in each span of one scale. */
function reaches({ codes, scale, zeroPoint }: QuantizedRows): readonly Range[] {
  const span = codes.length / scale.length
  return Array.from(scale, (step, s) => {
    let [low, high] = [127, -128]
    for (let i = s * span; i < (s + 1) * span; i++) {
      low = Math.min(low, codes[i] as number)
      high = Math.max(high, codes[i] as number)
    }
    const zero = zeroPoint[s] as number
    return { min: step * (low - zero), max: step * (high - zero) }
  })
}

function widestRange(rows: QuantizedRows): Range {
  const width = ({ min, max }: Range) => max - min
  return reaches(rows).reduce((a, b) => (width(b) > width(a) ? b : a), { min: 0, max: 0 })
}

/** Weights more than half a step beyond the codes in use of their span. */
function clippedShare(values: Float32Array, rows: QuantizedRows): number {
  const span = values.length / rows.scale.length
  const ends = reaches(rows)
  let clipped = 0
  for (const [i, value] of values.entries()) {
    const s = Math.floor(i / span)
    const { min, max } = ends[s] as Range
    const half = (rows.scale[s] as number) / 2
    if (value > max + half || value < min - half) clipped++
  }
  return values.length === 0 ? 0 : clipped / values.length
}
