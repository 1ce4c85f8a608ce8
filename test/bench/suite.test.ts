// The measurement of npm run bench:peers, with contenders whose driver is a line of JavaScript.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Contender } from '#bench/peers/contenders.js'
import { type Measured, measureAll } from '#bench/peers/suite.js'

/** Writes one code and prints times: a driver. The code at a level and that of the reference kernels are given. */
const DRIVER = `
const args = process.argv
const at = args.indexOf('--output')
const [code, reference, ms] = JSON.parse(process.env.FAKE)
const chosen = args.includes('--reference') ? reference : code
if (chosen === null) { console.error('no such kernels'); process.exit(3) }
if (at > 0) require('fs').writeFileSync(args[at + 1], Uint8Array.of(chosen))
const outputs = [{ dtype: 'uint8', count: 1 }]
console.log(JSON.stringify({ outputs, minMs: ms, medianMs: 2 * ms, samples: 1 }))`

interface Fake {
  readonly name: Contender['name']
  /** Codes at levels; `whole` without a cap. A level without a code cannot be had. */
  readonly codes: Readonly<Record<string, number | null>>
  readonly reference?: number | null
  readonly ms: number
}

const fake = ({ name, codes, reference = null, ms }: Fake): Contender => ({
  name,
  version: '1',
  file: async (model) => model,
  async launch(isa = 'whole') {
    const code = codes[isa]
    if (code === undefined) throw new Error(`cannot be held to ${isa}`)
    return { command: [process.execPath, '-e', DRIVER], env: { FAKE: JSON.stringify([code, reference, ms]) } }
  },
})

async function measured(...fakes: readonly Fake[]): Promise<Measured> {
  const scratch = mkdtempSync(join(tmpdir(), 'lowbit-bench-'))
  try {
    return await measureAll(fakes.map(fake), {
      models: [{ name: 'model', path: 'model.tflite' }],
      isas: ['avx2', 'best'],
      best: 'best',
      threads: [1],
      rounds: 2,
      seconds: 0.01,
      scratch,
      prefix: () => [],
      progress: () => undefined,
    })
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

const LOWBIT: Fake = { name: 'lowbit', codes: { avx2: 7, best: 7, scalar: 7 }, ms: 1 }
const LITERT: Fake = { name: 'litert', codes: { avx2: 8, whole: 8 }, reference: 7, ms: 2 }

test('all are timed at each level, and what rounds otherwise than the reference is noted', async (t) => {
  const { rows, failures, notes } = await measured(LOWBIT, LITERT)
  t.deepEqual(failures, [])
  t.deepEqual(
    rows.map(({ isa, contender, minMs, samples, right }) => [isa, contender, minMs, samples, right]),
    [
      ['avx2', 'lowbit', 1, 2, true],
      ['avx2', 'litert', 2, 2, true],
      ['best', 'lowbit', 1, 2, true],
      ['best', 'litert', 2, 2, true],
    ],
  )
  t.is(notes.length, 1)
  t.regex(notes[0] ?? '', /against its reference kernels, model: 100 % of 1 differ, by up to 1/)
})

test('a wrong result of lowbit is a failure and is not timed', async (t) => {
  const { rows, failures } = await measured({ ...LOWBIT, codes: { avx2: 6, best: 7 } }, LITERT)
  t.is(failures.length, 1)
  t.regex(failures[0] ?? '', /model, avx2, 1 threads: wrong/)
  t.deepEqual(
    rows.map(({ isa, contender }) => `${isa} ${contender}`),
    ['avx2 litert', 'best lowbit', 'best litert'],
  )
})

test('a peer that is wrong at a level is timed and marked', async (t) => {
  const { rows, failures } = await measured(LOWBIT, {
    name: 'ort',
    codes: { avx2: 200, whole: 100 },
    ms: 0.5,
  })
  t.deepEqual(failures, [])
  t.deepEqual(
    rows.filter(({ contender }) => contender === 'ort').map(({ isa, right }) => [isa, right]),
    [
      ['avx2', false],
      ['best', true],
    ],
  )
})

test('what cannot be held to a level is left out there, with the reason', async (t) => {
  const { rows, leftOut } = await measured(LOWBIT, { name: 'ort', codes: { whole: 1 }, ms: 1 })
  t.deepEqual(leftOut, [{ contender: 'ort', where: 'model, avx2, 1 threads', why: 'cannot be held to avx2' }])
  t.is(rows.length, 3)
})

test('without reference kernels lowbit is held to its scalar ones, and a failing driver says why', async (t) => {
  const { failures, notes } = await measured({ ...LOWBIT, codes: { avx2: 7, best: 7, scalar: 5 } })
  t.is(failures.length, 2)
  t.deepEqual(notes, [])
  const aborted = await measured(LOWBIT, { ...LITERT, reference: null })
  t.deepEqual(aborted.failures, [])
  t.regex(aborted.notes[0] ?? '', /the reference failed: .*no such kernels/)
})
