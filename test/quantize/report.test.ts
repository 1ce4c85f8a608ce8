// The report: what it says of tensors that have the codes of others, too.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { type Histogram, quantize } from '#lib/quantize.js'
import { model } from '../helpers/model-builder.js'

test('every computed tensor has what was seen of it, and a histogram of all its values', async (t) => {
  const file = model([
    {
      tensors: {
        x: { dtype: 'float32', shape: [1, 2, 2, 1] },
        pooled: { dtype: 'float32', shape: [1, 1, 1, 1] },
        y: { dtype: 'float32', shape: [1, 1, 1, 1] },
      },
      operators: [
        {
          type: 'AVERAGE_POOL_2D',
          inputs: ['x'],
          outputs: ['pooled'],
          options: { padding: 1, strideW: 2, strideH: 2, filterWidth: 2, filterHeight: 2 },
        },
        { type: 'RELU', inputs: ['pooled'], outputs: ['y'] },
      ],
      inputs: ['x'],
      outputs: ['y'],
    },
  ])
  const samples = [
    [1, 2, 3, 6],
    [-4, -4, 0, 0],
  ].map((values) => Float32Array.from(values))
  const { report } = await quantize(encode(file), samples, 'int8')
  const ranges = report.layers.map(({ output }) => output?.seen)
  t.deepEqual(ranges, [
    { min: -2, max: 3 },
    { min: 0, max: 3 },
  ])
  for (const { output } of report.layers) {
    const histogram = output?.histogram as Histogram
    t.deepEqual([histogram.before.at(0), histogram.before.at(-1)], [1, 1])
    t.is(
      histogram.after.reduce((a, b) => a + b, 0),
      2,
    )
  }
})
