// Shapes that a file computes from other shapes are constants once the model is loaded.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel } from '#lib/index.js'
import { model } from '../helpers/model-builder.js'

const ints = (...data: readonly number[]) => ({ dtype: 'int32', shape: [data.length], data }) as const
const scalar = { dtype: 'int32', shape: [] } as const

test('RESHAPE to what SHAPE, STRIDED_SLICE, MUL and PACK make of another shape', async (t) => {
  const file = encode(
    model([
      {
        tensors: {
          x: { dtype: 'float32', shape: [2, 3, 4] },
          extents: { dtype: 'int32', shape: [3] },
          zero: ints(0),
          one: ints(1),
          two: ints(2),
          first: scalar,
          second: scalar,
          rows: scalar,
          free: { dtype: 'int32', shape: [], data: [-1] },
          wanted: { dtype: 'int32', shape: [2] },
          y: { dtype: 'float32', shape: [6, 4] },
        },
        operators: [
          { type: 'SHAPE', inputs: ['x'], outputs: ['extents'] },
          {
            type: 'STRIDED_SLICE',
            inputs: ['extents', 'zero', 'one', 'one'],
            outputs: ['first'],
            options: { shrinkAxisMask: 1 },
          },
          {
            type: 'STRIDED_SLICE',
            inputs: ['extents', 'one', 'two', 'one'],
            outputs: ['second'],
            options: { shrinkAxisMask: 1 },
          },
          { type: 'MUL', inputs: ['first', 'second'], outputs: ['rows'] },
          { type: 'PACK', inputs: ['rows', 'free'], outputs: ['wanted'], options: { valuesCount: 2 } },
          { type: 'RESHAPE', inputs: ['x', 'wanted'], outputs: ['y'] },
        ],
        inputs: ['x'],
        outputs: ['y', 'wanted'],
      },
    ]),
  )
  const loaded = await loadModel(file)
  const data = Float32Array.from({ length: 24 }, (_, i) => i)
  const [y, wanted] = await loaded.run([data])
  t.deepEqual(y?.shape, [6, 4])
  t.deepEqual(y?.data, data)
  t.deepEqual(wanted?.data, Int32Array.of(6, -1))
  // Another input shape gives other constants.
  for (const shape of [
    [1, 3, 4],
    [5, 3, 2],
    [2, 3, 4],
  ]) {
    const [a = 0, b = 0, c = 0] = shape
    loaded.resize([shape])
    const [again, rows] = await loaded.run([new Float32Array(a * b * c)])
    t.deepEqual(again?.shape, [a * b, c])
    t.deepEqual(rows?.data, Int32Array.of(a * b, -1))
  }
  loaded.dispose()
})
