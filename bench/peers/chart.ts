// The ratios as an SVG chart: a panel for each instruction set and thread count, a group of bars for each model, a
// line at 1. Bars above it mean that lowbit is faster; the scale is logarithmic, so that twice as fast is as long a bar
// as half as fast. Bars of wrong results are hatched.

import type { Peer } from './options.js'
import { type Group, groupsOf, meanRatio, type Row, ratioOf, TITLES } from './results.js'

const COLOURS: Readonly<Record<Peer, string>> = { litert: '#3b6fb6', ort: '#d98032', 'ort-node': '#5b9e6f' }
const [LEFT, RIGHT, HEAD, PLOT, FOOT] = [90, 16, 40, 150, 84] as const
const [BAR, GAP] = [24, 12] as const
const TOP = 34

const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
const fixed = (x: number) => Number(x.toFixed(1))

function text(x: number, y: number, words: string, more = ''): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}"${more}>${escaped(words)}</text>`
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

/** The powers of two that the chart reaches from and to: all ratios lie between them, and at least 0.5 to 2. */
export function powersAround(ratios: readonly number[]): { readonly low: number; readonly high: number } {
  const powers = ratios.map(Math.log2)
  return { low: Math.floor(Math.min(-1, ...powers)), high: Math.ceil(Math.max(1, ...powers)) }
}

type Scale = ReturnType<typeof powersAround>

/** From the top of a panel. */
const place = ({ low, high }: Scale, ratio: number) =>
  HEAD + ((high - Math.log2(ratio)) / (high - low)) * PLOT

function grid(scale: Scale, width: number): string[] {
  const { low, high } = scale
  return Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i)).flatMap((tick) => {
    const y = fixed(place(scale, tick))
    const kind = tick === 1 ? 'one' : 'grid'
    return [
      `<line class="${kind}" x1="${LEFT}" x2="${width - RIGHT}" y1="${y}" y2="${y}"/>`,
      text(LEFT - 6, y + 4, String(tick), ' text-anchor="end"'),
    ]
  })
}

function barOf({ peer, ratio, right }: Bar, x: number, scale: Scale): string[] {
  const [from, to] = [place(scale, 1), place(scale, ratio)]
  const fill = right ? COLOURS[peer] : `url(#wrong-${peer})`
  const [top, height] = [fixed(Math.min(from, to)), fixed(Math.abs(from - to))]
  return [
    `<rect x="${fixed(x + 1)}" y="${top}" width="${BAR - 2}" height="${height}" fill="${fill}"/>`,
    text(x + BAR / 2, ratio < 1 ? to + 9 : to - 3, ratio.toFixed(ratio < 10 ? 2 : 0), ' class="value"'),
  ]
}

function panel(group: Group, width: number, scale: Scale): string {
  const under = HEAD + PLOT + 16
  const cluster = group.peers.length * BAR
  const bars = clusters(group).flatMap(({ name, bars }, i) => {
    const x = LEFT + GAP + i * (cluster + GAP)
    const middle = fixed(x + cluster / 2 + 4)
    const weight = name === MEAN ? ' font-weight="bold"' : ''
    return [
      ...bars.flatMap((bar) => barOf(bar, x + group.peers.indexOf(bar.peer) * BAR, scale)),
      text(middle, under, name, ` text-anchor="end" transform="rotate(-35 ${middle} ${under})"${weight}`),
    ]
  })
  const threads = group.threads === 1 ? 'one thread' : `${group.threads} threads`
  const title = text(LEFT, HEAD - 16, `${group.isa}, ${threads}`, ' class="title"')
  return [title, ...grid(scale, width), ...bars].join('\n')
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
  const scale = powersAround(all)
  const widths = groups.map(({ peers, models }) => (models.length + 1) * (peers.length * BAR + GAP) + GAP)
  const width = LEFT + RIGHT + Math.max(560, ...widths)
  const panelHeight = HEAD + PLOT + FOOT
  const height = TOP + groups.length * panelHeight
  const peers = [...new Set(groups.flatMap((group) => group.peers))]
  const body = groups.map(
    (group, i) =>
      `<g transform="translate(0 ${TOP + i * panelHeight})">\n${panel(group, width, scale)}\n</g>`,
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
