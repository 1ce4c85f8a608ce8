// The addon through its loader: runs, arguments and buffers of every wrong kind.

import { stat } from 'node:fs/promises'
import test from 'ava'
import fc from 'fast-check'
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
    new DataView(from.buffer, 8, 16),
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
    if (i === 0) t.is(ended, 0)
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

/** Transfers the buffer away, which detaches it. */
function detach<View extends ArrayBufferView>(view: View): View {
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] })
  return view
}
const resizable = (bytes: number, most: number) =>
  new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(bytes, { maxByteLength: most })

const BUFFERS: Record<string, () => ArrayBufferView> = {
  detached: () => detach(new Uint8Array(8)),
  'detached DataView': () => {
    const view = new DataView(new ArrayBuffer(8))
    structuredClone(view.buffer, { transfer: [view.buffer] })
    return view
  },
  shared: () => new Uint8Array(new SharedArrayBuffer(8)),
  'shared DataView': () => new DataView(new SharedArrayBuffer(8)),
  resizable: () => new Uint8Array(resizable(8, 64), 0, 8),
  'length-tracking': () => new Uint8Array(resizable(8, 64)),
}
for (const [kind, make] of Object.entries(BUFFERS)) {
  test(`a ${kind} buffer is refused`, (t) => {
    const program = create(copyChain(8, 1))
    const good = new Uint8Array(8)
    // A DataView over a detached buffer has no length to read: then the buffer's own getters refuse.
    const refused = { name: 'LowbitError', code: 'OPTION_INVALID' }
    t.throws(() => program.run([make()], [good]), refused)
    t.throws(() => program.run([good], [make()]), refused)
    t.throws(() => program.runAsync([make()], [good]), refused)
    t.throws(() => program.runAsync([good], [make()]), refused)
    t.throws(() => program.profile([make()], 1), refused)
    t.throws(() => binding.createProgram(make() as Uint8Array, [], { threads: 1 }), refused)
    t.throws(
      () =>
        binding.createProgram(encodeProgram(copyChain(8, 1), format), [make() as Uint8Array], { threads: 1 }),
      refused,
    )
  })
}

test('an output that is detached during the run rejects', async (t) => {
  const program = create(copyChain(1 << 20, 20))
  const output = new Uint8Array(1 << 20)
  const { promise } = program.runAsync([new Uint8Array(1 << 20)], [output])
  detach(output)
  await t.throwsAsync(promise, { name: 'LowbitError', code: 'OPTION_INVALID' })
})

test('a replaced getter of ArrayBuffer changes nothing', (t) => {
  const program = create(copyChain(8, 1))
  const own = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'resizable') as PropertyDescriptor
  Object.defineProperty(ArrayBuffer.prototype, 'resizable', { configurable: true, get: () => false })
  try {
    t.throws(() => program.run([new Uint8Array(resizable(8, 64))], [new Uint8Array(8)]), {
      code: 'OPTION_INVALID',
    })
  } finally {
    Object.defineProperty(ArrayBuffer.prototype, 'resizable', own)
  }
})

test('wrong lengths and counts', (t) => {
  const program = create(copyChain(8, 1))
  const good = new Uint8Array(8)
  for (const bytes of [0, 7, 9, 1 << 20]) {
    t.throws(() => program.run([new Uint8Array(bytes)], [good]), { code: 'SHAPE_MISMATCH' })
    t.throws(() => program.run([good], [new Uint8Array(bytes)]), { code: 'SHAPE_MISMATCH' })
    t.throws(() => program.runAsync([good], [new Uint8Array(bytes)]), { code: 'SHAPE_MISMATCH' })
  }
  for (const list of [[], [good, good], new Array(4294967295)]) {
    t.throws(() => program.run(list, [good]), { code: 'INPUT_COUNT' })
    t.throws(() => program.run([good], list), { code: 'INPUT_COUNT' })
  }
  t.throws(() => program.run([undefined as never], [good]), { code: 'DTYPE_MISMATCH' })
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

test('options of createProgram', (t) => {
  const bytes = encodeProgram(copyChain(8, 1), format)
  const refused = { name: 'LowbitError', code: 'OPTION_INVALID' }
  for (const threads of [0, -1, 1.5, 257, Number.NaN, Number.POSITIVE_INFINITY, '2', null, undefined]) {
    t.throws(() => binding.createProgram(bytes, [], { threads: threads as number }), refused)
  }
  for (const isa of ['', 'AVX2', 'x'.repeat(1000), 3, null]) {
    t.throws(() => binding.createProgram(bytes, [], { threads: 1, isa: isa as string }), refused)
  }
  for (const isa of binding.cpu().known) binding.createProgram(bytes, [], { threads: 1, isa }).dispose()
  t.throws(() => binding.createProgram(bytes, [], { threads: 1, memory: 127 }), { code: 'LIMIT_EXCEEDED' })
  binding.createProgram(bytes, [], { threads: 256, memory: 128 }).dispose()
  const greedy = encodeProgram({ ...copyChain(8, 1), arenaBytes: 2 ** 50 }, format)
  t.throws(() => binding.createProgram(greedy, [], { threads: 1 }), { code: 'LIMIT_EXCEEDED' })
})

test('a bad program is FILE_INVALID and names its step', (t) => {
  const spec = copyChain(8, 2)
  const bad = encodeProgram(
    { ...spec, steps: [spec.steps[0] as never, { kind: 'copy', inputs: [], outputs: [0] }] },
    format,
  )
  t.throws(() => binding.createProgram(bad, [], { threads: 1 }), {
    code: 'FILE_INVALID',
    message: /^step 1 \(copy\): /,
  })
  t.throws(() => binding.createProgram(new Uint8Array(5), [], { threads: 1 }), { code: 'FILE_INVALID' })
})

test('cpu, kernels and format', (t) => {
  const cpu = binding.cpu()
  t.is(cpu.isas[0], 'scalar')
  t.is(cpu.isas.at(-1), cpu.isa)
  t.is(binding.cpu('scalar').isa, 'scalar')
  for (const name of cpu.isas) t.true(cpu.known.includes(name))
  t.true(Array.isArray(binding.kernels('scalar')))
  t.throws(() => binding.cpu('pentium'), { name: 'LowbitError', code: 'OPTION_INVALID' })
  t.throws(() => binding.kernels(5 as never), { code: 'OPTION_INVALID' })
  t.is(format.steps['copy'], Object.keys(format.steps).indexOf('copy'))
})

/** Values that no caller should hand in, and some that one may. */
const garbage = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withTypedArray: true,
    withSparseArray: true,
  }),
  fc.constantFrom<unknown>(
    new Uint8Array(8),
    [new Uint8Array(8)],
    [],
    new SharedArrayBuffer(8),
    new ArrayBuffer(8),
    Symbol('s'),
    () => 1,
    new Proxy([], {}),
    new Proxy({}, {}),
    Object.create(null),
    globalThis,
    [[new Uint8Array(8)]],
    { threads: 1 },
    { threads: 1, isa: {} },
    1n,
  ),
)

test('garbage as arguments and receivers throws and never crashes', async (t) => {
  // The raw addon, without the loader's guard in between.
  const { createRequire } = await import('node:module')
  const { binaryReport } = await import('#lib/native/load.js')
  const raw = createRequire(import.meta.url)(binaryReport().path as string) as Record<
    string,
    (...args: unknown[]) => unknown
  >
  const program = raw['createProgram']?.(encodeProgram(copyChain(8, 1), format), [], {
    threads: 1,
  }) as Record<string, (...args: unknown[]) => unknown>
  const run = program['runAsync']?.([new Uint8Array(8)], [new Uint8Array(8)]) as Record<string, never>
  await run['promise']
  const prototypes = [program, run].map((object) => Object.getPrototypeOf(object))
  const methods = prototypes.flatMap((prototype) =>
    Object.getOwnPropertyNames(prototype)
      .filter((name) => name !== 'dispose')
      .map((name) => prototype[name]),
  )
  const made = prototypes.map((prototype) => new prototype.constructor())
  const receivers = fc.oneof(garbage, fc.constantFrom<unknown>(program, run, ...made, ...prototypes))
  // Not cancelAll, which would end the runs of the tests beside this one.
  const exports = Object.entries(raw).flatMap(([name, call]) => (name === 'cancelAll' ? [] : [call]))
  const functions = fc.constantFrom(...exports, ...methods)
  const promises: Promise<unknown>[] = []
  let threw = 0
  fc.assert(
    fc.property(functions, receivers, fc.array(garbage, { maxLength: 5 }), (call, self, args) => {
      try {
        const result = call.apply(self, args) as { promise?: unknown } | undefined
        for (const value of [result, result?.promise]) {
          if (value instanceof Promise) promises.push(value.catch(() => undefined))
        }
      } catch (error) {
        threw++
        return error instanceof Error
      }
      return true
    }),
    { numRuns: 5000, seed: 7 },
  )
  await Promise.all(promises)
  t.true(threw > 1000)
  // Objects that a script constructed wrap nothing; a method of the other class is refused by V8 itself.
  t.throws(() => made[0].info(), { code: 'OPTION_INVALID' })
  t.throws(() => made[0].dispose(), { code: 'OPTION_INVALID' })
  t.throws(() => made[1].cancel(), { code: 'OPTION_INVALID' })
  t.throws(() => made[0].info.call(run), { instanceOf: TypeError })
})
