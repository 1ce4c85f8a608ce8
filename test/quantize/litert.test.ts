// Whole models in every form that recipes give them, in LiteRT's reference kernels: integer outputs bit for bit, reals
// within 1e-4 of the largest.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { loadModel } from '#lib/index.js'
import { PRESETS, quantize, type Recipe } from '#lib/quantize.js'
import type { TypedArray } from '#lib/tensor/dtype.js'
import { litertMissing, runLitert } from '../helpers/litert.js'
import { random } from '../helpers/random.js'
import { passWithoutShared, shared } from '../helpers/shared.js'

const MODELS = [
  'hello_world_f32',
  'ad01_toycar_f32',
  'kws_dscnn_f32',
  'resnet8_cifar10_f32',
  'mnist_lstm_f32_tflm',
]
const recipe = (...rules: Recipe['rules']): Recipe => ({ version: 1, rules })

const RECIPES: Readonly<Record<string, Recipe>> = {
  ...PRESETS,
  uint8: recipe({ activations: { type: 'uint8' } }),
  'float32 ports': { ...recipe(), ports: 'float32' },
  symmetric: recipe({ activations: { scheme: 'symmetric' } }),
  'a scale a tensor': recipe({ weights: { granularity: 'tensor', scheme: 'asymmetric' } }),
  'a scale a tensor, dynamic': recipe({
    weights: { granularity: 'tensor' },
    activations: { type: 'dynamic' },
  }),
  '2 bits': recipe({ weights: { bits: 2 } }),
  '4 bits, dynamic': recipe({ weights: { bits: 4 }, activations: { type: 'dynamic' } }),
  '5 bits': recipe({ weights: { bits: 5 } }),
  'weights only': recipe({ activations: { type: 'float32' } }),
  '4-bit weights only, asymmetric': recipe({
    weights: { bits: 4, scheme: 'asymmetric' },
    activations: { type: 'float32' },
  }),
  float16: recipe({ weights: { type: 'float16' }, activations: { type: 'float32' } }),
  'mixed types': recipe(
    { ops: ['DEPTHWISE_CONV_2D', 'ADD'], activations: { type: 'int16' } },
    { ops: ['SOFTMAX'], skip: true },
    { match: 'FULLY_CONNECTED *', activations: { type: 'dynamic' } },
  ),
}

if (litertMissing !== undefined) {
  test('whole models in LiteRT', (t) => {
    t.log(`skipped: ${litertMissing}`)
    t.pass()
  })
}

for (const name of litertMissing === undefined ? MODELS : []) {
  const path = shared('models/float', `${name}.tflite`)
  for (const [title, wanted] of Object.entries(RECIPES)) {
    test(`${name}, ${title}`, async (t) => {
      if (path === undefined) return passWithoutShared(t)
      const source = new Uint8Array(readFileSync(path))
      const samples = await randomInputs(source, 4)
      const { bytes } = await quantize(source, samples, wanted)
      const runs = await randomInputs(bytes, 2)
      const model = await loadModel(bytes)
      const dtypes = model.outputs.map(({ dtype }) => dtype)
      const expected = runLitert([{ file: bytes, runs, outputs: dtypes }])[0] ?? []
      for (const [i, inputs] of runs.entries()) {
        const actual = await model.run(inputs)
        for (const [k, { data, dtype }] of actual.entries()) {
          const reference = expected[i]?.[k] as TypedArray
          if (dtype !== 'float32') t.deepEqual(data, reference)
          else t.true(worst(data as Float32Array, reference as Float32Array) <= 1e-4)
        }
      }
    })
  }
}

/** Of the differences, as share of the largest number. */
function worst(actual: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return (
    actual.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))), 0) / largest
  )
}

/** Reals from -1 to 1, and all codes. */
async function randomInputs(file: Uint8Array, count: number): Promise<TypedArray[][]> {
  const model = await loadModel(file)
  const next = random(3)
  const fill = { float32: () => next() / 2 ** 31 - 1, int8: () => (next() % 256) - 128 }
  return Array.from({ length: count }, () =>
    model.inputs.map(({ dtype, shape }) => {
      const length = shape.reduce((a, b) => a * b, 1)
      if (dtype === 'float32') return Float32Array.from({ length }, fill.float32)
      if (dtype === 'uint8') return Uint8Array.from({ length }, () => next() % 256)
      if (dtype === 'int16') return Int16Array.from({ length }, () => (next() % 65536) - 32768)
      return Int8Array.from({ length }, fill.int8)
    }),
  )
}
