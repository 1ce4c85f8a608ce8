// The ratios as an SVG chart: a panel for each instruction set and thread count, a group of bars for each model, a
// line at 1. Longer bars mean that lowbit is faster. Bars of wrong results are hatched.

import type { Peer } from './options.js'
import { type Group, groupsOf, meanRatio, type Row, ratioOf, TITLES } from './results.js'

const COLOURS: Readonly<Record<Peer, string>> = { litert: '#3b6fb6', ort: '#d98032', 'ort-node': '#5b9e6f' }
const [LEFT, RIGHT, HEAD, PLOT, FOOT] = [44, 16, 40, 150, 76] as const
const [BAR, GAP] = [20, 14] as const
const TOP = 34

const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
const fixed = (x: number) => Number(x.toFixed(1))

function text(x: number, y: number, words: string, more = ''): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}"${more}>${escaped(words)}</text>`
}

/** A step of 1, 2 or 5 times a power of ten that cuts `most` into at most six. */
export function tickStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 6))
  return ([1, 2, 5].find((factor) => most / (factor * power) <= 6) ?? 10) * power
}

const MEAN = 'geometric mean'

interface Bar {
  readonly peer: Peer
  readonly ratio: number
  readonly right: boolean
}

/** The bars of each model, and those of the mean. */
function clusters(group: Group): { name: string; bars: Bar[] }[] {
  const bars = (ratio: (peer: Peer) => number | undefined, right: (peer: Peer) => boolean) =>
    group.peers.flatMap((peer) => {
      const value = ratio(peer)
      return value === undefined ? [] : [{ peer, ratio: value, right: right(peer) }]
    })
  const models = group.models.map((name) => ({
    name,
    bars: bars(
      (peer) => ratioOf(group, name, peer),
      (peer) => group.row(name, peer)?.right ?? true,
    ),
  }))
  const mean = bars(
    (peer) => meanRatio(group, peer),
    (peer) => group.models.every((model) => group.row(model, peer)?.right ?? true),
  )
  return [...models, { name: MEAN, bars: mean }]
}

interface Scale {
  readonly width: number
  readonly most: number
  readonly y: (ratio: number) => number
}

function grid({ width, most, y }: Scale): string[] {
  const step = tickStep(most)
  const count = Math.floor(most / step + 1e-9)
  const lines = Array.from({ length: count + 1 }, (_, i) => i * step).flatMap((tick) => [
    `<line class="grid" x1="${LEFT}" x2="${width - RIGHT}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}"/>`,
    text(LEFT - 6, y(tick) + 4, String(Number(tick.toFixed(3))), ' text-anchor="end"'),
  ])
  return lines
}

function panel(group: Group, width: number, most: number): string {
  const bottom = HEAD + PLOT
  const y = (ratio: number) => bottom - (ratio / most) * PLOT
  const cluster = group.peers.length * BAR
  const bars = clusters(group).flatMap(({ name, bars }, i) => {
    const x = LEFT + GAP + i * (cluster + GAP)
    const label = `rotate(-35 ${fixed(x + cluster / 2)} ${bottom + 14})`
    const weight = name === MEAN ? ' font-weight="bold"' : ''
    return [
      ...bars.flatMap(({ peer, ratio, right }) => {
        const at = x + group.peers.indexOf(peer) * BAR
        const fill = right ? COLOURS[peer] : `url(#wrong-${peer})`
        const height = fixed((ratio / most) * PLOT)
        return [
          `<rect x="${fixed(at + 1)}" y="${fixed(y(ratio))}" width="${BAR - 2}" height="${height}" fill="${fill}"/>`,
          text(at + BAR / 2, y(ratio) - 3, ratio.toFixed(ratio < 10 ? 2 : 0), ' class="value"'),
        ]
      }),
      text(x + cluster / 2 + 4, bottom + 14, name, ` text-anchor="end" transform="${label}"${weight}`),
    ]
  })
  const threads = group.threads === 1 ? 'one thread' : `${group.threads} threads`
  return [
    text(LEFT, HEAD - 22, `${group.isa}, ${threads}`, ' class="title"'),
    ...grid({ width, most, y }),
    ...bars,
    `<line class="one" x1="${LEFT}" x2="${width - RIGHT}" y1="${fixed(y(1))}" y2="${fixed(y(1))}"/>`,
  ].join('\n')
}

const STYLE = `text { font: 11px sans-serif; fill: #333 }
.title { font-size: 14px; font-weight: bold }
.value { font-size: 9px; text-anchor: middle }
.grid { stroke: #ddd }
.one { stroke: #b3261e; stroke-width: 1.5 }`

function legend(peers: readonly Peer[], wrong: boolean): string[] {
  const entries = peers.map((peer) => ({ fill: COLOURS[peer], words: `${TITLES[peer]} / lowbit` }))
  const first = peers[0]
  if (wrong && first) entries.push({ fill: `url(#wrong-${first})`, words: 'hatched: wrong result' })
  return entries.flatMap(({ fill, words }, i) => [
    `<rect x="${LEFT + i * 175}" y="12" width="12" height="12" fill="${fill}"/>`,
    text(LEFT + i * 175 + 18, 22, words),
  ])
}

function hatches(): string {
  return Object.entries(COLOURS)
    .map(
      ([peer, colour]) =>
        `<pattern id="wrong-${peer}" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
        `<rect width="5" height="5" fill="#fff"/><rect width="2.5" height="5" fill="${colour}"/></pattern>`,
    )
    .join('\n')
}

/** An SVG document. Panels share one scale, so that bars compare across them. */
export function chart(rows: readonly Row[]): string {
  const groups = groupsOf(rows).filter(({ peers }) => peers.length > 0)
  const all = groups.flatMap((group) => clusters(group).flatMap(({ bars }) => bars.map(({ ratio }) => ratio)))
  const most = 1.1 * Math.max(1.5, ...all)
  const widths = groups.map(({ peers, models }) => (models.length + 1) * (peers.length * BAR + GAP) + GAP)
  const width = LEFT + RIGHT + Math.max(480, ...widths)
  const panelHeight = HEAD + PLOT + FOOT
  const height = TOP + groups.length * panelHeight
  const peers = [...new Set(groups.flatMap((group) => group.peers))]
  const body = groups.map(
    (group, i) => `<g transform="translate(0 ${TOP + i * panelHeight})">\n${panel(group, width, most)}\n</g>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<style>${STYLE}</style>`,
    `<defs>${hatches()}</defs>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...legend(
      peers,
      rows.some((row) => !row.right),
    ),
    ...body,
    '</svg>\n',
  ].join('\n')
}
