// The charts of a quantisation, as Vega-Lite says them.

import type { TopLevelSpec } from 'vega-lite'
import type { Histogram, LayerReport, Range, RepairReport } from '../quantize/report.js'
import type { Chart } from './draw.js'

/** The page's style sheet names them too. */
export const COLOURS = { before: '#9aa5b1', after: '#2563eb', weights: '#d97706', range: '#dc2626' } as const

export const LOOK = {
  background: 'transparent',
  config: {
    // Descriptions of every mark would be most of the file; a caption says what a chart shows.
    aria: false,
    font: 'system-ui, sans-serif',
    view: { stroke: null },
    axis: {
      gridColor: '#e5e7eb',
      domainColor: '#9ca3af',
      tickColor: '#9ca3af',
      labelColor: '#4b5563',
      titleColor: '#4b5563',
    },
    legend: { orient: 'top', title: null },
  },
} as const

const WIDE = 900
const layerAxis = {
  field: 'index',
  type: 'quantitative',
  title: 'layer',
  axis: { tickMinStep: 1, grid: false },
} as const

const SQNR: TopLevelSpec = {
  ...LOOK,
  width: WIDE,
  height: 200,
  data: { name: 'points' },
  encoding: {
    x: { ...layerAxis, scale: { zero: false } },
    y: { field: 'db', type: 'quantitative', title: 'SQNR in dB', axis: { tickCount: 6 } },
    color: {
      field: 'of',
      type: 'nominal',
      scale: { domain: ['outputs', 'weights'], range: [COLOURS.after, COLOURS.weights] },
    },
  },
  layer: [
    { mark: { type: 'line', strokeWidth: 1, opacity: 0.5 } },
    { mark: { type: 'point', filled: true, size: 40 } },
  ],
}

/** Outputs and weights of all layers; undefined if no layer has a figure. */
export function sqnrChart(layers: readonly LayerReport[]): Chart | undefined {
  const points = layers.flatMap(({ index, output, weights }) => [
    { index, of: 'outputs', db: output?.sqnrDb ?? null },
    { index, of: 'weights', db: weights?.sqnrDb ?? null },
  ])
  const known = points.filter(({ db }) => db !== null)
  return known.length === 0 ? undefined : { spec: SQNR, data: { points: known } }
}

const BYTES: TopLevelSpec = {
  ...LOOK,
  width: WIDE,
  height: 160,
  data: { name: 'bars' },
  mark: { type: 'bar', width: { band: 0.8 } },
  encoding: {
    x: { field: 'index', type: 'ordinal', title: 'layer', axis: { labelOverlap: true, labelAngle: 0 } },
    y: { field: 'kib', type: 'quantitative', title: 'weights in KiB', stack: null, axis: { tickCount: 5 } },
    color: {
      field: 'when',
      type: 'nominal',
      scale: { domain: ['before', 'after'], range: [COLOURS.before, COLOURS.after] },
    },
  },
}

/** Bytes of weights by layer; undefined if no layer has weights. */
export function bytesChart(layers: readonly LayerReport[]): Chart | undefined {
  const bars = layers.flatMap(({ index, weights }) =>
    weights === undefined
      ? []
      : (['before', 'after'] as const).map((when) => ({ index, when, kib: weights.bytes[when] / 1024 })),
  )
  return bars.length === 0 ? undefined : { spec: BYTES, data: { bars } }
}

const REPAIRS: TopLevelSpec = {
  ...LOOK,
  width: WIDE - 200,
  height: { step: 14 },
  data: { name: 'bars' },
  mark: 'bar',
  encoding: {
    y: { field: 'name', type: 'nominal', title: null, sort: null, axis: { labelLimit: 400 } },
    yOffset: { field: 'when', sort: ['without', 'with'] },
    x: { field: 'value', type: 'quantitative', title: null },
    color: {
      field: 'when',
      type: 'nominal',
      scale: { domain: ['without', 'with'], range: [COLOURS.before, COLOURS.after] },
    },
  },
}

/** Accuracy in per cent where every repair has it, else SQNR in decibels; undefined if there is nothing to show. */
export function repairsChart(repairs: readonly RepairReport[]): Chart | undefined {
  const isAccuracy = repairs.every(({ accuracy }) => accuracy !== undefined)
  const bars = repairs.flatMap(({ name, accuracy, sqnrDb }) =>
    (['without', 'with'] as const).map((when) => ({
      name,
      when,
      value: isAccuracy && accuracy ? 100 * accuracy[when] : sqnrDb[when],
    })),
  )
  const known = bars.filter(({ value }) => value !== null)
  return known.length === 0 ? undefined : { spec: REPAIRS, data: { bars: known } }
}

const HISTOGRAM: TopLevelSpec = {
  ...LOOK,
  width: 400,
  height: 110,
  encoding: {
    x: {
      field: 'x',
      type: 'quantitative',
      title: null,
      scale: { zero: false, nice: false },
      axis: { tickCount: 6, grid: false },
    },
  },
  layer: [
    {
      data: { name: 'before' },
      mark: { type: 'area', interpolate: 'step-after', color: COLOURS.before, opacity: 0.7 },
      encoding: { y: { field: 'count', type: 'quantitative', scale: { type: 'symlog' }, axis: null } },
    },
    {
      data: { name: 'after' },
      mark: { type: 'line', interpolate: 'step-after', color: COLOURS.after, strokeWidth: 1.2 },
      encoding: { y: { field: 'count', type: 'quantitative', scale: { type: 'symlog' }, axis: null } },
    },
    {
      data: { name: 'range' },
      mark: { type: 'rule', color: COLOURS.range, strokeDash: [4, 3] },
    },
  ],
}

/** Counts before and after, with a line at each end of what the codes stand for. */
export function histogramChart({ min, max, before, after }: Histogram, range: Range): Chart {
  const steps = (counts: readonly number[]) => {
    const width = (max - min) / Math.max(1, counts.length)
    // The last step ends at the upper edge of the last bin.
    return [...counts, counts.at(-1) ?? 0].map((count, i) => ({ x: min + i * width, count }))
  }
  return {
    spec: HISTOGRAM,
    data: { before: steps(before), after: steps(after), range: [{ x: range.min }, { x: range.max }] },
  }
}
