// The report of a quantisation as one HTML page: figures, charts, a table of layers, histograms. Nothing is loaded, and
// nothing is run when it is opened.

import type { Histogram, LayerReport, QuantizeReport, Range } from '../quantize/report.js'
import { type Chart, type Draw, loadDraw } from './draw.js'
import { escaped, htmlPage, htmlTable } from './html.js'
import { bytesChart, COLOURS, histogramChart, repairsChart, sqnrChart } from './quantize-charts.js'
import {
  accuracyText,
  dbText,
  numberText,
  percentText,
  rangeText,
  repairAccuracyText,
  shortName,
  sizeText,
  weightText,
  worstLayers,
} from './quantize-text.js'
import { bytesText, timeText } from './units.js'

export interface PageFacts {
  /** Names of the files. */
  readonly model: string
  readonly output: string
  /** Of lowbit. */
  readonly version: string
}

/** More layers than these have histograms for those with the lowest SQNR alone: the page stays below some megabytes. */
const MOST_HISTOGRAMS = 120

/**
 * The page, as HTML text.
 *
 * @param draw Of `loadDraw`, which says early that packages are missing.
 */
export async function quantizePage(report: QuantizeReport, facts: PageFacts, draw?: Draw): Promise<string> {
  const paint = draw ?? (await loadDraw())
  const { layers, repairs, notes, recipe } = report
  const body = [
    `<h1>${escaped(facts.model)} → ${escaped(facts.output)}</h1>`,
    cards(report),
    `<p>Recipe ${escaped(recipe.name ?? 'of your own')}, ${report.samples} samples, ${timeText(1000 * report.seconds)}, lowbit ${escaped(facts.version)}.</p>`,
    ...notes.map((note) => `<p class="note">${escaped(note)}</p>`),
    await section(
      'Signal to noise, layer by layer',
      'SQNR = 10 log<sub>10</sub>(Σ x² / Σ (x − y)²) with x of the float model and y of the quantised one, over all samples. Higher is better; 6 dB are one bit.',
      sqnrChart(layers),
      paint,
    ),
    await section(
      'Weights',
      'Bytes of each layer, in the float file and in the quantised one.',
      bytesChart(layers),
      paint,
    ),
    await repairSection(report, paint),
    repairs.length > 0 ? repairTable(report) : '',
    `<h2>Layers</h2>\n${layerTable(layers)}`,
    await histograms(layers, paint),
    `<h2>Recipe</h2>\n<pre>${escaped(JSON.stringify(recipe, null, 2))}</pre>`,
  ]
  return htmlPage({
    title: `${facts.model}: quantisation report`,
    style: STYLE,
    body: body.filter((part) => part !== '').join('\n'),
  })
}

function cards({ fileBytes, weightBytes, accuracy, outputs }: QuantizeReport): string {
  const card = (title: string, value: string) =>
    `<div><dt>${escaped(title)}</dt><dd>${escaped(value)}</dd></div>`
  return `<dl class="cards">
${card('file', sizeText(fileBytes))}
${card('weights', sizeText(weightBytes))}
${accuracy ? card('accuracy', accuracyText(accuracy)) : ''}
${outputs.map(({ name, sqnrDb }) => card(`SQNR of ${name}`, `${dbText(sqnrDb)} dB`)).join('\n')}
</dl>`
}

/** `text` is HTML. */
async function section(title: string, text: string, chart: Chart | undefined, draw: Draw): Promise<string> {
  if (chart === undefined) return ''
  return `<h2>${escaped(title)}</h2>\n<p>${text}</p>\n<figure class="wide">${await draw(chart)}</figure>`
}

function repairSection({ repairs }: QuantizeReport, draw: Draw): Promise<string> {
  const what = repairs.every(({ accuracy }) => accuracy !== undefined)
    ? 'Accuracy in per cent'
    : 'SQNR of the first output in dB'
  return section('What each repair gains', `${what}, without and with it.`, repairsChart(repairs), draw)
}

function repairTable({ repairs }: QuantizeReport): string {
  const isMeasured = repairs.some(({ accuracy }) => accuracy !== undefined)
  const rows = repairs.map(({ name, sqnrDb, accuracy }) => [
    escaped(name),
    dbText(sqnrDb.without),
    dbText(sqnrDb.with),
    ...(isMeasured ? [escaped(repairAccuracyText(accuracy))] : []),
  ])
  const head = ['repair', 'SQNR without', 'with, dB', ...(isMeasured ? ['accuracy'] : [])]
  return htmlTable(head, rows, [false, true, true, false])
}

function layerTable(layers: readonly LayerReport[]): string {
  const head = [
    '#',
    'layer',
    'operator',
    'output',
    'SQNR dB',
    'max error',
    'seen',
    'range',
    'clipped',
    'weights',
    'SQNR dB',
    'bytes',
  ]
  const isNumber = [true, false, false, false, true, true, true, true, true, false, true, true]
  return htmlTable(head, layers.map(layerRow), isNumber)
}

function layerRow({ index, name, op, kept, output, weights }: LayerReport): readonly string[] {
  const title = `<span title="${escaped(name)}">${escaped(shortName(name))}</span>`
  return [
    String(index),
    output || weights ? `<a href="#layer-${index}">${title}</a>` : title,
    escaped(op),
    output ? escaped(output.type) : kept ? `<span class="kept">${escaped(kept)}</span>` : '',
    output ? dbText(output.sqnrDb) : '',
    output ? numberText(output.maxError) : '',
    output ? rangeText(output.seen) : '',
    output ? rangeText(output.range) : '',
    output ? percentText(output.clippedShare) : '',
    weights ? escaped(weightText(weights)) : '',
    weights ? dbText(weights.sqnrDb) : '',
    weights ? `${bytesText(weights.bytes.before)} → ${bytesText(weights.bytes.after)}` : '',
  ]
}

async function histograms(layers: readonly LayerReport[], draw: Draw): Promise<string> {
  const all = layers.filter(({ output, weights }) => output || weights)
  const worst = new Set(worstLayers(all, MOST_HISTOGRAMS))
  const shown = all.length <= MOST_HISTOGRAMS ? all : all.filter((layer) => worst.has(layer))
  if (shown.length === 0) return ''
  const few = shown.length < all.length ? ` These are the ${shown.length} layers with the lowest SQNR.` : ''
  const parts: string[] = []
  for (const layer of shown) parts.push(await layerHistograms(layer, draw))
  return `<h2>Histograms</h2>
<p>Values <span class="before">before</span> and <span class="after">after</span> rounding, heights on a logarithmic scale; <span class="range">dashed lines</span> are the ends of what the codes stand for.${few}</p>
${parts.join('\n')}`
}

async function layerHistograms(
  { index, name, op, output, weights }: LayerReport,
  draw: Draw,
): Promise<string> {
  const figure = async (
    title: string,
    of: { histogram: Histogram; range: Range; seen: Range; clippedShare: number },
  ) =>
    `<figure>${await draw(histogramChart(of.histogram, of.range))}<figcaption>${escaped(title)}: seen ${rangeText(of.seen)}, range ${rangeText(of.range)}, ${percentText(of.clippedShare, 3)} clipped</figcaption></figure>`
  const figures = [
    output ? await figure(`outputs, ${output.type}`, output) : '',
    weights ? await figure(`weights, ${weightText(weights)}`, weights) : '',
  ]
  return `<section id="layer-${index}"><h3>${index} ${escaped(name)} <small>${escaped(op)}</small></h3>
<div class="pair">${figures.join('\n')}</div></section>`
}

const STYLE = `:root { color-scheme: light; font: 15px/1.5 system-ui, sans-serif; color: #1f2937; background: #fff }
main { max-width: 76rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.5rem; overflow-wrap: anywhere } h2 { margin-top: 2.5rem; font-size: 1.2rem }
h3 { margin: 1.5rem 0 0; font-size: 1rem; overflow-wrap: anywhere } small { font-weight: normal; color: #6b7280 }
.cards { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0 }
.cards div { border: 1px solid #e5e7eb; border-radius: .5rem; padding: .5rem 1rem }
dt { color: #6b7280; font-size: .85rem } dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums }
.note { border-left: 3px solid ${COLOURS.weights}; padding-left: .75rem }
.wide { overflow-x: auto } figure { margin: .5rem 0 } figcaption { color: #6b7280; font-size: .8rem }
.pair { display: flex; flex-wrap: wrap; gap: 1.5rem }
table { border-collapse: collapse; font-size: .8rem; white-space: nowrap; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #e5e7eb; text-align: left }
th { position: sticky; top: 0; background: #f9fafb } .n { text-align: right }
td [title] { display: inline-block; max-width: 20rem; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom } td a { color: inherit }
.kept { color: #6b7280 } pre { background: #f9fafb; padding: .75rem; overflow-x: auto; font-size: .8rem }
.before { border-bottom: .4em solid ${COLOURS.before} } .after { border-bottom: 2px solid ${COLOURS.after} }
.range { border-bottom: 2px dashed ${COLOURS.range} }
`
