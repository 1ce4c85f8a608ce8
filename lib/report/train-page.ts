// The course of a training: loss and accuracy of each epoch as an SVG, or as an HTML page with the figures.

import type { TopLevelSpec } from 'vega-lite'
import type { Draw } from './draw.js'
import { escaped, htmlPage, htmlTable } from './html.js'
import { COLOURS, LOOK } from './quantize-charts.js'
import { timeText } from './units.js'

/** What is drawn of an epoch. */
export interface EpochFigures {
  readonly epoch: number
  readonly loss: number
  readonly accuracy: number
  readonly validationLoss: number
  readonly validationAccuracy: number
  readonly learningRate: number
  readonly seconds: number
}

const curve = (field: string, title: string, format: string) =>
  ({
    width: 420,
    height: 260,
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative',
        axis: { tickMinStep: 1, grid: false },
        scale: { zero: false },
      },
      y: { field, type: 'quantitative', title, axis: { format }, scale: { zero: false } },
      color: {
        field: 'of',
        type: 'nominal',
        scale: { domain: ['training', 'validation'], range: [COLOURS.before, COLOURS.after] },
      },
    },
  }) as const

const CURVES: TopLevelSpec = {
  ...LOOK,
  data: { name: 'epochs' },
  hconcat: [curve('loss', 'loss', '.2f'), curve('accuracy', 'accuracy', '.0%')],
}

export function trainCurves(epochs: readonly EpochFigures[], draw: Draw): Promise<string> {
  const rows = epochs.flatMap(({ epoch, loss, accuracy, validationLoss, validationAccuracy }) => [
    { epoch, of: 'training', loss, accuracy },
    { epoch, of: 'validation', loss: validationLoss, accuracy: validationAccuracy },
  ])
  return draw({ spec: CURVES, data: { epochs: rows } })
}

const STYLE = `body { font: 15px/1.5 system-ui, sans-serif; color: #1f2937; margin: 2rem auto; max-width: 62rem; padding: 0 1rem }
svg { max-width: 100%; height: auto }
.wide { overflow-x: auto }
table { border-collapse: collapse }
th, td { text-align: left; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid #e5e7eb }
.n { text-align: right }
`
const HEAD = ['epoch', 'loss', 'accuracy', 'validation loss', 'validation accuracy', 'learning rate', 'time']
const percent = (share: number) => `${(100 * share).toFixed(2)} %`

/** @param facts Names and values, shown over the curves. */
export async function trainPage(
  epochs: readonly EpochFigures[],
  facts: readonly (readonly [string, string])[],
  draw: Draw,
): Promise<string> {
  const rows = epochs.map((one) => [
    String(one.epoch),
    one.loss.toFixed(4),
    percent(one.accuracy),
    one.validationLoss.toFixed(4),
    percent(one.validationAccuracy),
    one.learningRate.toPrecision(3),
    timeText(1000 * one.seconds),
  ])
  const known = facts.map(([name, value]) => [escaped(name), escaped(value)])
  const body = [
    '<h1>Training</h1>',
    htmlTable(['setting', 'value'], known, [false, false]),
    await trainCurves(epochs, draw),
    htmlTable(
      HEAD,
      rows,
      HEAD.map(() => true),
    ),
  ].join('\n')
  return htmlPage({ title: 'lowbit train', style: STYLE, body })
}
