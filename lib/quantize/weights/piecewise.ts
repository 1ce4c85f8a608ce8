// Piecewise-linear grids: fine steps about zero where most weights are, coarse steps in the tails.
//
// Fang et al., "Post-Training Piecewise Linear Quantization for Deep Neural Networks", ECCV 2020: two regions that do
// not overlap, [-p, p] and what lies beyond. Here both steps are whole multiples of one int8 step: the codes are
// 0, ±a, ±2a, … ±ka, ±(ka + c), ±(ka + 2c), …, and one more on the longer side makes 2^bits of them, so that the
// tensor is an ordinary int8 tensor, with k steps of a within the breakpoint p = k * a * scale.

import { bestGrid, type Clip, clipShares } from './clip.js'
import { type Grid, type GridCandidate, makeGrid, storedScale } from './grid.js'
import type { SortedWeights } from './sorted.js'

export interface PiecewiseSettings {
  /** 3 to 7. */
  readonly bits: number
  /** Where the slopes meet: the closed form for a Gaussian or a Laplacian, or the smallest squared error. */
  readonly breakpoint: 'gaussian' | 'laplacian' | 'search'
  readonly clip: Clip
}

/** Steps of one table, in int8 steps. */
interface Steps {
  /** Of the inner region, `a`. */
  readonly fine: number
  /** Of the tails, `c`, at least `fine`. */
  readonly coarse: number
  /** Fine steps a side. */
  readonly inner: number
}

const HIGHEST = 127
/** Tails with steps beyond this multiple of the fine one are of no use: they would span the range in one step. */
const MOST_RATIO = 10
/** Shares of the full range that every table is tried with. */
const FEW_SHARES = [1, 0.85, 0.7, 0.55, 0.4]
/** Ratios of two steps are told apart well enough with fine steps up to this. */
const MOST_FINE = 3

/** The table of 2^bits codes, and its scale, that suits some weights best. */
export function piecewiseGrid(weights: SortedWeights, settings: PiecewiseSettings): Grid {
  const { bits, breakpoint, clip } = settings
  const tables =
    breakpoint === 'search' ? allTables(bits) : tablesOf(bits, closedForm(weights, bits, breakpoint))
  // A few shares find the table; only that one sees all of them.
  const shares = clipShares(clip)
  const few = clip === 'max' ? shares : FEW_SHARES
  const rough = bestGrid(weights, gridsOf(weights, tables, few))
  const best = bestGrid(weights, gridsOf(weights, [rough.codes], shares))
  return makeGrid(best.codes, best.scale)
}

/** Tables that a search tries, by bits: the same for every row. */
const searched = new Map<number, readonly Int8Array[]>()

function allTables(bits: number): readonly Int8Array[] {
  const known = searched.get(bits) ?? allSteps(bits).flatMap((steps) => tablesOf(bits, steps))
  searched.set(bits, known)
  return known
}

function tablesOf(bits: number, steps: Steps): readonly Int8Array[] {
  return [tableOf(bits, steps, 1), tableOf(bits, steps, -1)]
}

/**
 * Breakpoint in standard deviations, for a density that ends `most` standard deviations from zero: where the expected
 * squared error of two regions of as many steps is least.
 *
 * @see Fang et al. 2020, section 3.2, with the coefficients of its fits.
 */
export function normalisedBreakpoint(density: 'gaussian' | 'laplacian', most: number): number {
  return density === 'gaussian' ? Math.log(0.8614 * most + 0.6079) : 0.803 * Math.sqrt(most) - 0.3167
}

/** @param side 1: the one code more is the highest; -1: the lowest. */
function tableOf(bits: number, { fine, coarse, inner }: Steps, side: number): Int8Array {
  const magnitude = (i: number) => fine * Math.min(i, inner) + coarse * Math.max(i - inner, 0)
  const last = 2 ** (bits - 1)
  const codes = [0, side * magnitude(last)]
  for (let i = 1; i < last; i++) codes.push(magnitude(i), -magnitude(i))
  return Int8Array.from(codes).sort()
}

function* gridsOf(
  { values }: SortedWeights,
  tables: readonly Int8Array[],
  shares: readonly number[],
): Iterable<GridCandidate> {
  const least = Math.min(values[0] ?? 0, 0)
  const most = Math.max(values[values.length - 1] ?? 0, 0)
  for (const codes of tables) {
    const full = Math.max(least / (codes[0] as number), most / (codes[codes.length - 1] as number))
    for (const share of shares) yield { codes, scale: storedScale(full * share), zeroPoint: 0 }
  }
}

/** Every pair of steps that fits: in lowest terms, since a common factor is the scale's. */
function allSteps(bits: number): Steps[] {
  const last = 2 ** (bits - 1)
  const found: Steps[] = [{ fine: 1, coarse: 1, inner: last }]
  for (const inner of innerCounts(last)) {
    for (let fine = 1; fine <= MOST_FINE; fine++) {
      const most = Math.min(Math.floor((HIGHEST - inner * fine) / (last - inner)), fine * MOST_RATIO)
      for (let coarse = fine + 1; coarse <= most; coarse++) {
        if (divisor(fine, coarse) === 1) found.push({ fine, coarse, inner })
      }
    }
  }
  return found
}

/** Numbers of fine steps to try: all of up to eight, else every part of an eighth. */
function innerCounts(last: number): number[] {
  const part = Math.max(last / 8, 1)
  return Array.from({ length: last / part - 1 }, (_, i) => (i + 1) * part)
}

/** Half of the steps fine, half coarse, with the ratio nearest to what the breakpoint asks for. */
function closedForm(weights: SortedWeights, bits: number, density: 'gaussian' | 'laplacian'): Steps {
  const { values, squares } = weights
  const last = 2 ** (bits - 1)
  const inner = last / 2
  const deviation = Math.sqrt((squares[values.length] as number) / values.length)
  const most = Math.max(-(values[0] ?? 0), values[values.length - 1] ?? 0) / deviation
  const even: Steps = { fine: 1, coarse: 1, inner }
  // Also where all weights are 0.
  if (!(most > 1)) return even
  const meet = normalisedBreakpoint(density, most)
  const wanted = (most - meet) / meet
  const fitting = allSteps(bits).filter((steps) => steps.inner === inner)
  const distance = ({ fine, coarse }: Steps) => Math.abs(Math.log(coarse / fine / wanted))
  return fitting.reduce((best, steps) => (distance(steps) < distance(best) ? steps : best), even)
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}
