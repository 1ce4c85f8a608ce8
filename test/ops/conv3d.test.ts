// A finding of the fuzzer: a convolution walked all taps of a filter that lies nearly whole in the padding.

import test from 'ava'
import { loadModel } from '#lib/index.js'
import { oneOperatorFile } from '../helpers/model-builder.js'

test('CONV_3D visits no tap in the padding', async (t) => {
  // Every place sees the middle tap only, out of 63^3.
  const shape = [1, 32, 32, 32, 1]
  const weights = new Float32Array(63 ** 3).fill(1)
  weights[(31 * 63 + 31) * 63 + 31] = 3
  const file = oneOperatorFile({
    type: 'CONV_3D',
    inputs: [
      { dtype: 'float32', shape },
      { dtype: 'float32', shape: [63, 63, 63, 1, 1], data: weights },
    ],
    outputs: [{ dtype: 'float32', shape }],
    options: {
      ...{ padding: 0, strideD: 1, strideH: 1, strideW: 1 },
      ...{ dilationDFactor: 32, dilationHFactor: 32, dilationWFactor: 32 },
      fusedActivationFunction: 0,
    },
  })
  const model = await loadModel(file, { threads: 1 })
  const input = Float32Array.from({ length: 32 ** 3 }, (_, i) => i % 101)
  t.timeout(10_000, 'a run takes milliseconds')
  const [output] = await model.run([input])
  t.deepEqual(
    output?.data,
    input.map((value) => 3 * value),
  )
  model.dispose()
})
