// npm run bench:train: its parts, the measurement with contenders whose driver is a line of JavaScript, and a small run.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { WrongUsage } from '#bench/peers/options.js'
import type { Contender } from '#bench/train/contenders.js'
import { growth, MOST_GROWTH, marksOf } from '#bench/train/flat.js'
import { type Options, parseOptions } from '#bench/train/options.js'
import { batchAt, batchesOf, PROBLEM, weightsOf } from '#bench/train/problem.js'
import { difference, tolerances } from '#bench/train/same.js'
import { measureAll, ratioToTorch } from '#bench/train/suite.js'
import type { Results } from '#bench/train/table.js'

test('options: what they are without being given, and the Python of the environment', (t) => {
  const options = parseOptions([], {})
  t.false(options.contenders.includes('tfjs'))
  t.like(options, { threads: 2, batch: 32, rounds: 3, epochs: 2, steps: 1563, most: 1.3, python: undefined })
  t.is(parseOptions([], { LOWBIT_BENCH_PYTHON: 'p' }).python, 'p')
  t.is(parseOptions(['--python', 'q'], { LOWBIT_BENCH_PYTHON: 'p' }).python, 'q')
})

for (const args of [
  ['--contenders', 'lowbit,other'],
  ['--contenders', 'torch'],
  ['--threads', '0'],
  ['--steps', '1.5'],
  ['--most', ''],
  ['--seconds', 'x'],
  ['--other'],
]) {
  test(`options: ${args.join(' ')} is wrong`, (t) => {
    t.throws(() => parseOptions(args, {}), { instanceOf: WrongUsage })
  })
}

test('the problem: weights within their limits, batches that differ, the first ones again while losses are checked', (t) => {
  const weights = weightsOf(PROBLEM)
  for (const [i, { shape, limit }] of PROBLEM.weights.entries()) {
    t.is(
      weights[i]?.length,
      shape.reduce((a, b) => a * b),
    )
    t.true(weights[i]?.every((x) => Math.abs(x) <= limit))
  }
  const batches = batchesOf({ ...PROBLEM, batch: 2, batches: 3 })
  t.is(batches.length, 3)
  t.is(batches[2]?.inputs.length, 2 * 32 * 32 * 3)
  t.true(batches.every(({ labels }) => labels.every((label) => label >= 0 && label < 10)))
  t.notDeepEqual(batches[0]?.inputs, batches[1]?.inputs)
  t.deepEqual(
    Array.from({ length: 8 }, (_, step) => batchAt(step, 3)),
    [0, 0, 0, 0, 0, 2, 0, 1],
  )
})

const LOSSES = [2.4, 2.2, 2, 1.8, 1.6]

test('losses may differ by what rounding makes of them, not by a hundredth of what is learned', (t) => {
  const allowed = tolerances(PROBLEM, LOSSES)
  t.true(allowed.every((most, i) => most > 1e-4 && most < 0.01 * (2.5 - (LOSSES[i] as number)) + 1e-3))
  t.is(difference(PROBLEM, LOSSES, LOSSES, false), undefined)
  const slower = LOSSES.map((loss) => loss + 0.01 * (2.4 - loss))
  t.regex(difference(PROBLEM, slower, LOSSES, false) ?? '', /loss of step 2/)
  t.is(difference(PROBLEM, [2.41, 2.3], LOSSES, true), undefined)
  t.regex(difference(PROBLEM, [2.5, 2.3], LOSSES, true) ?? '', /loss of step 1/)
  t.regex(difference(PROBLEM, [2.4, Number.NaN], LOSSES, true) ?? '', /NaN/)
  t.regex(difference(PROBLEM, [2.4, 2.4], LOSSES, true) ?? '', /does not fall/)
  t.regex(difference(PROBLEM, [], LOSSES, false) ?? '', /0 losses/)
})

test('memory is flat where tensors stay as they are and the resident set grows by little', (t) => {
  const mark = { steps: 200, rssBytes: 1e8, tensors: 30, tensorBytes: 1e6 }
  const later = { ...mark, steps: 400 }
  t.is(growth([mark, { ...later, rssBytes: 1e8 + MOST_GROWTH }, { ...later, rssBytes: 9e7 }]), undefined)
  t.regex(growth([mark, { ...later, rssBytes: 1e8 + MOST_GROWTH + 1 }]) ?? '', /resident/)
  t.regex(growth([mark, later, { ...later, tensors: 31 }]) ?? '', /30 tensors became 31/)
  t.regex(growth([mark, { ...later, tensorBytes: 2e6 }]) ?? '', /bytes of tensors/)
  t.regex(growth([]) ?? '', /nothing/)
  t.deepEqual(marksOf(2, 50), [200, 250, 300])
})

/** Prints what it is told to. */
const fake = (name: Contender['name'], losses: readonly number[], minMs: number): Contender => {
  const said = JSON.stringify({ losses, minMs, medianMs: 2 * minMs, samples: 3 })
  return {
    name,
    version: '1',
    command: [process.execPath, '-e', `console.log(${JSON.stringify(said)})`, '--'],
  }
}
const options = (more: Partial<Options>) => ({
  ...parseOptions(['--epochs', '0', '--rounds', '2'], {}),
  ...more,
  problem: PROBLEM,
  progress: () => undefined,
})

test('the faster PyTorch is what lowbit is compared with', async (t) => {
  const contenders = [fake('torch', LOSSES, 5), fake('torch-fast', LOSSES, 4), fake('lowbit', LOSSES, 5)]
  const { rows, failures } = await measureAll(contenders, options({ most: 1.2 }))
  t.deepEqual(
    rows.map(({ name, samples }) => [name, samples]),
    [
      ['lowbit', 6],
      ['torch', 6],
      ['torch-fast', 6],
    ],
  )
  t.is(ratioToTorch(rows), 1.25)
  t.deepEqual(failures, ['a step takes 1.25 times the time of PyTorch, at most 1.2 allowed'])
  t.deepEqual((await measureAll(contenders, options({ most: 1.3 }))).failures, [])
})

test('who does other work is not timed', async (t) => {
  const other = LOSSES.map((loss) => loss - 0.1)
  const { rows, failures } = await measureAll(
    [fake('lowbit', LOSSES, 5), fake('torch', other, 1)],
    options({}),
  )
  t.deepEqual(
    rows.map(({ name }) => name),
    ['lowbit'],
  )
  t.is(failures.length, 1)
  t.regex(failures[0] ?? '', /^torch: the loss of step 1/)
})

test('a small run: the same losses as TensorFlow.js by itself, and flat memory', async (t) => {
  const program = join(import.meta.dirname, '../../bench/train/run.js')
  const args =
    '--json --contenders lowbit,lowbit-int8,lowbit-layers,tfjs --batch 2 --rounds 1 --seconds 0.05 --warm-up 0.05 --epochs 2 --steps 60'
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args.split(' ')])
  const { rows, memory, failures } = JSON.parse(stdout) as Results
  t.deepEqual(failures, [])
  t.is(rows.length, 4)
  t.deepEqual(
    rows.map(({ losses }) => losses.length),
    [5, 5, 5, 2],
  )
  t.deepEqual(
    memory.map(({ name, marks }) => [name, ...marks.map(({ steps }) => steps)]),
    ['lowbit', 'lowbit-int8', 'lowbit-layers'].map((name) => [name, 200, 260, 320]),
  )
})
