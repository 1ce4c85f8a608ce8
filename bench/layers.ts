// A case of the bench as a layer with random data, and the check of its result against the reference.

import { convLayer, depthwiseLayer, gemmLayer, type Layer } from '#lib/bare/layers.js'
import { randomIntegers } from '#lib/numerics/random.js'
import type { LayerCase } from './cases/layers.js'
import { gemmElement, windowElement } from './reference.js'

export interface BenchLayer {
  readonly layer: Layer
  /** The right code of one element of the output. */
  readonly expected: (index: number) => number
}

const ZERO_POINT = -3
const OUT_ZERO_POINT = 5
const codes = (seed: number, count: number, low: number) =>
  Int8Array.from(randomIntegers(seed, count, low, 127))
const sums = (seed: number, count: number) => Int32Array.from(randomIntegers(seed, count, -10_000, 10_000))

/** A factor that spreads the sums of random codes over the output's range. */
const factorFor = (depth: number) => 40 / (74 * 74 * Math.sqrt(depth))

export function benchLayer(row: LayerCase): BenchLayer {
  const out = { outZeroPoint: OUT_ZERO_POINT, activation: 'relu6', outScale: 6 / 120 } as const
  const limits = { zeroPoint: OUT_ZERO_POINT, low: OUT_ZERO_POINT, high: OUT_ZERO_POINT + 120 }
  if (row.kind === 'gemm') {
    const { m, n, k } = row
    const multiplier = factorFor(k)
    const operands = {
      a: codes(1, m * k, -128),
      b: codes(2, n * k, -127),
      aZeroPoint: ZERO_POINT,
      bias: sums(3, n),
    }
    const reference = { n, k, ...operands, factor: () => multiplier, ...limits }
    return {
      layer: gemmLayer('gemm', { m, n, k, ...operands, multiplier, ...out }),
      expected: (index) => gemmElement(reference, Math.floor(index / n), index % n),
    }
  }
  const { filter: size, stride, channels, kind } = row
  const [h, w, c] = row.input
  const taps = size * size * (kind === 'conv' ? c : 1)
  const multiplier = factorFor(taps)
  const operands = {
    input: codes(1, h * w * c, -128),
    inputShape: [1, h, w, c] as const,
    filter: codes(2, taps * channels, -127),
    filterShape: (kind === 'conv' ? [channels, size, size, c] : [1, size, size, channels]) as [
      number,
      number,
      number,
      number,
    ],
    padding: 'same' as const,
    inputZeroPoint: ZERO_POINT,
    bias: sums(3, channels),
  }
  const options = { ...operands, stride, multiplier, ...out }
  const layer = kind === 'conv' ? convLayer('conv2d', options) : depthwiseLayer('depthwiseConv2d', options)
  const reference = {
    ...operands,
    stride: [stride, stride] as const,
    dilation: [1, 1] as const,
    factor: () => multiplier,
    ...limits,
    ...(kind === 'depthwise' && { depthMultiplier: 1 }),
  }
  const [, , width = 1] = layer.outputShape
  const expected = (index: number) => {
    const place = Math.floor(index / channels)
    return windowElement(reference, 0, Math.floor(place / width), place % width, index % channels)
  }
  return { layer, expected }
}

/** Places to compare: all of a small output, else ends and random ones for about `work` multiply-accumulates. */
export function checkedPlaces(layer: Layer, work = 2e6): number[] {
  const count = layer.outputShape.reduce((a, b) => a * b, 1)
  const affordable = Math.max(16, Math.floor(work / (layer.macs / count)))
  if (affordable >= count) return Array.from({ length: count }, (_, i) => i)
  return [0, count - 1, ...randomIntegers(4, affordable, 0, count - 1)]
}
