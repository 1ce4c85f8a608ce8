// Moments of a layer's inputs over many runs, from random places of each.

import { xorshift32 } from '../../numerics/random.js'
import { type InputMoments, MomentSums } from './gram.js'
import type { LayerGeometry } from './patches.js'

/** Moments of the columns that rows of weights are multiplied with. */
export interface LayerInputs {
  /** Columns of a row, over all blocks. */
  readonly columns: number
  /** For each group of rows, for each block of columns; blocks are taken as if they knew nothing of one another. */
  readonly groups: readonly (readonly InputMoments[])[]
}

/** Second moments of more columns at once take too long to collect and to factor (both grow with the square or cube). */
const MOST_COLUMNS = 1024

export interface SumOptions {
  /** How many places of each run are looked at; all where the output has no more. */
  readonly places: number
  readonly seed: number
  /** Whether second moments are wanted, not means alone. */
  readonly products: boolean
}

export class LayerInputSums {
  readonly #geometry: LayerGeometry
  readonly #places: number
  readonly #next: () => number
  /** By group, then by block. */
  readonly #sums: readonly (readonly MomentSums[])[]
  /** Columns of each block; the last may have fewer. */
  readonly #block: number

  constructor(geometry: LayerGeometry, { places, seed, products }: SumOptions) {
    const { columns, groups } = geometry
    const blocks = Math.max(Math.ceil(columns / MOST_COLUMNS), 1)
    this.#geometry = geometry
    this.#places = places
    this.#next = xorshift32(seed)
    this.#block = Math.ceil(columns / blocks)
    const widths = Array.from({ length: blocks }, (_, i) => Math.min(this.#block, columns - i * this.#block))
    this.#sums = Array.from({ length: groups }, () =>
      widths.map((width) => new MomentSums(width, { products })),
    )
  }

  /** @param input Values of the layer's input tensor in one run. */
  add(input: Float32Array): void {
    const { columns } = this.#geometry
    const chosen = this.#choose()
    const rows = new Float32Array(chosen.length * columns)
    this.#sums.forEach((blocks, group) => {
      chosen.forEach((place, i) => {
        this.#geometry.copy(input, place, group, rows, i * columns)
      })
      blocks.forEach((sums, block) => {
        sums.add(blocks.length === 1 ? rows : this.#columnsOf(rows, block))
      })
    })
  }

  result(): LayerInputs {
    return {
      columns: this.#geometry.columns,
      groups: this.#sums.map((blocks) => blocks.map((sums) => sums.result())),
    }
  }

  #choose(): Uint32Array {
    const { places } = this.#geometry
    if (places <= this.#places) return Uint32Array.from({ length: places }, (_, i) => i)
    return Uint32Array.from({ length: this.#places }, () => Math.floor((this.#next() / 2 ** 32) * places))
  }

  #columnsOf(rows: Float32Array, block: number): Float32Array {
    const { columns } = this.#geometry
    const from = block * this.#block
    const width = Math.min(this.#block, columns - from)
    const result = new Float32Array((rows.length / columns) * width)
    for (let r = 0; r * columns < rows.length; r++) {
      result.set(rows.subarray(r * columns + from, r * columns + from + width), r * width)
    }
    return result
  }
}

/** E[x] of the columns that a row of weights is multiplied with. */
export function columnMeans({ columns, groups }: LayerInputs, group: number): Float64Array {
  const means = new Float64Array(columns)
  let at = 0
  for (const { mean } of groups[group] ?? []) {
    means.set(mean, at)
    at += mean.length
  }
  return means
}
