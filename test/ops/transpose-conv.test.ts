// TRANSPOSE_CONV with an output shape that is given at run time: it must be the declared one.
import test from 'ava'
import { LowbitError, loadModel } from '#lib/index.js'
import { oneOperatorFile } from '../helpers/model-builder.js'

const file = oneOperatorFile({
  type: 'TRANSPOSE_CONV',
  options: { padding: 0, strideW: 2, strideH: 2 },
  inputs: [
    { dtype: 'int32', shape: [4] },
    { dtype: 'float32', shape: [1, 2, 2, 1], data: [1, 2, 3, 4] },
    { dtype: 'float32', shape: [1, 2, 2, 1] },
  ],
  outputs: [{ dtype: 'float32', shape: [1, 4, 4, 1] }],
})

test('the declared shape runs', async (t) => {
  const model = await loadModel(file)
  const [output] = await model.run([Int32Array.of(1, 4, 4, 1), Float32Array.of(1, 0, 0, 2)])
  t.deepEqual(
    Array.from((output?.data ?? []) as Float32Array),
    [1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 2, 4, 0, 0, 6, 8],
  )
  model.dispose()
})

test('another shape is another output', async (t) => {
  const model = await loadModel(file)
  const inputs = [Int32Array.of(1, 3, 4, 1), Float32Array.of(1, 0, 0, 2)]
  t.deepEqual((await model.run(inputs))[0]?.shape, [1, 3, 4, 1])
  t.throws(() => model.runSync([Int32Array.of(1, 9, 9, 1), Float32Array.of(1, 0, 0, 2)]), {
    instanceOf: LowbitError,
    code: 'SHAPE_MISMATCH',
  })
  t.deepEqual(model.runSync([Int32Array.of(1, 4, 4, 1), Float32Array.of(1, 0, 0, 2)])[0]?.shape, [1, 4, 4, 1])
  model.dispose()
})
