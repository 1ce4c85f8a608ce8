// The figures of bench:quantize: scores, sums of scores, tables.

import test from 'ava'
import { LADDER, RUNGS } from '#bench/quantize/recipes.js'
import { score, sum } from '#bench/quantize/score.js'
import { ladderMarkdown, markdown } from '#bench/quantize/table.js'

test('a score counts right answers, the first of equal outputs, and sums squares', (t) => {
  const float = Float32Array.of(0, 3, 4, 0)
  const outputs = Float32Array.of(1, 1, 4, 0)
  const made = score(float, outputs, 2, Uint8Array.of(1, 0))
  t.is(made.right, 1)
  t.is(made.signal, 25)
  t.is(made.noise, 5)
  t.is(made.sqnrDb, 10 * Math.log10(5))
  t.is(score(float, float, 2).sqnrDb, null)
  t.is(score(float, float, 2).right, undefined)
  t.throws(() => score(float, outputs.subarray(1), 2), { message: /3 outputs, the float model has 4/ })
})

test('scores of one row are summed, not averaged', (t) => {
  const one = score(Float32Array.of(1, 0), Float32Array.of(1, 0), 1, Uint8Array.of(0))
  const many = score(Float32Array.of(0, 2, 2, 0), Float32Array.of(0, 2, 0, 0), 2, Uint8Array.of(1, 1))
  t.like(sum([one, many]), { samples: 3, right: 2, signal: 9, noise: 4, sqnrDb: 10 * Math.log10(9 / 4) })
  t.is(sum([one, score(Float32Array.of(1), Float32Array.of(1), 1)]).right, undefined)
})

const result = (row: string, column: string, right: number) => ({
  name: row,
  row,
  column,
  bytes: 1,
  score: { samples: 8, right, signal: 10, noise: 1, sqnrDb: 10 },
})

test('a table has a row for each model and leaves out what is missing', (t) => {
  const methods = [{ title: 'Eight bits', columns: ['float', 'peer'] }]
  const text = markdown(methods, [result('a', 'float', 7), result('b', 'float', 8), result('b', 'peer', 4)])
  t.true(text.includes('| a | 87.50 % 10.0 dB |  |'))
  t.true(text.includes('| b | 100.00 % 10.0 dB | 50.00 % 10.0 dB |'))
})

test('every recipe of the ladder has its cell', (t) => {
  const results = [...LADDER.keys()].map((column, i) => result('a', column, i % 9))
  const lines = ladderMarkdown(results).trim().split('\n')
  t.is(lines.length, RUNGS.length + 2)
  t.is(ladderMarkdown(results).split(' dB').length - 1, LADDER.size)
})
