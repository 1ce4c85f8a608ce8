// model.resize: other input shapes, the same packed weights.

import test from 'ava'
import { decode } from '#lib/format/tflite/decode.js'
import { LowbitError, loadModel } from '#lib/index.js'
import { compile, sourceOf } from '#lib/session/compile.js'
import { convFile, identityFile, int8s, mixedFile } from '../helpers/small-models.js'

const SETTINGS = {
  threads: 1,
  isa: undefined,
  memory: 'balanced' as const,
  limits: { memory: 2 ** 32, steps: 1000, passes: 1000 },
}

test('later runs take the new shapes', async (t) => {
  const model = await loadModel(identityFile(4))
  for (const batch of [3, 1, 0, 7]) {
    model.resize([[batch, 4]])
    t.like(model.inputs[0], { shape: [batch, 4], shapeSignature: [-1, 4] })
    t.deepEqual(model.outputs[0]?.shape, [batch, 4])
    const codes = int8s(4 * batch)
    t.deepEqual(model.runSync([codes])[0]?.data, codes)
    t.deepEqual((await model.run([codes]))[0]?.data, codes)
    t.deepEqual((await model.run([codes]))[0]?.shape, [batch, 4])
    t.throws(() => model.runSync([int8s(4 * batch + 4)]), { code: 'SHAPE_MISMATCH' })
  }
})

test('a resized model is what a file of that shape would be', async (t) => {
  for (const image of [5, 12]) {
    const model = await loadModel(convFile({ image: 8 }))
    const other = await loadModel(convFile({ image }))
    model.resize([[1, image, image, 4]])
    const input = int8s(image * image * 4)
    t.deepEqual(model.runSync([input]), other.runSync([input]))
    t.deepEqual(model.memory, other.memory)
    const names = async (of: typeof model) => (await of.profile([input], { runs: 1 })).map(({ name }) => name)
    t.deepEqual(await names(model), await names(other))
  }
})

test('weights are packed once', (t) => {
  const file = decode(convFile({ channels: 16 }))
  const source = sourceOf(file, SETTINGS)
  const first = compile(source, { subgraph: 0 })
  const { packedBytes } = first.program.info()
  t.is(first.program.info().sharedBytes, 0)
  const second = compile(source, { subgraph: 0, shapes: [[2, 9, 9, 16]] })
  const { sharedBytes } = second.program.info()
  // Constants of channels are small, and made anew.
  t.true(sharedBytes >= 3 * 16 * 9 * 8 && sharedBytes <= packedBytes, `${sharedBytes} of ${packedBytes}`)
  first.program.dispose()
  const third = compile(source, { subgraph: 0, shapes: [[1, 9, 9, 16]] })
  t.is(third.program.info().sharedBytes, sharedBytes)
  for (const { program } of [second, third]) program.dispose()
  t.is(compile(source, { subgraph: 0 }).program.info().sharedBytes, 0)
})

test('runs in flight keep their shapes', async (t) => {
  const model = await loadModel(convFile({ image: 32, channels: 16 }))
  const input = int8s(32 * 32 * 16)
  const [expected] = model.runSync([input])
  const running = Array.from({ length: 6 }, () => model.run([input]))
  model.resize([[1, 16, 16, 16]])
  for (const result of await Promise.all(running)) t.deepEqual(result[0], expected)
  t.is(model.runSync([int8s(16 * 16 * 16)])[0]?.data.length, 16 * 16 * 16)
})

const refused: readonly (readonly [string, unknown, string])[] = [
  ['no list', 5, 'OPTION_INVALID'],
  ['no list of lists', [1, 4], 'OPTION_INVALID'],
  ['no shapes', [], 'SHAPE_MISMATCH'],
  ['two shapes', [[1, 4, 4, 2], [1]], 'SHAPE_MISMATCH'],
  ['another rank', [[1, 4, 4]], 'SHAPE_MISMATCH'],
  ['a negative extent', [[-1, 4, 4, 2]], 'SHAPE_MISMATCH'],
  ['half an extent', [[1.5, 4, 4, 2]], 'SHAPE_MISMATCH'],
  ['an extent as text', [['1', 4, 4, 2]], 'SHAPE_MISMATCH'],
  ['channels that the weights do not take', [[1, 4, 4, 3]], 'SHAPE_MISMATCH'],
  ['a shape that a RESHAPE does not take', [[1, 8, 8, 2]], 'SHAPE_MISMATCH'],
  ['2^31 elements', [[2 ** 30, 4, 4, 2]], 'LIMIT_EXCEEDED'],
]
for (const [title, shapes, code] of refused) {
  test(`refused, and the model stays as it was: ${title}`, async (t) => {
    const model = await loadModel(mixedFile(), { limits: { memory: 2 ** 20 } })
    const before = model.runSync([int8s(32)])
    t.throws(() => model.resize(shapes as number[][]), { instanceOf: LowbitError, code })
    t.deepEqual(model.inputs[0]?.shape, [1, 4, 4, 2])
    t.deepEqual(model.runSync([int8s(32)]), before)
  })
}

test('a shape that needs more memory than the limit is refused', async (t) => {
  const model = await loadModel(convFile(), { limits: { memory: 2 ** 18 } })
  t.throws(() => model.resize([[1000, 8, 8, 4]]), { instanceOf: LowbitError, code: 'LIMIT_EXCEEDED' })
  t.deepEqual(model.inputs[0]?.shape, [1, 8, 8, 4])
  t.is(model.runSync([int8s(256)])[0]?.data.length, 256)
})

test('a disposed model cannot be resized', async (t) => {
  const model = await loadModel(identityFile(4))
  model.dispose()
  t.throws(() => model.resize([[2, 4]]), { code: 'DISPOSED' })
})
