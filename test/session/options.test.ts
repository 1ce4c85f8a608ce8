// Options and environment variables of loading.

import test from 'ava'
import { LowbitError, loadModel, type RunOptions } from '#lib/index.js'
import type { NativeCpu } from '#lib/native/binding.js'
import { usableCores } from '#lib/session/cores.js'
import { type LoadOptions, loadSettings } from '#lib/session/options.js'
import { oneOperatorFile } from '../helpers/model-builder.js'
import { convFile, identityFile, int8s } from '../helpers/small-models.js'

const CPU: NativeCpu = {
  isa: 'avx2',
  isas: ['scalar', 'avx2'],
  known: ['scalar', 'avx2', 'avxvnni', 'neon'],
  caches: { l1: 0, l2: 0, l3: 0 },
}

test('defaults', (t) => {
  t.deepEqual(loadSettings({}, {}, CPU), {
    threads: usableCores(),
    isa: undefined,
    memory: 'balanced',
    limits: { memory: 2 ** 31, steps: 16384, passes: 2 ** 24 },
  })
})

test('the option beats the variable, which beats the default; empty is unset', (t) => {
  const threads = (options: LoadOptions, variable: string) =>
    loadSettings(options, { LOWBIT_THREADS: variable }, CPU).threads
  t.is(threads({ threads: 3 }, '5'), 3)
  t.is(threads({}, '5'), 5)
  t.is(threads({}, ' 5 '), 5)
  t.is(threads({}, ''), usableCores())
  t.is(threads({ threads: 3 }, 'many'), 3)
})

test('levels', (t) => {
  const isa = (variable: string) => loadSettings({}, { LOWBIT_ISA: variable }, CPU).isa
  t.is(isa('scalar'), 'scalar')
  t.is(isa('neon'), 'neon')
  t.is(isa(''), undefined)
})

const wrong: readonly (readonly [string, unknown, Record<string, string>])[] = [
  ['unknown key', { thread: 1 }, {}],
  ['unknown limit', { limits: { bytes: 1 } }, {}],
  ['custom operators that are no object', { customOps: [] }, {}],
  ['a custom operator without run', { customOps: { My: { infer: () => [] } } }, {}],
  ['options that are no object', 5, {}],
  ['options that are null', null, {}],
  ['no threads', { threads: 0 }, {}],
  ['half a thread', { threads: 1.5 }, {}],
  ['a thousand threads', { threads: 1000 }, {}],
  ['threads as text', { threads: '2' }, {}],
  ['memory', { memory: 'huge' }, {}],
  ['limits as number', { limits: 5 }, {}],
  ['limits that are null', { limits: null }, {}],
  ['a limit that is null', { limits: { memory: null } }, {}],
  ['a negative limit', { limits: { memory: -1 } }, {}],
  ['LOWBIT_THREADS=0', {}, { LOWBIT_THREADS: '0' }],
  ['LOWBIT_THREADS=2.5', {}, { LOWBIT_THREADS: '2.5' }],
  ['LOWBIT_THREADS=many', {}, { LOWBIT_THREADS: 'many' }],
  ['LOWBIT_ISA=sse9', {}, { LOWBIT_ISA: 'sse9' }],
]
for (const [title, options, environment] of wrong) {
  test(`refused: ${title}`, (t) => {
    t.throws(() => loadSettings(options as LoadOptions, environment, CPU), {
      instanceOf: LowbitError,
      code: 'OPTION_INVALID',
    })
  })
}

test('an unknown key is named', (t) => {
  t.throws(() => loadSettings({ thread: 1 } as LoadOptions, {}, CPU), {
    message: /"thread".*threads, memory, limits/,
  })
})

test('loadModel checks its options', async (t) => {
  await t.throwsAsync(loadModel(identityFile(4), { thread: 1 } as LoadOptions), { code: 'OPTION_INVALID' })
  for (const memory of ['small', 'balanced', 'fast'] as const) {
    const model = await loadModel(identityFile(4), { memory, threads: 1 })
    t.is(model.runSync([new Int8Array(4)]).length, 1)
  }
})

for (const options of [null, 5, true, [], () => {}, { threads: 1 }, { signal: null }, { outputs: null }]) {
  test(`refused as options of run: ${typeof options} ${JSON.stringify(options)}`, async (t) => {
    const model = await loadModel(identityFile(4))
    const input = new Int8Array(4)
    await t.throwsAsync(model.run([input], options as RunOptions), { code: 'OPTION_INVALID' })
    t.throws(() => model.runSync([input], options as RunOptions), { code: 'OPTION_INVALID' })
  })
}

test('options of run may be undefined, as a whole and one by one', async (t) => {
  const model = await loadModel(identityFile(4))
  for (const options of [undefined, {}, { signal: undefined, outputs: undefined, keep: undefined }]) {
    t.is((await model.run([new Int8Array(4)], options)).length, 1)
    t.is(model.runSync([new Int8Array(4)], options).length, 1)
  }
})

test('limits hold before anything is allocated', async (t) => {
  const file = convFile({ image: 4096, channels: 64, layers: 1 })
  const before = process.memoryUsage.rss()
  await t.throwsAsync(loadModel(file, { limits: { memory: 2 ** 30 } }), { code: 'LIMIT_EXCEEDED' })
  t.true(process.memoryUsage.rss() - before < 2 ** 27)
  await t.throwsAsync(loadModel(convFile(), { limits: { memory: 1000 } }), { code: 'LIMIT_EXCEEDED' })
  const codes = { dtype: 'int8', shape: [1, 4, 4, 1], scale: 1 } as const
  const size = { dtype: 'int32', shape: [2], data: Int32Array.of(20_000, 20_000) } as const
  const large = oneOperatorFile({ type: 'RESIZE_BILINEAR', inputs: [codes, size], outputs: [codes] })
  const started = performance.now()
  await t.throwsAsync(loadModel(large, { limits: { memory: 2 ** 22 } }), { code: 'LIMIT_EXCEEDED' })
  t.true(performance.now() - started < 500, 'refused before any table is made')
  await t.throwsAsync(loadModel(convFile(), { limits: { steps: 2 } }), {
    code: 'LIMIT_EXCEEDED',
    message: /3 steps/,
  })
  t.truthy(await loadModel(convFile(), { limits: { steps: 3 } }))
})

/** Loads with a variable set; it is read before loadModel returns. */
function loadWith(name: string, value: string): ReturnType<typeof loadModel> {
  const before = process.env[name]
  process.env[name] = value
  try {
    return loadModel(convFile())
  } finally {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
}

test('LOWBIT_ISA caps the kernels; levels of other processors are skipped', async (t) => {
  const input = int8s(256)
  const best = await loadModel(convFile())
  const expected = best.runSync([input])
  for (const level of ['scalar', 'avx2', 'avx512vnni', 'neon', 'neoni8mm', '']) {
    const model = await loadWith('LOWBIT_ISA', level)
    t.deepEqual(model.runSync([input]), expected, level)
    if (level !== 'scalar') continue
    const steps = await model.profile([input], { runs: 1 })
    t.true(
      steps.every(({ kernel }) => kernel.includes('scalar')),
      JSON.stringify(steps),
    )
  }
  await t.throwsAsync(loadWith('LOWBIT_ISA', 'sse9'), { code: 'OPTION_INVALID', message: /LOWBIT_ISA/ })
  await t.throwsAsync(loadWith('LOWBIT_THREADS', 'x'), { code: 'OPTION_INVALID', message: /LOWBIT_THREADS/ })
})
