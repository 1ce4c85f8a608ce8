// The report page: what stands in it, and how a real browser shows it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { loadDraw } from '#lib/report/draw.js'
import { quantizePage } from '#lib/report/quantize-page.js'
import { findBrowser, visit } from '../helpers/browser.js'
import { layerReport, quantizeReport } from '../helpers/quantize-report.js'
import { tree } from '../helpers/tree.js'

const FACTS = { model: 'float.tflite', output: 'int8.tflite', version: '1.2.3' }
const kept = { index: 4, op: 'SOFTMAX', name: 'scores', kept: 'skipped by the recipe' }
const layers = [...Array.from({ length: 4 }, (_, i) => layerReport(i)), kept]
const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0

test('every layer has its row and its histograms, every figure its place', async (t) => {
  const page = await quantizePage(quantizeReport(layers), FACTS)
  t.is(count(page, /<svg /g), 3 + 2 * 4)
  t.is(count(page, /<tr><td/g), 2 + layers.length)
  for (const text of [
    '87.03 %',
    '-0.16 points',
    '31.3 dB',
    'skipped by the recipe',
    'one sample has values beyond',
  ]) {
    t.true(page.includes(text), text)
  }
  t.false(/NaN|undefined|Infinity/.test(page))
})

test('names cannot become elements', async (t) => {
  const evil = '<script>alert(1)</script><img src=x onerror="alert(1)">'
  const page = await quantizePage(quantizeReport([layerReport(0, evil)]), { ...FACTS, model: evil })
  t.false(/<script|<img/.test(page))
  t.true(page.includes('&lt;script&gt;'))
})

test('layers without figures: no charts, no broken ones', async (t) => {
  const { accuracy: _, ...report } = { ...quantizeReport([kept]), repairs: [], outputs: [], notes: [] }
  const page = await quantizePage(report, FACTS)
  t.is(count(page, /<svg /g), 0)
  t.true(page.includes('skipped by the recipe'))
})

test('values that are all alike, or none, still make a histogram', async (t) => {
  const { output, ...layer } = layerReport(0)
  const histogram = { min: 1, max: 1, before: [7], after: [7] }
  const flat = { ...layer, output: { ...(output as NonNullable<typeof output>), sqnrDb: null, histogram } }
  const empty = {
    ...flat,
    index: 1,
    output: { ...flat.output, histogram: { min: 0, max: 0, before: [], after: [] } },
  }
  const page = await quantizePage(quantizeReport([flat, empty]), FACTS)
  t.false(/NaN|undefined|Infinity/.test(page))
})

test('a large model: the worst layers alone have histograms', async (t) => {
  const page = await quantizePage(
    quantizeReport(Array.from({ length: 300 }, (_, i) => layerReport(i))),
    FACTS,
  )
  t.is(count(page, /<section id="layer-/g), 120)
  t.true(page.includes('the 120 layers with the lowest SQNR'))
  t.true(page.length < 3_000_000, `${page.length} characters`)
})

test('missing packages are named', async (t) => {
  const missing = () => Promise.reject(new Error("Cannot find package 'vega'"))
  await t.throwsAsync(loadDraw(missing), { code: 'PEER_MISSING', message: /npm install vega vega-lite/ })
})

/** Of each chart: its size on the page, and how many of its marks are visible. */
const LOOK = `[...document.querySelectorAll('svg')].map((svg) => {
  const { width, height } = svg.getBoundingClientRect()
  const marks = [...svg.querySelectorAll('.mark-area path, .mark-line path, .mark-rule line, .mark-rect path, .mark-symbol path')]
  const seen = marks.filter((mark) => { const box = mark.getBoundingClientRect(); return box.width > 0 || box.height > 0 })
  return { width, height, marks: seen.length }
})`

const browser = findBrowser()
if (browser === undefined) {
  test('in a browser', (t) => {
    t.log('skipped: no Chromium is installed (apt-get install chromium, or CHROMIUM=its path)')
    t.pass()
  })
} else {
  test('in a browser: charts are drawn, nothing is loaded, nothing is complained of', async (t) => {
    const file = join(
      tree({ 'report.html': await quantizePage(quantizeReport(layers), FACTS) }),
      'report.html',
    )
    const { value, messages, requests, picture } = await visit(browser, pathToFileURL(file).href, LOOK)
    const charts = value as readonly { width: number; height: number; marks: number }[]
    t.is(charts.length, 3 + 2 * 4)
    for (const { width, height, marks } of charts) {
      t.true(width > 300 && height > 60, `${width} x ${height}`)
      t.true(marks >= 4, `${marks} marks`)
    }
    t.deepEqual(messages, [])
    t.deepEqual(
      requests.filter((url) => !url.startsWith('data:')),
      [pathToFileURL(file).href],
    )
    t.true(picture.length > 10_000)
    const keep = process.env['LOWBIT_REPORT_PICTURE']
    if (keep) writeFileSync(keep, picture)
  })
}
