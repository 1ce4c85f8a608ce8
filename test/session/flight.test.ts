// Runs in flight: aborting them, the event loop beside them, many at once, and how little memory stays.

import { getEventListeners } from 'node:events'
import test from 'ava'
import { loadModel } from '#lib/index.js'
import { convFile, identityFile, int8s } from '../helpers/small-models.js'

/** Tens of milliseconds a run, in several steps. */
const SLOW = { image: 96, channels: 32, layers: 12, filter: 5 }
const slowInput = int8s(SLOW.image * SLOW.image * SLOW.channels)

test('an aborted signal rejects at once, and nothing runs', async (t) => {
  const model = await loadModel(convFile(SLOW), { threads: 1 })
  const signal = AbortSignal.abort(new Error('enough'))
  const rejected = model.run([slowInput], { signal }).catch((error: unknown) => error)
  const later = new Promise((resolve) => setImmediate(resolve, 'later'))
  t.is(await Promise.race([rejected, later]), signal.reason)
  t.throws(() => model.runSync([slowInput], { signal }), { is: signal.reason })
})

test('an abort ends a run after its current step, with the reason of the signal', async (t) => {
  const model = await loadModel(convFile(SLOW), { threads: 1 })
  const began = performance.now()
  const expected = await model.run([slowInput])
  const whole = performance.now() - began
  const controller = new AbortController()
  const reason = { any: 'value' }
  const started = performance.now()
  const running = model.run([slowInput], { signal: controller.signal })
  setImmediate(() => controller.abort(reason))
  t.is(await running.catch((error: unknown) => error), reason)
  // Of 13 steps one or two have run.
  const ms = performance.now() - started
  t.true(ms < 0.7 * whole, `${ms} of ${whole} ms`)
  t.deepEqual(await model.run([slowInput]), expected)
})

test('the listener is gone after the run, whatever its end', async (t) => {
  const model = await loadModel(identityFile(4))
  let listeners = 0
  const controller = new AbortController()
  const { signal } = controller
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...given: Parameters<typeof add>) => {
    listeners++
    add(...given)
  }
  signal.removeEventListener = (...given: Parameters<typeof remove>) => {
    listeners--
    remove(...given)
  }
  await model.run([new Int8Array(4)], { signal })
  t.is(listeners, 0)
  const running = model.run([new Int8Array(4)], { signal })
  t.is(listeners, 1)
  controller.abort()
  t.is(await running.catch((error: unknown) => error), signal.reason)
  t.is(listeners, 0)
})

test('sixty runs with one signal add one listener, and all of them are aborted', async (t) => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  t.teardown(() => process.off('warning', note))
  const model = await loadModel(identityFile(4))
  const { signal } = new AbortController()
  const runs = (signal: AbortSignal) =>
    Array.from({ length: 60 }, () => model.run([new Int8Array(4)], { signal }))
  await Promise.all(runs(signal))
  t.is(getEventListeners(signal, 'abort').length, 0)
  const controller = new AbortController()
  const running = runs(controller.signal).map((run) => run.catch((error: unknown) => error))
  t.is(getEventListeners(controller.signal, 'abort').length, 1)
  controller.abort()
  for (const end of await Promise.all(running)) t.is(end, controller.signal.reason)
  t.is(getEventListeners(controller.signal, 'abort').length, 0)
  await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(warnings, [])
})

test.serial('timers keep firing while a run is under way', async (t) => {
  const model = await loadModel(convFile(SLOW), { threads: 1 })
  let ticks = 0
  let slowest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    slowest = Math.max(slowest, now - last)
    last = now
    ticks++
  }, 1)
  const started = performance.now()
  // Several runs one after the other, so that there is time enough on any machine.
  while (performance.now() - started < 300) await model.run([slowInput])
  const ms = performance.now() - started
  clearInterval(timer)
  t.true(ticks > ms / 20, `${ticks} ticks in ${ms} ms, the longest pause ${slowest} ms`)
})

test('an output whose buffer is transferred meanwhile does no harm', async (t) => {
  const model = await loadModel(convFile(SLOW), { threads: 1 })
  const output = new Int8Array(slowInput.length)
  const running = model.run([slowInput], { outputs: [output] })
  structuredClone(output.buffer, { transfer: [output.buffer] })
  const end = await running.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )
  t.true(['done', 'OPTION_INVALID', 'SHAPE_MISMATCH'].includes(end ?? ''), `${end}`)
})

test.serial('a thousand models leave no memory behind', async (t) => {
  const file = convFile({ image: 32, channels: 32, layers: 3 })
  const input = int8s(32 * 32 * 32)
  const cycle = async () => {
    const model = await loadModel(file, { threads: 1 })
    model.runSync([input])
    await model.run([input])
    model.dispose()
  }
  for (let i = 0; i < 300; i++) await cycle()
  const before = process.memoryUsage.rss()
  for (let i = 0; i < 1000; i++) await cycle()
  const growth = process.memoryUsage.rss() - before
  // One model takes about half a megabyte: a leak of any part of it would show as far more.
  t.true(growth < 48 * 2 ** 20, `grew by ${(growth / 2 ** 20).toFixed(1)} MiB`)
})

test.serial('models that are never disposed are collected', async (t) => {
  const file = convFile({ image: 32, channels: 32, layers: 3 })
  const input = int8s(32 * 32 * 32)
  const load = async () => {
    const model = await loadModel(file, { threads: 1 })
    model.runSync([input])
    await new Promise(setImmediate) // Node gives native memory back between turns of the event loop
  }
  for (let i = 0; i < 100; i++) await load()
  const before = process.memoryUsage.rss()
  for (let i = 0; i < 500; i++) await load()
  const growth = process.memoryUsage.rss() - before
  // One model takes about half a megabyte.
  t.true(growth < 80 * 2 ** 20, `grew by ${(growth / 2 ** 20).toFixed(1)} MiB`)
})
