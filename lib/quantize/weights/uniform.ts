// Uniform grids: equal steps, symmetric about zero or from the smallest to the largest weight.

import { bestGrid, type Clip, clipShares } from './clip.js'
import { codesBetween, type Grid, makeGrid } from './grid.js'
import type { SortedWeights } from './sorted.js'

export interface UniformSettings {
  /** 2 to 8. */
  readonly bits: number
  readonly scheme: 'symmetric' | 'asymmetric'
  readonly clip: Clip
}

/**
 * The grid of 2^bits equal steps that suits some weights best. Zero is always one of its values.
 *
 * Symmetric 8-bit codes leave out -128: kernels may then add products pairwise without saturation, and TFLite asks for
 * it. With fewer bits no kernel needs that, and the lowest code is worth having.
 */
export function uniformGrid(weights: SortedWeights, settings: UniformSettings): Grid {
  return settings.scheme === 'symmetric' ? symmetric(weights, settings) : asymmetric(weights, settings)
}

function symmetric(weights: SortedWeights, { bits, clip }: UniformSettings): Grid {
  const high = 2 ** (bits - 1) - 1
  const low = bits === 8 ? -high : -high - 1
  const codes = codesBetween(low, high)
  const [least, most] = ends(weights)
  const full = Math.max(most / high, least / low)
  return bestGrid(
    weights,
    clipShares(clip).map((share) => makeGrid(codes, full * share)),
  )
}

function asymmetric(weights: SortedWeights, { bits, clip }: UniformSettings): Grid {
  const low = -(2 ** (bits - 1))
  const codes = codesBetween(low, -low - 1)
  const [least, most] = ends(weights)
  const grid = (shareBelow: number, shareAbove: number) => {
    const scale = (most * shareAbove - least * shareBelow) / (codes.length - 1)
    const zeroPoint = scale === 0 ? 0 : low - Math.round((least * shareBelow) / scale)
    return makeGrid(codes, scale, zeroPoint)
  }
  // One end after the other: the ends hardly depend on each other.
  const shares = clipShares(clip)
  let below = 1
  let above = 1
  for (let round = 0; round < 2; round++) {
    above = bestShare(weights, shares, (share) => grid(below, share))
    below = bestShare(weights, shares, (share) => grid(share, above))
  }
  return grid(below, above)
}

function bestShare(weights: SortedWeights, shares: readonly number[], grid: (share: number) => Grid): number {
  const grids = shares.map(grid)
  return shares[grids.indexOf(bestGrid(weights, grids))] as number
}

/** Smallest and largest weight, widened to hold zero. */
function ends({ values }: SortedWeights): [number, number] {
  return [Math.min(values[0] ?? 0, 0), Math.max(values[values.length - 1] ?? 0, 0)]
}
