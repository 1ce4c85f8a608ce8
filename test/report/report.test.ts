// Tables, units and the memory chart: aligned, without colours, within the width.

import test from 'ava'
import { memoryChart } from '#lib/report/memory-chart.js'
import { facts, table } from '#lib/report/table.js'
import { bytesText, gmacsPerSecond, macsText, timeText } from '#lib/report/units.js'

const COLUMNS = [
  { title: 'name', shrinkTo: 6 },
  { title: 'count', align: 'right' as const },
]

test('columns are aligned and lines have no blanks at the end', (t) => {
  t.is(
    table(COLUMNS, [
      ['a', 5],
      ['longer', 12345],
    ]),
    'name    count\na           5\nlonger  12345',
  )
})

test('a table without rows is its head', (t) => {
  t.is(table(COLUMNS, []), 'name  count')
})

test('columns that may shrink give way', (t) => {
  const text = table(COLUMNS, [['a'.repeat(50), 1]], { width: 20 })
  t.is(text, `name           count\n${'a'.repeat(12)}…      1`)
  for (const line of table(COLUMNS, [['a'.repeat(50), 1]], { width: 5 }).split('\n'))
    t.true(line.length <= 13)
})

test('the head may be dressed', (t) => {
  t.true(table(COLUMNS, [], { head: (text) => `<${text}>` }).startsWith('<name'))
})

test('facts pad their names', (t) => {
  t.is(
    facts([
      ['a', 1],
      ['long', 'x'],
      ['none', ''],
    ]),
    'a     1\nlong  x\nnone',
  )
})

test('units', (t) => {
  t.deepEqual([0, 0.0004, 0.0481, 0.9, 1, 12.34, 250, 2500].map(timeText), [
    '0.00 µs',
    '0.40 µs',
    '48.1 µs',
    '900 µs',
    '1.00 ms',
    '12.3 ms',
    '250 ms',
    '2.50 s',
  ])
  t.deepEqual([0, 1023, 1024, 98304, 1310720, 5 * 2 ** 30].map(bytesText), [
    '0 B',
    '1023 B',
    '1.00 KiB',
    '96.0 KiB',
    '1.25 MiB',
    '5.00 GiB',
  ])
  t.deepEqual([0, 999, 1500, 12.5e6, 4.1e9].map(macsText), [
    '0 MAC',
    '999 MAC',
    '1.50 kMAC',
    '12.5 MMAC',
    '4.10 GMAC',
  ])
  t.is(gmacsPerSecond(1e9, 500), 2)
})

test('the memory chart stays within its width and shows places', (t) => {
  const lines = memoryChart(
    [
      { name: 'input', offset: 0, bytes: 512, life: [-1, 0] },
      { name: `deep/${'scope/'.repeat(20)}end`, offset: 512, bytes: 512, life: [0, 1] },
      { name: 'tiny', offset: 1023, bytes: 1, life: [1, 1] },
    ],
    1024,
    80,
  ).split('\n')
  t.is(lines.length, 4)
  for (const line of lines) t.true(line.length <= 80, line)
  t.regex(lines[1] ?? '', /\|#+ +\|/)
  t.regex(lines[2] ?? '', /\| +#+\| {2}….*end$/)
  t.regex(lines[3] ?? '', /\| +#\|/)
})

test('an empty arena has an empty chart', (t) => {
  t.is(memoryChart([], 0).split('\n').length, 1)
})
