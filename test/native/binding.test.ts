// The addon through its loader: runs, their order and their end, and what programs share.

import { stat } from 'node:fs/promises'
import test from 'ava'
import type { NativeProgram } from '#lib/native/binding.js'
import { loadBinding } from '#lib/native/load.js'
import { copyChain, encodeProgram, type ProgramSpec } from '../helpers/program.js'

const binding = loadBinding()
const format = binding.format()
const create = (spec: ProgramSpec, constants: Uint8Array[] = [], threads = 2): NativeProgram =>
  binding.createProgram(encodeProgram(spec, format), constants, { threads })
const counting = (bytes: number, start = 0) => Uint8Array.from({ length: bytes }, (_, i) => start + i)

/** Runs long enough to be met in mid-run: about a second of copies of 8 MiB. */
const LONG = copyChain(1 << 23, 500)

test('a program runs, at once and on another thread', async (t) => {
  const program = create(copyChain(100, 3))
  const input = counting(100)
  const output = new Uint8Array(100)
  program.run([input], [output])
  t.deepEqual(output, input)
  output.fill(0)
  t.is(await program.runAsync([input], [output]).promise, 'done')
  t.deepEqual(output, input)
  program.dispose()
})

test('views keep their offset, whatever their type', (t) => {
  const program = create(copyChain(16, 1))
  const from = counting(64)
  const to = new Uint8Array(64)
  const inputs = [
    new Uint8Array(from.buffer, 8, 16),
    new Int32Array(from.buffer, 8, 4),
    new Float64Array(from.buffer, 8, 2),
    new BigInt64Array(from.buffer, 8, 2),
    Buffer.from(from.buffer, 8, 16),
  ]
  for (const input of inputs) {
    to.fill(0)
    program.run([input], [new Uint16Array(to.buffer, 24, 8)])
    t.deepEqual(
      [...to],
      [...new Array(24).fill(0), ...from.subarray(8, 24), ...new Array(24).fill(0)],
      input.constructor.name,
    )
  }
})

test('inputs are copied before runAsync returns', async (t) => {
  const program = create(copyChain(1 << 16, 50))
  const input = new Uint8Array(1 << 16).fill(7)
  const output = new Uint8Array(1 << 16)
  const { promise } = program.runAsync([input], [output])
  input.fill(9)
  t.is(await promise, 'done')
  t.true(output.every((value) => value === 7))
})

test('many runs in flight do not meet each other', async (t) => {
  const program = create(copyChain(1000, 41))
  const outputs = Array.from({ length: 100 }, () => new Uint8Array(1000))
  const ends = await Promise.all(
    outputs.map((output, i) => program.runAsync([new Uint8Array(1000).fill(i)], [output]).promise),
  )
  t.true(ends.every((end) => end === 'done'))
  for (const [i, output] of outputs.entries()) t.true(output.every((value) => value === i))
})

test.serial('the event loop goes on during a run', async (t) => {
  const program = create(LONG)
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const bytes = new Uint8Array(1 << 23)
  const start = performance.now()
  await program.runAsync([bytes], [bytes]).promise
  clearInterval(timer)
  t.true(turns >= Math.min(10, (performance.now() - start) / 20), `${turns} turns`)
})

test('constants, constant outputs, and an input that is an output', (t) => {
  const place = (offset: number) => ({ dtype: 'int8', dims: [8], bytes: 8, place: { offset } })
  const program = create(
    {
      arenaBytes: 128,
      tensors: [place(0), place(64), { dtype: 'int8', dims: [8], bytes: 8, place: { source: 1, offset: 3 } }],
      steps: [{ kind: 'copy', inputs: [2], outputs: [1] }],
      inputs: [0],
      outputs: [0, 1, 2],
    },
    [new Uint8Array(0), counting(11)],
  )
  const outputs = [0, 1, 2].map(() => new Int8Array(8))
  program.run([counting(8, 50)], outputs)
  t.deepEqual(
    outputs.map((output) => [...output]),
    [[...counting(8, 50)], [...counting(8, 3)], [...counting(8, 3)]],
  )
  t.is(program.info().packedBytes, 8)
})

test('empty tensors and programs without steps', async (t) => {
  const program = create({
    arenaBytes: 0,
    tensors: [{ dtype: 'float32', dims: [0, 4], bytes: 0, place: { offset: 0 } }],
    steps: [],
    inputs: [0],
    outputs: [0, 0],
  })
  const empty = new Float32Array(0)
  program.run([empty], [empty, empty])
  t.is(await program.runAsync([empty], [empty, empty]).promise, 'done')
  t.is((await program.profile([empty], 3)).length, 0)
  const nothing = create({ arenaBytes: 64, tensors: [], steps: [], inputs: [], outputs: [] })
  nothing.run([], [])
})

test('info and profile', async (t) => {
  const program = create(copyChain(1 << 20, 3))
  t.deepEqual(program.info(), {
    arenaBytes: 2 << 20,
    scratchBytes: 0,
    packedBytes: 0,
    sharedBytes: 0,
    kernels: ['copy', 'copy', 'copy'],
  })
  const micros = await program.profile([new Uint8Array(1 << 20)], 5)
  t.is(micros.length, 3)
  t.true(micros.every((value) => value > 0 && value < 1e6))
})

test.serial('a cancelled run ends early and leaves its outputs alone', async (t) => {
  const program = create(LONG)
  const output = new Uint8Array(1 << 23).fill(1)
  const run = program.runAsync([new Uint8Array(1 << 23)], [output])
  setTimeout(() => run.cancel(), 20)
  t.is(await run.promise, 'cancelled')
  t.true(output.every((value) => value === 1))
  run.cancel()
})

test.serial('a run that had just ended when it was cancelled leaves its outputs alone', async (t) => {
  const program = create(copyChain(1 << 12, 3))
  const input = new Uint8Array(1 << 12).fill(7)
  for (let i = 0; i < 200; i++) {
    const output = new Uint8Array(1 << 12).fill(1)
    const run = program.runAsync([input], [output])
    // Long enough for a thread to end the run; its completion waits for this one.
    for (const began = performance.now(); performance.now() - began < i / 200; );
    run.cancel()
    t.is(await run.promise, 'cancelled')
    t.true(output.every((value) => value === 1))
  }
})

test.serial('runs that no thread has begun are cancelled at once', async (t) => {
  const program = create(LONG)
  const bytes = new Uint8Array(1 << 23)
  const runs = Array.from({ length: 12 }, () => program.runAsync([bytes], [bytes]))
  for (const run of runs) run.cancel()
  const ends = await Promise.all(runs.map((run) => run.promise))
  t.deepEqual(new Set(ends), new Set(['cancelled']))
})

test.serial('runs in flight leave threads to the files of the process', async (t) => {
  const program = create(LONG, [], 1)
  const bytes = new Uint8Array(1 << 23)
  let ended = 0
  const runs = Array.from({ length: 6 }, () => program.runAsync([bytes], [bytes]))
  const ends = Promise.all(runs.map(({ promise }) => promise.then(() => ended++)))
  const times: number[] = []
  for (let i = 0; i < 5; i++) {
    const began = performance.now()
    await stat('.')
    times.push(performance.now() - began)
    // Behind four runs in four threads, and two more before it, it would wait for three of them to end.
    if (i === 0) t.true(ended < 3, `${ended} runs had ended`)
  }
  t.true(Math.min(...times) < 20, `${times} ms`)
  await ends
})

test.serial('runs end in the order of their calls, whatever is cancelled between', async (t) => {
  const program = create(LONG)
  const bytes = new Uint8Array(1 << 23)
  const order: string[] = []
  const runs = Array.from({ length: 8 }, () => program.runAsync([bytes], [bytes]))
  const ends = runs.map(({ promise }, i) => promise.then((end) => order.push(`${i} ${end}`)))
  for (const waiting of [5, 3]) runs[waiting]?.cancel()
  await Promise.all([ends[5], ends[3]])
  // Those that wait are cancelled at once, before any run has ended.
  t.deepEqual(order, ['5 cancelled', '3 cancelled'])
  program.dispose()
  await Promise.all(ends)
  const done = order.slice(2)
  t.deepEqual(
    [...done].sort(),
    [0, 1, 2, 4, 6, 7].map((i) => `${i} done`),
  )
  // Two at a time: a run ends before the third after it.
  t.true(done.indexOf('0 done') < done.indexOf('6 done') && done.indexOf('2 done') < done.indexOf('7 done'))
})

test.serial('cancelAll ends every run of this environment', async (t) => {
  const programs = [create(LONG), create(LONG)]
  const bytes = new Uint8Array(1 << 23)
  const runs = programs.flatMap((program) => [1, 2, 3].map(() => program.runAsync([bytes], [bytes])))
  const profile = programs[0]?.profile([bytes], 10) as Promise<Float64Array>
  binding.cancelAll()
  await t.throwsAsync(profile, { name: 'LowbitError', code: 'DISPOSED' })
  for (const run of runs) t.is(await run.promise, 'cancelled')
})

test('dispose lets the runs in flight end, and is harmless twice', async (t) => {
  const program = create(copyChain(1 << 20, 100))
  const outputs = Array.from({ length: 8 }, () => new Uint8Array(1 << 20))
  const runs = outputs.map((output, i) => program.runAsync([new Uint8Array(1 << 20).fill(i)], [output]))
  const profile = program.profile([new Uint8Array(1 << 20)], 2)
  program.dispose()
  program.dispose()
  const [input] = outputs as [Uint8Array]
  t.throws(() => program.run([input], [input]), { name: 'LowbitError', code: 'DISPOSED' })
  t.throws(() => program.runAsync([input], [input]), { code: 'DISPOSED' })
  t.throws(() => program.profile([input], 1), { code: 'DISPOSED' })
  t.throws(() => program.info(), { code: 'DISPOSED' })
  for (const run of runs) t.is(await run.promise, 'done')
  for (const [i, output] of outputs.entries()) t.true(output.every((value) => value === i))
  t.is((await profile).length, 100)
  program.dispose()
})

test('a program disposed while its arguments are read', (t) => {
  const program = create(copyChain(8, 1))
  const inputs = [new Uint8Array(8)]
  Object.defineProperty(inputs, 0, {
    get: () => {
      program.dispose()
      return new Uint8Array(8)
    },
  })
  t.throws(() => program.run(inputs, [new Uint8Array(8)]), { code: 'DISPOSED' })
})

/** Copies a constant of 64 bytes to the output. */
const CONSTANT: ProgramSpec = {
  arenaBytes: 64,
  tensors: [
    { dtype: 'int8', dims: [64], bytes: 64, place: { source: 0, offset: 0 } },
    { dtype: 'int8', dims: [64], bytes: 64, place: { offset: 0 } },
  ],
  steps: [{ kind: 'copy', inputs: [0], outputs: [1] }],
  inputs: [],
  outputs: [1],
}

test('programs share what blocks of one number become', (t) => {
  const bytes = encodeProgram(CONSTANT, format)
  const shared = binding.createShared()
  const make = (fill: number, number: number, isShared = true) =>
    binding.createProgram(bytes, [new Uint8Array(64).fill(fill)], {
      threads: 1,
      identities: Float64Array.of(number),
      ...(isShared && { shared }),
    })
  const says = (program: NativeProgram) => {
    const output = new Uint8Array(64)
    program.run([], [output])
    return [output[63], program.info().packedBytes, program.info().sharedBytes]
  }
  const first = make(1, 7)
  const second = make(2, 7)
  const other = make(3, 8)
  const nameless = make(4, 0)
  t.deepEqual([first, second, other, nameless].map(says), [
    [1, 64, 0],
    [1, 64, 64],
    [3, 64, 0],
    [4, 64, 0],
  ])
  first.dispose()
  t.deepEqual(says(second), [1, 64, 64])
  t.deepEqual(says(make(6, 7)), [1, 64, 64])
  second.dispose()
  // Others have it still, so that it is found; when nobody has it, it is made anew.
  t.deepEqual(says(make(9, 8)), [3, 64, 64])
  t.deepEqual(says(make(9, 8, false)), [9, 64, 0])
  for (const number of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
    t.throws(() => make(1, number), { code: 'OPTION_INVALID' })
  }
  const wrong: readonly object[] = [
    { identities: new Float64Array(0) },
    { identities: new Float64Array(2) },
    { identities: [7] },
    { identities: 7 },
    { shared: {} },
    { shared: 5 },
    { shared: null },
  ]
  for (const options of wrong) {
    t.throws(
      () => binding.createProgram(bytes, [new Uint8Array(64)], { threads: 1, ...options }),
      undefined,
      JSON.stringify(options),
    )
  }
})
