// limits: what a model may ask for, at load and later.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { LowbitError, loadModel } from '#lib/index.js'
import { model } from '../helpers/model-builder.js'
import { convFile, int8s, mixedFile } from '../helpers/small-models.js'

const needs = async (file: Uint8Array) => {
  const { arenaBytes, scratchBytes, packedBytes } = (await loadModel(file)).memory
  return arenaBytes + scratchBytes + packedBytes
}

test('memory: as much as the model says it takes is enough, a byte less is not', async (t) => {
  for (const file of [convFile(), convFile({ image: 20, channels: 8 })]) {
    const memory = await needs(file)
    const loaded = await loadModel(file, { limits: { memory } })
    t.is(loaded.memory.arenaBytes + loaded.memory.scratchBytes + loaded.memory.packedBytes, memory)
    const error = await t.throwsAsync(loadModel(file, { limits: { memory: memory - 1 } }), {
      instanceOf: LowbitError,
    })
    t.like(error, { code: 'LIMIT_EXCEEDED' })
  }
})

test('steps: operators of the file are counted', async (t) => {
  const file = mixedFile()
  await loadModel(file, { limits: { steps: 11 } })
  const error = await t.throwsAsync(loadModel(file, { limits: { steps: 10 } }), { instanceOf: LowbitError })
  t.like(error, { code: 'LIMIT_EXCEEDED', expected: 10, actual: 11 })
})

test('limits hold for other shapes and kept tensors, and leave the model as it was', async (t) => {
  const file = convFile({ layers: 8, image: 32 })
  const loaded = await loadModel(file, { limits: { memory: await needs(file) } })
  const input = int8s(32 * 32 * 4)
  const before = loaded.runSync([input])
  t.throws(() => loaded.resize([[16, 32, 32, 4]]), { code: 'LIMIT_EXCEEDED' })
  const keep = ['t1', 't2', 't3', 't4', 't5', 't6']
  t.throws(() => loaded.runSync([input], { keep }), { code: 'LIMIT_EXCEEDED' })
  await t.throwsAsync(loaded.run([input], { keep }), { code: 'LIMIT_EXCEEDED' })
  t.deepEqual(loaded.runSync([input]), before)
  t.deepEqual(loaded.runSync([input], { keep: ['t9'] })[0], before[0])
})

test('limits hold for other signatures', async (t) => {
  const codes = (count: number) => ({ dtype: 'int8', shape: [1, count], scale: 1 }) as const
  const relu = (count: number) => ({
    tensors: { x: codes(count), y: codes(count) },
    operators: [{ type: 'RELU', inputs: ['x'], outputs: ['y'] }],
    inputs: ['x'],
    outputs: ['y'],
  })
  const signature = (name: string, subgraph: number) => ({
    name,
    subgraph,
    inputs: [{ name: 'x', tensor: 0 }],
    outputs: [{ name: 'y', tensor: 1 }],
  })
  const signatures = [signature('small', 0), signature('large', 1)]
  const bytes = encode(model([relu(10), relu(2 ** 20)], { signatures }))
  const loaded = await loadModel(bytes, { limits: { memory: 2 ** 16 } })
  t.is(loaded.signature('small').runSync({ x: int8s(10) })['y']?.data.length, 10)
  t.throws(() => loaded.signature('large'), { code: 'LIMIT_EXCEEDED' })
})
