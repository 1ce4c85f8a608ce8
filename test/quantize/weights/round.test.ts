// Adaptive rounding: what it promises of the loss.

import test from 'ava'
import { covariance, MomentSums } from '#lib/quantize/weights/gram.js'
import { codesBetween, makeGrid } from '#lib/quantize/weights/grid.js'
import { errorNorm } from '#lib/quantize/weights/norm.js'
import { roundAdaptive, roundNearest } from '#lib/quantize/weights/round.js'
import { normals } from '../../helpers/densities.js'

/** Rows of inputs of which neighbours are alike, as pixels are. */
function inputs(seed: number, rows: number, columns: number): Float32Array {
  const noise = normals(seed, rows * columns)
  return noise.map((value, i) => (i % columns === 0 ? 1 : 0.8 * (noise[i - 1] as number) + 0.6 * value + 1))
}

function momentsOf(values: Float32Array, columns: number) {
  const sums = new MomentSums(columns, { products: true })
  sums.add(values)
  return sums.result()
}

function loss(errors: Float64Array, matrix: Float64Array): number {
  const n = errors.length
  return errors.reduce(
    (sum, e, i) => sum + e * errors.reduce((line, f, j) => line + f * (matrix[i * n + j] as number), 0),
    0,
  )
}

const GRIDS = {
  'uniform 3 bits': makeGrid(codesBetween(-4, 3), 0.6),
  'uniform 2 bits': makeGrid(codesBetween(-2, 1), 1),
  'two slopes': makeGrid(Int8Array.of(-7, -4, -1, 0, 1, 4, 7, 10), 0.35),
}

test('moments are means and mean products, whatever the blocks they come in', (t) => {
  const columns = 5
  const values = inputs(1, 70, columns)
  const { count, mean, gram } = momentsOf(values, columns)
  const parts = new MomentSums(columns, { products: true })
  for (const [from, to] of [
    [0, 1],
    [1, 34],
    [34, 70],
  ] as const) {
    parts.add(values.subarray(from * columns, to * columns))
  }
  t.deepEqual(parts.result().count, 70)
  t.is(count, 70)
  for (let i = 0; i < columns; i++) {
    const of = (row: number, column: number) => values[row * columns + column] as number
    const expectedMean = Array.from({ length: 70 }, (_, r) => of(r, i)).reduce((a, b) => a + b) / 70
    t.true(Math.abs((mean[i] as number) - expectedMean) < 1e-12)
    for (let j = 0; j < columns; j++) {
      const product = Array.from({ length: 70 }, (_, r) => of(r, i) * of(r, j)).reduce((a, b) => a + b) / 70
      t.true(Math.abs((gram[i * columns + j] as number) - product) < 1e-11)
      t.true(Math.abs((parts.result().gram[i * columns + j] as number) - product) < 1e-11)
    }
  }
})

test('the factor of a norm is its matrix in that order', (t) => {
  const n = 17
  const { matrix, order, factor } = errorNorm(momentsOf(inputs(2, 9, n), n).gram, n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let product = 0
      for (let k = 0; k <= Math.min(i, j); k++)
        product += (factor[k * n + i] as number) * (factor[k * n + j] as number)
      const expected = matrix[(order[i] as number) * n + (order[j] as number)] as number
      t.true(Math.abs(product - expected) < 1e-10, `${i} ${j}`)
    }
  }
})

test('the loss is less than that of the nearest levels, and no single weight can better it', (t) => {
  for (const [name, { levels }] of Object.entries(GRIDS)) {
    for (const columns of [1, 2, 9, 40]) {
      const norm = errorNorm(momentsOf(inputs(3, 300, columns), columns).gram, columns)
      const values = normals(columns, columns)
      const errorsOf = (chosen: Uint8Array) =>
        Float64Array.from(values, (value, i) => value - (levels[chosen[i] as number] as number))
      const adaptive = roundAdaptive(values, () => levels, norm)
      const least = loss(errorsOf(adaptive), norm.matrix)
      const nearest = loss(errorsOf(roundNearest(values, () => levels)), norm.matrix)
      t.true(least <= nearest * (1 + 1e-12), `${name} ${columns}`)
      if (columns >= 40) t.true(least < 0.6 * nearest, `${name} ${columns}: ${least} of ${nearest}`)
      for (let i = 0; i < columns; i++) {
        for (let level = 0; level < levels.length; level++) {
          const other = adaptive.slice()
          other[i] = level
          t.true(
            loss(errorsOf(other), norm.matrix) >= least * (1 - 1e-9),
            `${name} ${columns}: ${i} to ${level}`,
          )
        }
      }
    }
  }
})

test('values on the grid stay, and inputs that never are anything but 0 do no harm', (t) => {
  const { levels } = GRIDS['uniform 3 bits']
  const values = Float32Array.from(levels)
  const any = errorNorm(momentsOf(inputs(4, 50, 8), 8).gram, 8)
  // Levels are multiples of a float32; the values are those rounded to float32.
  t.deepEqual(
    roundAdaptive(values, () => levels, any),
    Uint8Array.from(levels, (_, i) => i),
  )
  const none = errorNorm(new Float64Array(64), 8)
  t.deepEqual(
    roundAdaptive(normals(1, 8), () => levels, none),
    roundNearest(normals(1, 8), () => levels),
  )
})

test('the covariance of inputs that are constant is 0', (t) => {
  const { columns, mean, gram, count } = momentsOf(Float32Array.of(2, 3, 2, 3, 2, 3), 2)
  t.deepEqual(covariance({ columns, mean, gram, count }), new Float64Array(4))
})
