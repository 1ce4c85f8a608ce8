// Uniform and piecewise grids: their laws, and which errs less.

import test from 'ava'
import type { Grid } from '#lib/quantize/weights/grid.js'
import { makeGrid, nearestLevel } from '#lib/quantize/weights/grid.js'
import { normalisedBreakpoint, piecewiseGrid } from '#lib/quantize/weights/piecewise.js'
import { RECTIFIED_SHIFT_WEIGHT, roundingError, sortWeights } from '#lib/quantize/weights/sorted.js'
import { uniformGrid } from '#lib/quantize/weights/uniform.js'
import { laplacians, normals } from '../../helpers/densities.js'

const DENSITIES = {
  normal: normals(1, 600),
  laplacian: laplacians(2, 600),
  positive: normals(3, 90).map(Math.abs),
}

/** Sums of the errors and of their squares, weight by weight. */
function plainErrors(values: Float32Array, { levels }: Grid) {
  const errors = Array.from(values, (value) => value - (levels[nearestLevel(levels, value)] as number))
  return {
    shift: errors.reduce((sum, error) => sum + error, 0),
    squares: errors.reduce((sum, error) => sum + error ** 2, 0),
  }
}

test('the error by running sums is the error weight by weight', (t) => {
  for (const [name, values] of Object.entries(DENSITIES)) {
    for (const shiftWeight of [0, RECTIFIED_SHIFT_WEIGHT]) {
      const weights = sortWeights(values, shiftWeight)
      for (const bits of [2, 3, 4, 8]) {
        const grid = uniformGrid(weights, { bits, scheme: 'symmetric', clip: 'mse' })
        const { shift, squares } = plainErrors(values, grid)
        // Differences of sums of up to 600 squares, each rounded: 600 * 2^-53 of the sum of squares, a few times; a
        // squared sum is at most 600 times the sum of squares.
        const most = values.reduce((sum, value) => sum + value * value, 0)
        const error = Math.abs(roundingError(weights, grid.levels) - squares - shiftWeight * shift ** 2)
        t.true(error <= most * 600 * 2 ** -50 * (1 + 600 * shiftWeight), `${name} ${bits}`)
      }
    }
  }
})

test('where sums of errors count, those of the grid that is found are no larger', (t) => {
  for (const [name, values] of Object.entries(DENSITIES)) {
    for (const bits of [2, 3, 4]) {
      const found = (shiftWeight: number) =>
        plainErrors(
          values,
          uniformGrid(sortWeights(values, shiftWeight), { bits, scheme: 'symmetric', clip: 'mse' }),
        )
      const [plain, weighted] = [found(0), found(RECTIFIED_SHIFT_WEIGHT)]
      t.true(Math.abs(weighted.shift) <= Math.abs(plain.shift), `${name} ${bits}`)
      t.true(weighted.squares >= plain.squares, `${name} ${bits}`)
    }
  }
})

test('the nearest level; of two alike the one further from zero; what lies beyond clips', (t) => {
  const levels = Float64Array.of(-2, -1, 0, 1, 2)
  const nearest = (value: number) => levels[nearestLevel(levels, value)]
  t.deepEqual([-9, -1.5, -0.5, -0.4, 0.5, 1.4, 1.5, 9].map(nearest), [-2, -2, -1, 0, 1, 1, 2, 2])
})

test('symmetric grids: 2^bits codes, 255 of 8 bits; without clipping each error is half a step at most', (t) => {
  for (const [name, values] of Object.entries(DENSITIES)) {
    for (const [bits, codes] of [
      [2, 4],
      [3, 8],
      [4, 16],
      [6, 64],
      [8, 255],
    ] as const) {
      const { scale, zeroPoint, levels } = uniformGrid(sortWeights(values), {
        bits,
        scheme: 'symmetric',
        clip: 'max',
      })
      t.is(levels.length, codes)
      t.is(zeroPoint, 0)
      t.is(scale, Math.fround(scale))
      for (const value of values) {
        const error = Math.abs(value - (levels[nearestLevel(levels, value)] as number))
        // The scale is rounded to a float32, so that the ends move by 2^-24 of themselves.
        t.true(error <= scale / 2 + Math.abs(value) * 2 ** -23, `${name} ${bits} ${value}`)
      }
    }
  }
})

test('asymmetric grids hold zero exactly and waste no codes on a sign that is not there', (t) => {
  for (const clip of ['max', 'mse'] as const) {
    const values = DENSITIES.positive
    const weights = sortWeights(values)
    const grid = uniformGrid(weights, { bits: 4, scheme: 'asymmetric', clip })
    t.true(grid.levels.includes(0))
    t.is(grid.levels[0], 0)
    const symmetric = uniformGrid(weights, { bits: 4, scheme: 'symmetric', clip })
    t.true(roundingError(weights, grid.levels) < roundingError(weights, symmetric.levels))
  }
  const shifted = normals(5, 300).map((value) => value + 2)
  t.true(uniformGrid(sortWeights(shifted), { bits: 8, scheme: 'asymmetric', clip: 'max' }).levels.includes(0))
})

test('clipping by squared error never errs more than none', (t) => {
  for (const values of Object.values(DENSITIES)) {
    const weights = sortWeights(values)
    for (const bits of [2, 3, 4, 6, 8]) {
      const error = (clip: 'max' | 'mse') =>
        roundingError(weights, uniformGrid(weights, { bits, scheme: 'symmetric', clip }).levels)
      t.true(error('mse') <= error('max'))
      if (bits <= 4) t.true(error('mse') < 0.9 * error('max'), `${bits}`)
    }
  }
})

test('piecewise grids: int8 codes, 2^bits at most, two steps, zero among them', (t) => {
  for (const values of Object.values(DENSITIES)) {
    for (const bits of [3, 4, 5, 6, 7]) {
      for (const breakpoint of ['gaussian', 'laplacian', 'search'] as const) {
        const { codes } = piecewiseGrid(sortWeights(values), { bits, breakpoint, clip: 'mse' })
        t.is(codes.length, 2 ** bits)
        t.true(codes.every((code) => code >= -127 && code <= 127))
        t.true(codes.includes(0))
        // From zero outwards each side has its fine steps, then its coarse ones, the same on both sides.
        const magnitudes = [...codes].map(Math.abs).sort((a, b) => a - b)
        const sides = new Set(magnitudes)
        t.is(sides.size, 2 ** (bits - 1) + 1)
        const steps = [...sides].map((value, i, all) => value - (all[i - 1] ?? 0)).slice(1)
        t.deepEqual(
          steps,
          [...steps].sort((a, b) => a - b),
        )
        t.true(new Set(steps).size <= 2)
      }
    }
  }
})

test('the search errs no more than any closed form, than uniform codes, and less on long tails', (t) => {
  for (const [name, values] of Object.entries(DENSITIES)) {
    const weights = sortWeights(values)
    for (const clip of ['max', 'mse'] as const) {
      for (const bits of [3, 4, 6]) {
        const error = (grid: Grid) => roundingError(weights, grid.levels)
        const search = error(piecewiseGrid(weights, { bits, breakpoint: 'search', clip }))
        const uniform = error(uniformGrid(weights, { bits, scheme: 'symmetric', clip }))
        t.true(search <= uniform * 1.01, `${name} ${clip} ${bits}: ${search} ${uniform}`)
        if (name === 'laplacian') t.true(search < 0.9 * uniform, `${clip} ${bits}: ${search} ${uniform}`)
      }
    }
  }
})

test('the closed forms lie where the expected error of two regions is least', (t) => {
  const densities = {
    gaussian: (x: number) => Math.exp((-x * x) / 2),
    // Of deviation 1.
    laplacian: (x: number) => Math.exp(-Math.SQRT2 * x),
  }
  for (const [name, density] of Object.entries(densities)) {
    for (const most of [3, 4, 6, 8]) {
      const mass = (from: number, to: number) => {
        const width = (to - from) / 500
        return Array.from({ length: 500 }, (_, i) => density(from + (i + 0.5) * width) * width).reduce(
          (a, b) => a + b,
          0,
        )
      }
      const error = (p: number) => p * p * mass(0, p) + (most - p) ** 2 * mass(p, most)
      const tried = Array.from({ length: 200 }, (_, i) => ((i + 1) / 201) * most)
      const least = Math.min(...tried.map(error))
      const closed = error(normalisedBreakpoint(name as 'gaussian' | 'laplacian', most))
      t.true(closed <= 1.02 * least, `${name} ${most}: ${closed} ${least}`)
    }
  }
})

test('weights that are all zero, and no weights, have grids too', (t) => {
  for (const values of [new Float32Array(5), new Float32Array(0)]) {
    const weights = sortWeights(values)
    const grids = [
      uniformGrid(weights, { bits: 4, scheme: 'symmetric', clip: 'mse' }),
      uniformGrid(weights, { bits: 4, scheme: 'asymmetric', clip: 'mse' }),
      piecewiseGrid(weights, { bits: 4, breakpoint: 'search', clip: 'mse' }),
      piecewiseGrid(weights, { bits: 4, breakpoint: 'gaussian', clip: 'max' }),
    ]
    for (const { scale, levels } of grids) {
      t.true(scale > 0)
      t.true(levels.includes(0))
    }
  }
})

test('a scale is a normal float32', (t) => {
  t.is(makeGrid(Int8Array.of(0), 0.1).scale, Math.fround(0.1))
  t.is(makeGrid(Int8Array.of(0), 1e-44).scale, 2 ** -100)
})
