// A custom operator in JavaScript: node custom-op.mjs
// custom-op.tflite is RELU, then the custom operator "Power" with its exponent as the one byte of its options.
import { fileURLToPath } from 'node:url'
import { loadModel } from 'lowbit'

const Power = {
  infer: ([input]) => [{ shape: input.shape, dtype: input.dtype }],
  run([input], [output], [exponent]) {
    for (const [i, value] of input.data.entries()) output.data[i] = value ** exponent
  },
}

const file = fileURLToPath(new URL('custom-op.tflite', import.meta.url))
const model = await loadModel(file, { customOps: { Power } })
const [result] = await model.run([Float32Array.of(-1, 0.5, 2, 3)])
console.log([...result.data].join(' '))
model.dispose()
