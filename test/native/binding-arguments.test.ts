// What the addon says to arguments and buffers of every wrong kind.

import test from 'ava'
import fc from 'fast-check'
import type { NativeExchange, NativeProgram } from '#lib/native/binding.js'
import { loadBinding } from '#lib/native/load.js'
import { copyChain, encodeProgram, type ProgramSpec } from '../helpers/program.js'

const binding = loadBinding()
const format = binding.format()
const create = (spec: ProgramSpec, constants: Uint8Array[] = [], threads = 2): NativeProgram =>
  binding.createProgram(encodeProgram(spec, format), constants, { threads })

/** Transfers the buffer away, which detaches it. */
function detach<View extends ArrayBufferView>(view: View): View {
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] })
  return view
}
type Resizable = ArrayBuffer & { resize(bytes: number): void }
const resizable = (bytes: number, most: number) =>
  new (ArrayBuffer as unknown as new (n: number, o: object) => Resizable)(bytes, { maxByteLength: most })

const BUFFERS: Record<string, () => ArrayBufferView> = {
  detached: () => detach(new Uint8Array(8)),
  shared: () => new Uint8Array(new SharedArrayBuffer(8)),
}
for (const [kind, make] of Object.entries(BUFFERS)) {
  test(`a ${kind} buffer is refused`, (t) => {
    const program = create(copyChain(8, 1))
    const good = new Uint8Array(8)
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

test('a resizable buffer has the length of the moment', async (t) => {
  const program = create(copyChain(8, 1))
  const good = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const views: Record<string, (buffer: ArrayBuffer) => Uint8Array> = {
    fixed: (buffer) => new Uint8Array(buffer, 8, 8),
    tracking: (buffer) => new Uint8Array(buffer, 8),
  }
  for (const [kind, viewOf] of Object.entries(views)) {
    const buffer = resizable(16, 64)
    const view = viewOf(buffer)
    program.run([good], [view])
    t.deepEqual([...view], [...good], kind)
    // It ends before the array, in the midst of it, where it begins.
    for (const bytes of [4, 12, 8, 0]) {
      const { promise } = program.runAsync([good], [view])
      buffer.resize(bytes)
      await t.throwsAsync(promise, { code: 'SHAPE_MISMATCH' }, `${kind} ${bytes}`)
      t.throws(() => program.run([view], [good]), { code: 'SHAPE_MISMATCH' })
      t.throws(() => program.run([good], [view]), { code: 'SHAPE_MISMATCH' })
      t.throws(() => program.runAsync([view], [good]), { code: 'SHAPE_MISMATCH' })
      buffer.resize(16)
    }
    buffer.resize(64)
    const outcome = () => program.run([view], [new Uint8Array(8)])
    if (kind === 'fixed') t.notThrows(outcome)
    else t.throws(outcome, { code: 'SHAPE_MISMATCH' })
  }
})

test('a run by way of memory of its own', async (t) => {
  const program = create(copyChain(8, 2))
  const good = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const { buffer, run } = program.exchange() as NativeExchange
  t.is(buffer.byteLength, 128)
  new Uint8Array(buffer).set(good)
  run()
  t.deepEqual([...new Uint8Array(buffer, 64, 8)], [...good])
  // Each call gives the same memory, which outlives every buffer over it.
  const again = (program.exchange() as NativeExchange).buffer
  t.deepEqual([...new Uint8Array(again, 64, 8)], [...good])
  detach(new Uint8Array(again))
  detach(new Uint8Array(buffer))
  run()
  const { promise } = program.runAsync([good], [new Uint8Array(8)])
  run()
  t.is(await promise, 'done')
  program.dispose()
  t.throws(run, { name: 'LowbitError', code: 'DISPOSED' })
  t.throws(() => program.exchange(), { name: 'LowbitError', code: 'DISPOSED' })
})

test('more arrays than fit on the stack', (t) => {
  const count = 9
  const spec: ProgramSpec = {
    ...copyChain(8, 1),
    inputs: new Array(count).fill(copyChain(8, 1).inputs[0]),
  }
  const program = create(spec)
  const inputs = Array.from({ length: count }, (_, i) => new Uint8Array(8).fill(i + 1))
  const output = new Uint8Array(8)
  program.run(inputs, [output])
  t.deepEqual([...output], new Array(8).fill(count))
  t.throws(() => program.run([output], [output]), {
    code: 'INPUT_COUNT',
    message: /^expected 9 inputs, got 1/,
  })
  t.throws(() => program.run([...inputs.slice(1), new Uint8Array(7)], [output]), {
    code: 'SHAPE_MISMATCH',
    message: /^input 8 has 7 bytes/,
  })
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
  for (const view of [undefined, good.buffer, [], new DataView(new ArrayBuffer(8)), new Proxy(good, {})]) {
    t.throws(() => program.run([view as never], [good]), { code: 'DTYPE_MISMATCH' })
    t.throws(() => program.run([good], [view as never]), { code: 'DTYPE_MISMATCH' })
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
  for (const packed of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2', null]) {
    t.throws(() => binding.createProgram(bytes, [], { threads: 1, packed: packed as number }), refused)
  }
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
