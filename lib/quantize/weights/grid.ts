// A grid: the values that some weights may take. Uniform and piecewise codes differ in their grids alone.

/** The real values `scale * (code - zeroPoint)` of a sorted table of codes. */
export interface Grid {
  /** A float32, as the file keeps it. */
  readonly scale: number
  readonly zeroPoint: number
  /** Sorted, each once. */
  readonly codes: Int8Array
  /** Real values of `codes`. */
  readonly levels: Float64Array
}

/** Smaller ones would leave the float32 numbers once they are multiplied with the scale of the inputs. */
const SMALLEST_SCALE = 2 ** -100

/** A grid that is not worked out yet: searches try thousands. */
export type GridCandidate = Omit<Grid, 'levels'>

export function makeGrid(codes: Int8Array, scale: number, zeroPoint = 0): Grid {
  const candidate = { codes, scale: storedScale(scale), zeroPoint }
  const levels = new Float64Array(codes.length)
  fillLevels(levels, candidate)
  return { ...candidate, levels }
}

/** A scale as a float32 that is not too small. 0, of weights that all are, becomes 1. */
export function storedScale(scale: number): number {
  return scale === 0 ? 1 : Math.max(Math.fround(scale), SMALLEST_SCALE)
}

/** The real values of the codes, at the beginning of `levels`. */
export function fillLevels(levels: Float64Array, { codes, scale, zeroPoint }: GridCandidate): void {
  for (let i = 0; i < codes.length; i++) levels[i] = scale * ((codes[i] as number) - zeroPoint)
}

/** All codes from `low` to `high`. */
export function codesBetween(low: number, high: number): Int8Array {
  return Int8Array.from({ length: high - low + 1 }, (_, i) => low + i)
}

/** Index of the level nearest to `value`; of two alike the one further from zero, as `round` has it elsewhere. */
export function nearestLevel(levels: Float64Array, value: number): number {
  const above = firstAtLeast(levels, value)
  if (above === 0) return 0
  if (above === levels.length) return above - 1
  const up = (levels[above] as number) - value
  const down = value - (levels[above - 1] as number)
  if (up === down) return value < 0 ? above - 1 : above
  return up < down ? above : above - 1
}

/** Index of the first of the sorted `values` that is not below `value`; their number if all are. */
export function firstAtLeast(values: Float64Array, value: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
