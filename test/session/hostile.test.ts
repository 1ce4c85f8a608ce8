// Models that are sound as files and made to hurt: what the fuzzers (test/fuzz) found. The sanitizers run these too.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel } from '#lib/index.js'
import { elementCount } from '#lib/tensor/shape.js'
import { fixed, handle, ints, op, open, real, resource } from '../helpers/flow-models.js'
import { model, oneOperatorFile, type TensorSpec } from '../helpers/model-builder.js'

const wide = (shape: readonly number[]): TensorSpec => ({ dtype: 'int16', shape, scale: 0.001, zeroPoint: 0 })
const ones = (shape: readonly number[], axis: number): TensorSpec => {
  const channels = shape[axis] ?? 1
  const data = new Int8Array(elementCount(shape)).fill(1)
  return { dtype: 'int8', shape, data, axis, scale: Array.from({ length: channels }, () => 0.5) }
}
const window = { padding: 0, strideH: 1, strideW: 1 }

for (const [type, weights, output, options] of [
  ['FULLY_CONNECTED', ones([4, 18], 0), [1, 4], {}],
  ['CONV_2D', ones([4, 3, 3, 2], 0), [1, 3, 3, 4], window],
  ['DEPTHWISE_CONV_2D', ones([1, 3, 3, 4], 3), [1, 3, 3, 4], { ...window, depthMultiplier: 2 }],
] as const) {
  for (const bias of [2n ** 63n - 1n, -(2n ** 63n)]) {
    test(`${type} of int16 wraps with a bias of ${bias}`, async (t) => {
      const input = wide(type === 'FULLY_CONNECTED' ? [1, 18] : [1, 3, 3, 2])
      const biases: TensorSpec = { dtype: 'int64', shape: [4], data: new BigInt64Array(4).fill(bias) }
      const inputs = [input, weights, biases]
      const model = await loadModel(oneOperatorFile({ type, inputs, outputs: [wide(output)], options }))
      for (const value of [1000, -1000]) {
        const [result] = model.runSync([new Int16Array(18).fill(value)])
        t.is(result?.data.length, elementCount(output))
      }
      model.dispose()
    })
  }
}

test('empty tensors with huge extents take no time', async (t) => {
  const empty: TensorSpec = { dtype: 'float32', shape: [2 ** 30, 2 ** 20, 0] }
  const more: TensorSpec = { dtype: 'float32', shape: [1] }
  const start = Date.now()
  const model = await loadModel(oneOperatorFile({ type: 'ADD', inputs: [empty, more], outputs: [empty] }))
  const [result] = model.runSync([new Float32Array(0), new Float32Array(1)])
  t.is(result?.data.length, 0)
  t.true(Date.now() - start < 5000)
})

test('the quotient of scales that are too small for float32 is the largest factor', async (t) => {
  const tiny = { dtype: 'int8' as const, shape: [4], scale: 1e-30, zeroPoint: 0 }
  const file = oneOperatorFile({ type: 'RSQRT', inputs: [tiny], outputs: [tiny] })
  const model = await loadModel(file)
  t.is(model.runSync([Int8Array.of(0, 1, 2, 127)])[0]?.data.length, 4)
  model.dispose()
})

test('a shape that is the handle of a variable', async (t) => {
  const file = model([
    {
      tensors: { h: resource, x: real(4), y: open(real(4)) },
      operators: [handle('h', 'state'), op('RESHAPE', ['x', 'h'], ['y'])],
      inputs: ['x'],
      outputs: ['y'],
    },
  ])
  const run = async () => (await loadModel(encode(file), { threads: 1 })).runSync([new Float32Array(4)])
  await t.throwsAsync(run, { code: 'FILE_INVALID' })
})

test('an input of millions of elements that is taken for a shape is counted, not read', async (t) => {
  const file = model([
    {
      tensors: { x: real(6), size: ints(1 << 23), y: open(real(4)) },
      operators: [op('RESHAPE', ['x', 'size'], ['y'])],
      inputs: ['x', 'size'],
      outputs: ['y'],
    },
  ])
  const expected = { code: 'SHAPE_MISMATCH', message: /"size" holds 8388608 numbers, at most 8 are needed/ }
  await t.throwsAsync(loadModel(encode(file), { threads: 1 }), expected)
})

for (const type of ['RESIZE_NEAREST_NEIGHBOR', 'RESIZE_BILINEAR']) {
  test(`${type}: an image without channels, however wide, costs nothing`, async (t) => {
    const width = 1 << 30
    const file = model([
      {
        tensors: { x: real(1, 2, 3, 0), size: fixed(ints(2), 4, width), y: real(1, 4, width, 0) },
        operators: [op(type, ['x', 'size'], ['y'])],
        inputs: ['x'],
        outputs: ['y'],
      },
    ])
    const loaded = await loadModel(encode(file), { threads: 1, limits: { memory: 1 << 20 } })
    const [output] = loaded.runSync([new Float32Array(0)])
    t.deepEqual(output?.shape, [1, 4, width, 0])
    loaded.dispose()
  })
}

test('a variable named by a tensor that is no handle', async (t) => {
  const file = model([
    {
      tensors: { h: real(4), y: open(real(4)) },
      operators: [handle('h', 'state'), op('ABS', ['h'], ['y'])],
      inputs: [],
      outputs: ['y'],
    },
  ])
  const expected = { code: 'FILE_INVALID', message: /gives a handle, and its output "h" is float32/ }
  await t.throwsAsync(loadModel(encode(file), { threads: 1 }), expected)
})
