// Layers without output channels. A finding of the fuzzer: packing no weights at all copied from nowhere.

import test from 'ava'
import { loadModel } from '#lib/index.js'
import { oneOperatorFile } from '../helpers/model-builder.js'

for (const dtype of ['float32', 'int8'] as const) {
  test(`FULLY_CONNECTED of ${dtype} with no channels`, async (t) => {
    const quantized = dtype === 'int8' ? { scale: 0.5, zeroPoint: 0 } : {}
    const array = dtype === 'int8' ? Int8Array : Float32Array
    const file = oneOperatorFile({
      type: 'FULLY_CONNECTED',
      inputs: [
        { dtype, shape: [2, 4], ...quantized },
        { dtype, shape: [0, 4], data: new array(0), ...quantized },
      ],
      outputs: [{ dtype, shape: [2, 0], ...quantized }],
      options: {
        fusedActivationFunction: 0,
        weightsFormat: 0,
        keepNumDims: false,
        asymmetricQuantizeInputs: false,
      },
    })
    const model = await loadModel(file, { threads: 1 })
    const [output] = await model.run([new array(8)])
    t.is(output?.data.length, 0)
    model.dispose()
  })
}
