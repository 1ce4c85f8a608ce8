// Vega-Lite charts → SVG text. vega and vega-lite are optional packages, loaded when a chart is asked for.

import type { TopLevelSpec } from 'vega-lite'
import { LowbitError } from '../errors.js'

export type Rows = readonly object[]

/** A chart: what to draw, and the rows of its named data sets. */
export interface Chart {
  /** Its data sets have names and no values. One object a kind of chart: it is compiled once. */
  readonly spec: TopLevelSpec
  readonly data: Readonly<Record<string, Rows>>
}

/** Makes SVG text of a chart. */
export type Draw = (chart: Chart) => Promise<string>

type Packages = readonly [typeof import('vega'), typeof import('vega-lite')]
const importPackages = (): Promise<Packages> => Promise.all([import('vega'), import('vega-lite')])

/** @throws {LowbitError} `PEER_MISSING` where the packages are not installed. */
export async function loadDraw(load: () => Promise<Packages> = importPackages): Promise<Draw> {
  const [vega, vegaLite] = await load().catch((cause: unknown) => {
    const message =
      'the HTML report is drawn by the packages vega and vega-lite, which are not installed or do not load; run: npm install vega vega-lite'
    throw new LowbitError('PEER_MISSING', message, { expected: ['vega', 'vega-lite'], cause })
  })
  const compiled = new Map<TopLevelSpec, ReturnType<typeof vega.parse>>()
  return async ({ spec, data }) => {
    const runtime = compiled.get(spec) ?? vega.parse(vegaLite.compile(spec).spec)
    compiled.set(spec, runtime)
    const view = new vega.View(runtime, { renderer: 'none' })
    for (const [name, rows] of Object.entries(data)) view.data(name, [...rows])
    try {
      return brief(await view.toSVG())
    } finally {
      view.finalize()
    }
  }
}

/** Hundredths of a pixel are enough; figures between the tags stay as they are. */
function brief(svg: string): string {
  return svg.replace(/<[^>]+>/g, (tag) => tag.replace(/(\.\d\d)\d+/g, '$1'))
}
