// Signatures: runs by names, of any subgraph.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { LowbitError, loadModel } from '#lib/index.js'
import { model, type SubgraphSpec } from '../helpers/model-builder.js'
import { passWithoutShared, shared } from '../helpers/shared.js'
import { identityFile, int8s } from '../helpers/small-models.js'

const codes = { dtype: 'int8', shape: [1, 4], scale: 0.5 } as const
const weights = { dtype: 'int8', shape: [4, 4], scale: 1 } as const
/** Multiplies by a constant matrix with one entry a row. */
const layer = (factor: number): SubgraphSpec => ({
  tensors: {
    a: codes,
    b: codes,
    w: { ...weights, data: Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? factor : 0)) },
    y: codes,
    z: codes,
  },
  operators: [
    { type: 'FULLY_CONNECTED', inputs: ['a', 'w', null], outputs: ['y'] },
    { type: 'SUB', inputs: ['y', 'b'], outputs: ['z'] },
  ],
  inputs: ['a', 'b'],
  outputs: ['y', 'z'],
})
const port = (name: string, tensor: number) => ({ name, tensor })
const named = encode(
  model([layer(1), layer(2)], {
    signatures: [
      { name: 'same', subgraph: 0, inputs: [port('left', 0), port('right', 1)], outputs: [port('copy', 3)] },
      {
        name: 'twice',
        subgraph: 1,
        inputs: [port('right', 1), port('left', 0)],
        outputs: [port('difference', 4), port('double', 3)],
      },
      { name: 'half', subgraph: 1, inputs: [port('left', 0)], outputs: [] },
    ],
  }),
)

test('signatures run with names, in any order', async (t) => {
  const loaded = await loadModel(named)
  t.deepEqual(loaded.signatures.slice(0, 2), [
    { name: 'same', inputs: ['left', 'right'], outputs: ['copy'] },
    { name: 'twice', inputs: ['right', 'left'], outputs: ['difference', 'double'] },
  ])
  const [left, right] = [Int8Array.of(1, -2, 3, -4), Int8Array.of(10, 10, 10, 10)]
  const twice = loaded.signature('twice')
  t.is(twice.name, 'twice')
  t.like(twice.inputs['left'], { name: 'a', shape: [1, 4] })
  t.like(twice.outputs['difference'], { name: 'z', shape: [1, 4] })
  for (const result of [twice.runSync({ left, right }), await twice.run({ right, left })]) {
    t.deepEqual(Object.keys(result), ['difference', 'double'])
    t.deepEqual(result['double']?.data, Int8Array.of(2, -4, 6, -8))
    t.deepEqual(result['difference']?.data, Int8Array.of(-8, -14, -4, -18))
  }
  t.deepEqual((await loaded.signature('same').run({ left, right }))['copy']?.data, left)
  // Plain runs are subgraph 0 in the file's order.
  t.deepEqual(loaded.runSync([left, right])[0]?.data, left)
})

test('what is wrong with names and inputs', async (t) => {
  const loaded = await loadModel(named)
  const signature = loaded.signature('twice')
  const [left, right] = [int8s(4), int8s(4)]
  const refused: readonly (readonly [object, string])[] = [
    [{ left }, 'INPUT_COUNT'],
    [{}, 'INPUT_COUNT'],
    [{ left, right, middle: left }, 'NAME_UNKNOWN'],
    [{ left, right: new Int8Array(3) }, 'SHAPE_MISMATCH'],
    [{ left, right: undefined }, 'OPTION_INVALID'],
    [[left, right], 'OPTION_INVALID'],
    [left, 'OPTION_INVALID'],
  ]
  for (const [inputs, code] of refused) {
    const given = inputs as Record<string, Int8Array>
    t.throws(() => signature.runSync(given), { instanceOf: LowbitError, code })
    await t.throwsAsync(signature.run(given), { instanceOf: LowbitError, code })
  }
  t.throws(() => signature.runSync({ left, right }, { keep: [] } as object), { code: 'OPTION_INVALID' })
  t.throws(() => loaded.signature('none'), { code: 'NAME_UNKNOWN', message: /"same", "twice"/ })
  t.throws(() => loaded.signature('half'), { code: 'FILE_INVALID' })
})

test('abort, resize and dispose reach signatures', async (t) => {
  const loaded = await loadModel(named)
  const [same, twice] = [loaded.signature('same'), loaded.signature('twice')]
  const inputs = { left: int8s(4), right: int8s(4) }
  const reason = new Error('enough')
  await t.throwsAsync(twice.run(inputs, { signal: AbortSignal.abort(reason) }), { is: reason })
  const shape = [2, 4]
  loaded.resize([shape, shape])
  t.deepEqual(same.inputs['left']?.shape, [2, 4])
  t.is(same.runSync({ left: int8s(8), right: int8s(8) })['copy']?.data.length, 8)
  t.is(twice.runSync(inputs)['double']?.data.length, 4)
  loaded.dispose()
  t.throws(() => loaded.signature('same'), { code: 'DISPOSED' })
  t.throws(() => twice.runSync(inputs), { code: 'DISPOSED' })
  await t.throwsAsync(same.run(inputs), { code: 'DISPOSED' })
})

test('a file without signatures', async (t) => {
  const loaded = await loadModel(identityFile(4))
  t.deepEqual(loaded.signatures, [])
  t.throws(() => loaded.signature('serving_default'), { code: 'NAME_UNKNOWN' })
})

test('signatures of a real model share their weights', async (t) => {
  const path = shared('models/transformer/toy_kv_cache_multi_signature.tflite')
  if (path === undefined) return passWithoutShared(t)
  let loaded: Awaited<ReturnType<typeof loadModel>>
  try {
    loaded = await loadModel(new Uint8Array(readFileSync(path)))
  } catch (error) {
    t.is((error as LowbitError).code, 'OPERATOR_UNSUPPORTED')
    t.log(`skipped: ${(error as Error).message}`)
    return
  }
  t.true(loaded.signatures.length > 1)
  for (const { name, inputs, outputs } of loaded.signatures) {
    const signature = loaded.signature(name)
    const given = Object.fromEntries(
      Object.entries(signature.inputs).map(([key, { shape, dtype }]) => {
        const count = shape.reduce((product, extent) => product * extent, 1)
        return [key, dtype === 'int32' ? new Int32Array(count) : new Float32Array(count)]
      }),
    )
    t.deepEqual(Object.keys(given), inputs)
    const result = await signature.run(given)
    t.deepEqual(Object.keys(result), outputs)
    for (const tensor of Object.values(result)) t.true(tensor.toFloat32().every(Number.isFinite))
  }
})
