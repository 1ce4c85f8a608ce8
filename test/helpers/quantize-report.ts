// A report of a quantisation as the pipeline might give it.

import type { Histogram, LayerReport, QuantizeReport } from '#lib/quantize/report.js'

/** A bell of 64 bins, and what is left of it in every fourth. */
function bell(min: number, max: number): Histogram {
  const before = Array.from({ length: 64 }, (_, i) => Math.round(5000 * Math.exp(-(((i - 31.5) / 9) ** 2))))
  return { min, max, before, after: before.map((count, i) => (i % 4 === 2 ? 4 * count : 0)) }
}

export function layerReport(index: number, name = `block_${index}/conv`): LayerReport {
  const seen = { min: -1.5, max: 2.25 }
  return {
    index,
    op: 'CONV_2D',
    name,
    output: {
      type: 'int8',
      scale: 0.0125,
      zeroPoint: -8,
      seen,
      range: { min: -1.5, max: 1.6875 },
      clippedShare: 0.0125,
      sqnrDb: 30 + 10 * Math.sin(index),
      maxError: 0.5625,
      histogram: bell(-1.5, 2.25),
    },
    weights: {
      type: 'int4',
      bits: 4,
      method: 'piecewise',
      granularity: 'channel',
      scales: 16,
      seen: { min: -0.5, max: 0.5 },
      range: { min: -0.4375, max: 0.4375 },
      clippedShare: 0.25,
      sqnrDb: 20 + index,
      maxError: 0.0625,
      bytes: { before: 2304, after: 288 },
      histogram: bell(-0.5, 0.5),
    },
  }
}

export function quantizeReport(layers: readonly LayerReport[]): QuantizeReport {
  return {
    version: 1,
    recipe: { version: 1, name: 'int8', rules: [{ ops: ['CONV_2D'], weights: { bits: 4 } }] },
    samples: 100,
    seconds: 2.5,
    fileBytes: { before: 400_000, after: 110_000 },
    weightBytes: { before: 360_000, after: 90_000 },
    accuracy: { before: 0.8719, after: 0.8703 },
    outputs: [{ name: 'scores', sqnrDb: 31.25 }],
    layers,
    repairs: [
      {
        name: 'bias correction',
        sqnrDb: { without: 24.5, with: 27.25 },
        accuracy: { without: 0.84, with: 0.86 },
      },
      { name: 'adaptive rounding', sqnrDb: { without: 27.25, with: 31.25 } },
    ],
    notes: ['one sample has values beyond those of all others'],
  }
}
