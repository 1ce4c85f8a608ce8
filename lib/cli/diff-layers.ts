// Layer by layer, how far two models lie apart: which tensors of theirs belong together, and the measures of each pair.

import type { Subgraph } from '../model/model.js'
import { arrayOf } from '../tensor/dtype.js'
import type { Tensor } from '../tensor/tensor.js'

/** A tensor that an operator computes. */
export interface Layer {
  readonly index: number
  readonly name: string
  /** Operator that computes it, as `CONV_2D`. */
  readonly op: string
  readonly shape: readonly number[]
  readonly dtype: string
}

export interface LayerPair {
  readonly a: Layer
  readonly b: Layer
}

/** Tensors in the order in which they are computed, without those that have no numbers. */
export function layersOf({ operators, tensors }: Subgraph): readonly Layer[] {
  return operators.flatMap(({ type, outputs }) =>
    outputs.flatMap((index) => {
      const { name = '', shape = [], dtype = 'variant' } = tensors[index] ?? {}
      const hasNumbers = arrayOf(dtype) !== undefined && !dtype.startsWith('complex')
      return hasNumbers ? [{ index, name, op: type, shape, dtype }] : []
    }),
  )
}

/** More pairs of unnamed layers than this are not compared with each other. */
const MOST_CELLS = 2 ** 24

/**
 * Layers that belong together: those of one name and shape; of the rest, the longest common sequence of outputs of the
 * same operator and shape.
 */
export function matchLayers(a: readonly Layer[], b: readonly Layer[]): readonly LayerPair[] {
  const byName = new Map(
    b.map((layer) => [`${layer.name} ${layer.shape}`, layer]).reverse() as [string, Layer][],
  )
  const taken = new Set<Layer>()
  const pairs = new Map<Layer, Layer>()
  for (const layer of a) {
    const twin = byName.get(`${layer.name} ${layer.shape}`)
    if (layer.name === '' || twin === undefined || taken.has(twin)) continue
    taken.add(twin)
    pairs.set(layer, twin)
  }
  const restA = a.filter((layer) => !pairs.has(layer))
  const restB = b.filter((layer) => !taken.has(layer))
  for (const [left, right] of commonSequence(restA, restB)) pairs.set(left, right)
  return a.flatMap((layer) => {
    const twin = pairs.get(layer)
    return twin === undefined ? [] : [{ a: layer, b: twin }]
  })
}

function commonSequence(a: readonly Layer[], b: readonly Layer[]): readonly (readonly [Layer, Layer])[] {
  if (a.length * b.length > MOST_CELLS) return []
  const alike = (x: Layer, y: Layer) => x.op === y.op && `${x.shape}` === `${y.shape}`
  // longest[i][j]: length of the longest common sequence of a from i and b from j.
  const width = b.length + 1
  const longest = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => longest[i * width + j] as number
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = alike(a[i] as Layer, b[j] as Layer)
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const pairs: [Layer, Layer][] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [x, y] = [a[i] as Layer, b[j] as Layer]
    if (alike(x, y)) {
      pairs.push([x, y])
      i++
      j++
    } else if (at(i + 1, j) >= at(i, j + 1)) i++
    else j++
  }
  return pairs
}

/** Sums over all samples of one pair of layers. */
export interface Measure {
  elements: number
  /** Elements whose real values differ. */
  mismatches: number
  maxError: number
  signal: number
  noise: number
}

export const emptyMeasure = (): Measure => ({ elements: 0, mismatches: 0, maxError: 0, signal: 0, noise: 0 })

/** Adds a sample; `a` is what `b` is measured against. Two NaNs are alike. */
export function measure(sums: Measure, a: Tensor, b: Tensor): void {
  const [want, have] = [a.toFloat32(), b.toFloat32()]
  sums.elements += want.length
  for (let i = 0; i < want.length; i++) {
    const [x, y] = [want[i] as number, have[i] as number]
    if (Number.isFinite(x)) sums.signal += x * x
    if (Object.is(x, y) || x === y) continue
    const error = Math.abs(x - y)
    const known = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
    sums.mismatches++
    sums.noise += known * known
    sums.maxError = Math.max(sums.maxError, known)
  }
}

/**
 * Signal to noise, 10 log10(sum of a^2 / sum of (a - b)^2), in decibels; null where the layers are equal, or where there
 * is no such number (no signal, errors that are infinite).
 */
export function sqnrDb({ signal, noise }: Measure): number | null {
  const ratio = 10 * Math.log10(signal / noise)
  return noise > 0 && Number.isFinite(ratio) ? ratio : null
}
