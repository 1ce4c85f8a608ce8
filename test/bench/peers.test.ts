// The parts of npm run bench:peers that compute: options, comparisons, ratios, table and chart.

import test from 'ava'
import { macLimit } from '#bench/clock.js'
import { chart, powersAround } from '#bench/peers/chart.js'
import { difference, differenceText } from '#bench/peers/differences.js'
import { numbers } from '#bench/peers/drivers/inputs.js'
import { onnxName } from '#bench/peers/onnx.js'
import { PEERS, parseOptions, WrongUsage } from '#bench/peers/options.js'
import { belowLeast, groupsOf, meanRatio, type Results, type Row, ratioOf } from '#bench/peers/results.js'
import { merged } from '#bench/peers/suite.js'
import { markdown, markdownTable } from '#bench/peers/table.js'

test('options: what they are without being given', (t) => {
  const options = parseOptions([])
  t.deepEqual(options.peers, PEERS)
  t.deepEqual(options.threads, [1, 2])
  t.deepEqual([options.models, options.isas, options.prefix], [[], [], []])
  t.is(options.least, 0)
  t.is(options.out, 'bench-results')
})

test('options: lists, numbers and a command before the others', (t) => {
  const args =
    '--models a.tflite,b --isa avx2 --threads 2 --peers ort,litert --rounds 5 --seconds 0.1 --least 1.2'
  const options = parseOptions([...args.split(' '), '--prefix', 'flock FILE'])
  t.deepEqual(options.models, ['a.tflite', 'b'])
  t.deepEqual(options.isas, ['avx2'])
  t.deepEqual(options.threads, [2])
  t.deepEqual(options.peers, ['ort', 'litert'])
  t.deepEqual([options.rounds, options.seconds, options.least], [5, 0.1, 1.2])
  t.deepEqual(options.prefix, ['flock', 'FILE'])
})

for (const args of [
  ['--peers', 'litert,other'],
  ['--threads', '0'],
  ['--threads', '1.5'],
  ['--threads', ','],
  ['--rounds', 'x'],
  ['--seconds', '-1'],
  ['--least', '0'],
  ['--memory', 'huge'],
  ['--unknown'],
  ['model.tflite'],
]) {
  test(`options: ${args.join(' ')} is refused`, (t) => {
    t.throws(() => parseOptions(args), { instanceOf: WrongUsage })
  })
}

/** As drivers give them; from a larger buffer and an odd place, as files are read. */
function outputs(...arrays: (Int8Array | Float32Array)[]) {
  const parts = arrays.map((array) => Buffer.from(array.buffer))
  const bytes = Buffer.concat([Buffer.alloc(3), ...parts]).subarray(3)
  const layout = arrays.map((array) => ({
    dtype: array instanceof Int8Array ? 'int8' : 'float32',
    count: array.length,
  }))
  return { layout, bytes }
}

test('difference: one code counts, one hundredth of the greatest float does not', (t) => {
  const right = outputs(Int8Array.of(1, 2, 3), Float32Array.of(-100, 1))
  t.deepEqual(difference(right, right), { elements: 5, differing: 0, greatest: 0 })
  const other = outputs(Int8Array.of(1, 3, 0), Float32Array.of(-99.5, 1))
  t.deepEqual(difference(right, other), { elements: 5, differing: 2, greatest: 3 })
  const far = outputs(Int8Array.of(1, 2, 3), Float32Array.of(-98, 1))
  t.is(difference(right, far).differing, 1)
  t.is(difference(right, outputs(Int8Array.of(1, 2, 3), Float32Array.of(-100, Number.NaN))).differing, 1)
})

test('difference: other shapes are an error, not a difference', (t) => {
  t.throws(() => difference(outputs(Int8Array.of(1)), outputs(Int8Array.of(1, 2))), { message: /int8 x 2/ })
  t.throws(() => difference(outputs(Int8Array.of(1)), outputs(Float32Array.of(1))), {
    message: /float32 x 1/,
  })
})

test('difference as text', (t) => {
  t.is(differenceText({ elements: 1000, differing: 12, greatest: 3 }), '1.2 % of 1000 differ, by up to 3')
})

test('inputs: the same for everybody, over the whole range of the type', (t) => {
  // What drivers/common.py gives for the same seed.
  t.deepEqual([...numbers(1, 6, 'int8')], [-33, -108, -73, -9, -56, -85])
  t.deepEqual([...numbers(2, 2, 'float32')], [0.07852017879486084, -0.6629393100738525])
  t.deepEqual([...numbers(3, 8, 'int32')], [0, 1, 1, 1, 1, 1, 1, 0])
  const codes = numbers(2, 5000, 'uint8') as Uint8Array
  t.deepEqual([Math.min(...codes), Math.max(...codes)], [0, 255])
  const floats = numbers(3, 5000, 'float32') as Float32Array
  t.true(floats.every((x) => x >= -1 && x < 1))
  t.true(Math.abs(floats.reduce((a, b) => a + b, 0) / 5000) < 0.05)
  t.true(numbers(1, 100, 'int32').every((x) => x === 0 || x === 1))
})

test('names of ONNX forms', (t) => {
  t.deepEqual(onnxName('a/net_int8.tflite'), { base: 'net', file: 'net_u8s8.onnx' })
  t.deepEqual(onnxName('bert_dyn.tflite'), { base: 'bert', file: 'bert_dynq.onnx' })
})

test('rounds merge to their minima', (t) => {
  const rounds = [
    { minMs: 2, medianMs: 3, samples: 5 },
    { minMs: 1, medianMs: 4, samples: 6 },
  ]
  t.deepEqual(merged(rounds), { minMs: 1, medianMs: 3, samples: 11 })
})

const row = (model: string, contender: Row['contender'], minMs: number, more: Partial<Row> = {}): Row => ({
  model,
  isa: 'avx2',
  threads: 1,
  contender,
  minMs,
  medianMs: minMs,
  samples: 1,
  right: true,
  difference: { elements: 8, differing: 0, greatest: 0 },
  ...more,
})

const WRONG = { right: false, difference: { elements: 8, differing: 4, greatest: 0.5 } }
const ROWS: readonly Row[] = [
  row('a', 'lowbit', 2),
  row('a', 'litert', 4),
  row('a', 'ort', 1, WRONG),
  row('b', 'lowbit', 1),
  row('b', 'litert', 8),
  row('a', 'lowbit', 1, { threads: 2 }),
  row('a', 'litert', 0.5, { threads: 2 }),
]

test('ratios and their geometric mean', (t) => {
  const [one, two] = groupsOf(ROWS)
  if (!one || !two) return t.fail('two groups')
  t.deepEqual([one.threads, two.threads], [1, 2])
  t.deepEqual(one.models, ['a', 'b'])
  t.is(ratioOf(one, 'a', 'litert'), 2)
  t.is(ratioOf(one, 'b', 'ort'), undefined)
  t.true(Math.abs((meanRatio(one, 'litert') as number) - 4) < 1e-12)
  t.is(meanRatio(one, 'ort-node'), undefined)
  t.is(meanRatio(two, 'litert'), 0.5)
})

test('--least: below the bound is named, wrong results do not count', (t) => {
  t.deepEqual(belowLeast(ROWS, 0), [])
  t.deepEqual(belowLeast(ROWS, 1), ['avx2, 2 threads: LiteRT / lowbit is 0.500'])
  t.is(belowLeast(ROWS, 5).length, 2)
})

const RESULTS: Results = {
  date: '2026-01-02',
  commit: 'abc',
  command: 'npm run bench:peers --',
  machine: 'Some processor, 2 cores',
  node: '20.0.0',
  versions: { lowbit: '1.0.0', litert: '2.0.0' },
  rows: ROWS,
  leftOut: [{ contender: 'ort-node', where: 'everywhere', why: 'not installed' }],
  notes: ['a note'],
}

test('the table: times, ratios, who is wrong, who is missing', (t) => {
  const lines = markdown(RESULTS).split('\n')
  t.true(lines.includes('## avx2, one thread'))
  t.true(lines.includes('| a              |   2.00 |   4.00 |  2.00 |   1.00 wrong |  0.50 |'))
  t.true(lines.includes('| b              |   1.00 |   8.00 |  8.00 |              |       |'))
  t.true(lines.includes('| geometric mean |        |        |  4.00 |              |  0.50 |'))
  t.true(lines.includes('- ONNX Runtime, a, avx2, one thread: 50 % of 8 differ, by up to 0.5.'))
  t.true(lines.includes('- onnxruntime-node, everywhere: not installed'))
  t.true(lines.includes('- a note'))
  t.false(markdown({ ...RESULTS, leftOut: [], notes: [], rows: [] }).includes('## '))
})

test('a Markdown table is padded', (t) => {
  t.is(markdownTable(['a', 'b'], [['long', '1']]), '| a    |   b |\n| ---- | --: |\n| long |   1 |')
})

test('the chart: a bar for each ratio, hatched where the result is wrong', (t) => {
  const svg = chart(ROWS)
  const bars = svg.match(/<rect [^>]*width="22"[^>]*>/g) ?? []
  // Two groups: (a, b, mean) of LiteRT and (a, mean) of ONNX Runtime; (a, mean) of LiteRT.
  t.is(bars.length, 7)
  t.is(bars.filter((bar) => bar.includes('url(#wrong-ort)')).length, 2)
  t.regex(svg, /^<svg .*<\/svg>\n$/s)
  t.false(/NaN|Infinity|undefined/.test(svg))
})

test('the chart escapes names', (t) => {
  const svg = chart([row('<a&b>', 'lowbit', 1), row('<a&b>', 'litert', 2)])
  t.false(svg.includes('<a&b>'))
  t.true(svg.includes('&#60;a&#38;b&#62;'))
})

test('the chart reaches to powers of two around all ratios', (t) => {
  t.deepEqual(powersAround([]), { low: -1, high: 1 })
  t.deepEqual(powersAround([0.2, 4]), { low: -3, high: 2 })
  t.deepEqual(powersAround([1.1, 5]), { low: -1, high: 3 })
})

test('limits of instruction sets grow with threads', (t) => {
  t.is(macLimit('avxvnni', 2), 128)
  t.is(macLimit('scalar', 1), undefined)
})
