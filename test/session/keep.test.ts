// run(…, { keep }): intermediate tensors beside the outputs.

import test from 'ava'
import { decode } from '#lib/format/tflite/decode.js'
import { LowbitError, loadModel } from '#lib/index.js'
import { convFile, identityFile, int8s, mixedFile } from '../helpers/small-models.js'

test('kept tensors are those of the file, also where passes fuse them away', async (t) => {
  const model = await loadModel(mixedFile())
  const input = int8s(32)
  const plain = model.runSync([input])
  const names = ['x', 'padded', 'conv', 'relu', 'w', 'flat', 'real']
  for (const result of [model.runSync([input], { keep: names }), await model.run([input], { keep: names })]) {
    t.deepEqual([...result], plain)
    t.deepEqual(Object.keys(result.kept).sort(), [...names].sort())
    t.deepEqual(result.kept['x']?.data, input)
    t.like(result.kept['conv'], { name: 'conv', shape: [1, 4, 4, 2], dtype: 'int8' })
    const conv = result.kept['conv']?.data as Int8Array
    t.deepEqual(
      result.kept['relu']?.data,
      conv.map((code) => Math.max(0, code)),
    )
    t.true(conv.some((code) => code < 0))
    t.deepEqual(
      [...(result.kept['padded']?.data ?? [])].filter((_, i) => i < 12).every((c) => c === 0),
      true,
    )
    t.deepEqual(result.kept['real']?.data, plain[2]?.data)
    t.is(result.kept['w']?.data.length, 36)
  }
})

test('every tensor of a chain is the output of a shorter chain', async (t) => {
  const long = await loadModel(convFile({ layers: 3 }))
  const input = int8s(256)
  const { kept } = long.runSync([input], { keep: ['t1', 't2', 't3'] })
  // The last layer of a shorter chain is another operator; the first ones are the same.
  for (const name of ['t1', 't2', 't3'] as const) {
    t.deepEqual(long.runSync([input], { keep: [name] }).kept[name], kept[name])
  }
  t.notDeepEqual(kept['t1']?.data, kept['t2']?.data)
})

test('tensors by number, several names for one, and none', async (t) => {
  const model = await loadModel(identityFile(4))
  const codes = int8s(4)
  const { kept } = model.runSync([codes], { keep: ['#0', 'x', '#2', '#0'] })
  t.deepEqual(Object.keys(kept), ['#0', 'x', '#2'])
  t.is(kept['#0'], kept['x'])
  t.deepEqual(kept['#2']?.data, codes)
  t.deepEqual(model.runSync([codes], { keep: [] }).kept, {})
  t.false('kept' in model.runSync([codes]))
})

test('given outputs are for the outputs alone', async (t) => {
  const model = await loadModel(identityFile(4))
  const outputs = [new Int8Array(4)]
  const result = model.runSync([int8s(4)], { keep: ['x'], outputs })
  t.is(result[0]?.data, outputs[0])
  t.throws(() => model.runSync([int8s(4)], { keep: ['x'], outputs: [...outputs, new Int8Array(4)] }), {
    code: 'INPUT_COUNT',
  })
})

test('kept tensors follow resize', async (t) => {
  const model = await loadModel(convFile({ image: 8 }))
  t.is(model.runSync([int8s(256)], { keep: ['t1'] }).kept['t1']?.data.length, 256)
  model.resize([[2, 8, 8, 4]])
  const { kept } = await model.run([int8s(512)], { keep: ['t1'] })
  t.deepEqual(kept['t1']?.shape, [2, 8, 8, 4])
})

test('more choices than are held at once', async (t) => {
  const model = await loadModel(convFile({ layers: 11 }))
  const input = int8s(256)
  const names = Array.from({ length: 11 }, (_, i) => `t${i + 1}`)
  const { kept } = model.runSync([input], { keep: names })
  const results = await Promise.all(names.map((name) => model.run([input], { keep: [name] })))
  for (const [i, name] of names.entries()) t.deepEqual(results[i]?.kept[name], kept[name])
  t.deepEqual(model.runSync([input], { keep: ['t1'] }).kept['t1'], kept['t1'])
})

test('names that mean nothing are refused', async (t) => {
  const model = await loadModel(identityFile(4))
  for (const name of ['z', '', '#3', '#-1', '#x', 'toString']) {
    const options = { keep: ['x', name] }
    t.throws(() => model.runSync([int8s(4)], options), { instanceOf: LowbitError, code: 'NAME_UNKNOWN' })
    await t.throwsAsync(model.run([int8s(4)], options), { code: 'NAME_UNKNOWN' })
  }
  for (const keep of ['x', [1], {}, null]) {
    t.throws(() => model.runSync([int8s(4)], { keep: keep as string[] }), { code: 'OPTION_INVALID' })
  }
  model.dispose()
  t.throws(() => model.runSync([int8s(4)], { keep: ['x'] }), { code: 'DISPOSED' })
})

test('a tensor that is in the file, but computed by nothing', async (t) => {
  const { model: build } = await import('../helpers/model-builder.js')
  const { encode } = await import('#lib/format/tflite/encode.js')
  const codes = { dtype: 'int8', shape: [4], scale: 1 } as const
  const bytes = encode(
    build([
      {
        tensors: { x: codes, y: codes, lost: codes },
        operators: [{ type: 'RELU', inputs: ['x'], outputs: ['y'] }],
        inputs: ['x'],
        outputs: ['y'],
      },
    ]),
  )
  t.is(decode(bytes).subgraphs[0]?.tensors.length, 3)
  const loaded = await loadModel(bytes)
  t.throws(() => loaded.runSync([int8s(4)], { keep: ['lost'] }), { code: 'NAME_UNKNOWN' })
})
