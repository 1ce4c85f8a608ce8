// Figures of a quantisation for people, on the console and in the page alike.

import type { Change, LayerReport, QuantizeReport, Range, RepairReport } from '../quantize/report.js'
import { type Cell, facts, type TableOptions, table } from './table.js'
import { bytesText, timeText } from './units.js'

export const dbText = (db: number | null | undefined) => (typeof db === 'number' ? db.toFixed(1) : '–')
export const numberText = (value: number) => String(Number(value.toPrecision(4)))
export const rangeText = ({ min, max }: Range) => `${numberText(min)} to ${numberText(max)}`
export const percentText = (share: number, digits = 2) => `${(100 * share).toFixed(digits)} %`

/** Converters join the names of what they fuse by semicolons; the first one says enough in a table. */
export function shortName(name: string): string {
  const [first = '', ...rest] = name.split(';')
  return rest.length > 0 ? `${first} …` : first
}

/** `328 KiB to 99.2 KiB (30.2 %)`. */
export function sizeText({ before, after }: Change): string {
  const share = before > 0 ? ` (${((100 * after) / before).toFixed(1)} %)` : ''
  return `${bytesText(before)} to ${bytesText(after)}${share}`
}

/** `87.20 % to 87.05 % (-0.15 points)` where both are shares; plain numbers otherwise, as of an `evaluate` of one's own. */
export function accuracyText({ before, after }: Change): string {
  const isShare = [before, after].every((value) => value >= 0 && value <= 1)
  if (!isShare) return `${numberText(before)} to ${numberText(after)}`
  const points = 100 * (after - before)
  return `${percentText(before)} to ${percentText(after)} (${points < 0 ? '' : '+'}${points.toFixed(2)} points)`
}

/** `int8`, `int4 in 3 bits, piecewise`. */
export function weightText({ type, bits, method, granularity }: NonNullable<LayerReport['weights']>): string {
  const own = Number(/\d+$/.exec(type)?.[0])
  const parts = [bits === own ? type : `${bits} bits in ${type}`, granularity]
  return [...parts, ...(method === 'piecewise' ? [method] : [])].join(', ')
}

/** Those whose outputs have the lowest SQNR, lowest first. */
export function worstLayers(layers: readonly LayerReport[], count: number): readonly LayerReport[] {
  const db = ({ output }: LayerReport) => output?.sqnrDb ?? Number.POSITIVE_INFINITY
  return layers
    .filter((layer) => Number.isFinite(db(layer)))
    .sort((a, b) => db(a) - db(b))
    .slice(0, count)
}

/** The summary that the console gets. */
export function summaryText(
  report: QuantizeReport,
  files: readonly (readonly [string, Cell])[],
  options: TableOptions,
): string {
  const { recipe, samples, seconds, fileBytes, weightBytes, accuracy, outputs, repairs, notes } = report
  const lines = [
    facts([
      ...files,
      ['recipe', recipe.name ?? 'of your own'],
      ['samples', samples],
      ['time', timeText(1000 * seconds)],
      ['file', sizeText(fileBytes)],
      ['weights', sizeText(weightBytes)],
      ...outputs.map(({ name, sqnrDb }) => [`SQNR of ${name}`, `${dbText(sqnrDb)} dB`] as const),
      ...(accuracy ? [['accuracy', accuracyText(accuracy)] as const] : []),
    ]),
  ]
  const worst = worstLayers(report.layers, 5)
  if (worst.length > 0) lines.push('', 'Layers with the lowest SQNR:', layerTable(worst, options))
  if (repairs.length > 0) lines.push('', 'Repairs, without and with:', repairTable(report, options))
  lines.push(...notes.map((note) => `\nnote: ${note}`))
  return lines.join('\n')
}

const right = { align: 'right' as const }

function layerTable(layers: readonly LayerReport[], options: TableOptions): string {
  const columns = [
    { title: '#', ...right },
    { title: 'layer', shrinkTo: 20 },
    { title: 'operator' },
    { title: 'SQNR dB', ...right },
    { title: 'clipped', ...right },
    { title: 'max error', ...right },
  ]
  const rows = layers.map(({ index, name, op, output }) => [
    index,
    shortName(name),
    op,
    dbText(output?.sqnrDb),
    output ? percentText(output.clippedShare) : '',
    output ? numberText(output.maxError) : '',
  ])
  return table(columns, rows, options)
}

function repairTable({ repairs }: QuantizeReport, options: TableOptions): string {
  const isMeasured = repairs.some(({ accuracy }) => accuracy !== undefined)
  const columns = [
    { title: 'repair', shrinkTo: 20 },
    { title: 'SQNR dB' },
    ...(isMeasured ? [{ title: 'accuracy' }] : []),
  ]
  const rows = repairs.map(({ name, sqnrDb, accuracy }) => [
    name,
    `${dbText(sqnrDb.without)} to ${dbText(sqnrDb.with)}`,
    ...(isMeasured ? [repairAccuracyText(accuracy)] : []),
  ])
  return table(columns, rows, options)
}

/** Empty where it was not measured. */
export function repairAccuracyText(accuracy: RepairReport['accuracy']): string {
  return accuracy ? accuracyText({ before: accuracy.without, after: accuracy.with }) : ''
}
