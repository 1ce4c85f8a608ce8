// Whole models as files: their names, their batch, branches, models in models, and what cannot be written.

import test from 'ava'
import { decode } from '#lib/format/tflite/decode.js'
import { LowbitError, loadModel } from '#lib/index.js'
import { toTflite } from '#lib/train/write/to-tflite.js'
import { filled, inputsOf, predict, type Tensors, tfl } from '../../helpers/layers-models.js'

const { layers } = tfl
type Model = ReturnType<typeof tfl.model>

/** Outputs of the file beside those of the model; the numbers are such that sums are exact. */
async function bothOf(model: Model, inputs = inputsOf(model)) {
  const file = await loadModel(toTflite(model))
  const actual = (await file.run(inputs)).map((tensor) => tensor.toFloat32())
  return { actual, expected: predict(model, inputs) }
}

test('a Sequential model: names, fused ReLU, a free batch, the signature', async (t) => {
  const model = filled(
    tfl.sequential({
      name: 'small',
      layers: [
        layers.conv2d({ name: 'one', filters: 4, kernelSize: 3, inputShape: [6, 6, 2], activation: 'relu' }),
        layers.maxPooling2d({ name: 'two', poolSize: 2 }),
        layers.flatten({ name: 'three' }),
        layers.dropout({ rate: 0.5 }),
        layers.dense({ name: 'four', units: 3 }),
      ],
    }),
  )
  const { actual, expected } = await bothOf(model)
  t.deepEqual(actual, expected)

  const metadata = { note: Uint8Array.of(1, 2) }
  const file = decode(toTflite(model, { metadata }))
  const [graph] = file.subgraphs
  const named = (indices: readonly number[] = []) => indices.map((i) => graph?.tensors[i]?.name)
  t.is(file.description, 'small')
  t.deepEqual(file.metadata, [{ name: 'note', data: metadata.note }])
  t.deepEqual(
    graph?.operators.map(({ type, outputs }) => [type, ...named(outputs)]),
    [
      ['CONV_2D', 'one'],
      ['MAX_POOL_2D', 'two'],
      ['RESHAPE', 'three'],
      ['FULLY_CONNECTED', 'four'],
    ],
  )
  t.is(graph?.operators[0]?.options['fusedActivationFunction'], 1)
  t.deepEqual(named(graph?.inputs), ['one_input'])
  const input = graph?.tensors[graph.inputs[0] as number]
  t.deepEqual(
    [input?.shape, input?.shapeSignature],
    [
      [1, 6, 6, 2],
      [-1, 6, 6, 2],
    ],
  )
  t.deepEqual(file.signatures, [
    {
      name: 'serving_default',
      subgraph: 0,
      inputs: [{ name: 'one_input', tensor: graph?.inputs[0] as number }],
      outputs: [{ name: 'four', tensor: graph?.outputs[0] as number }],
    },
  ])
})

test('branches, several inputs and outputs, a layer that is called twice', async (t) => {
  const [a, b] = [tfl.input({ shape: [8], name: 'a' }), tfl.input({ shape: [8], name: 'b' })]
  const shared = layers.dense({ units: 5, activation: 'relu', name: 'shared' })
  const [x, y] = [shared.apply(a), shared.apply(b)] as [Tensors, Tensors]
  const sum = layers.add({ name: 'sum' }).apply([x, y] as Tensors) as Tensors
  const all = layers.concatenate({ name: 'all' }).apply([sum, y] as Tensors) as Tensors
  const model = filled(tfl.model({ inputs: [a, b], outputs: [all, sum, x, a] as never }))
  const { actual, expected } = await bothOf(model)
  t.deepEqual(actual, expected)
  const graph = decode(toTflite(model)).subgraphs[0]
  const kernels = graph?.operators
    .filter(({ type }) => type === 'FULLY_CONNECTED')
    .map(({ inputs }) => inputs[1])
  t.is(kernels?.length, 2)
  t.is(kernels?.[0], kernels?.[1])
})

test('models in models, one of them called twice', async (t) => {
  const inner = tfl.sequential({ name: 'inner' })
  inner.add(layers.dense({ units: 6, inputShape: [6], activation: 'relu' }))
  inner.add(tfl.sequential({ layers: [layers.dense({ units: 6, inputShape: [6] })] }))
  const x = tfl.input({ shape: [6] })
  const y = inner.apply(inner.apply(x) as Tensors) as Tensors
  const model = filled(tfl.model({ inputs: x, outputs: y as never }))
  // Each layer multiplies by 64ths: after four the sums no longer are exact, but of 4 x 6 terms.
  const { actual, expected } = await bothOf(model)
  const largest = (expected[0] as Float32Array).reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  for (const [i, value] of (actual[0] as Float32Array).entries()) {
    t.true(Math.abs(value - (expected[0]?.[i] as number)) <= 24 * largest * 2 ** -23)
  }
})

const REFUSED: readonly (readonly [string, readonly number[], (x: Tensors) => unknown])[] = [
  ['LSTM', [4, 3], (x) => layers.lstm({ units: 2, recurrentInitializer: 'zeros', name: 'bad' }).apply(x)],
  ['GRU', [4, 3], (x) => layers.gru({ units: 2, recurrentInitializer: 'zeros', name: 'bad' }).apply(x)],
  ['Conv3D', [4, 4, 4, 1], (x) => layers.conv3d({ filters: 2, kernelSize: 2, name: 'bad' }).apply(x)],
  ['Masking', [4, 3], (x) => layers.masking({ name: 'bad' }).apply(x)],
  ['BatchNormalization', [4, 3], (x) => layers.batchNormalization({ axis: 1, name: 'bad' }).apply(x)],
  [
    'MaxPooling2D',
    [2, 4, 4],
    (x) => layers.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst', name: 'bad' }).apply(x),
  ],
]
for (const [name, shape, make] of REFUSED) {
  test(`${name} cannot be written, says the error`, (t) => {
    const x = tfl.input({ shape: [...shape] })
    const model = tfl.model({ inputs: x, outputs: make(x) as never })
    const error = t.throws(() => toTflite(model), { instanceOf: LowbitError })
    t.is(error?.code, 'OPERATOR_UNSUPPORTED')
    t.is(error?.operator, `${name} "bad"`)
  })
}

test('inputs of unknown shape or another type, and unknown options', (t) => {
  const codeOf = (x: ReturnType<typeof tfl.input>, options = {}) => {
    const model = tfl.model({ inputs: x, outputs: layers.reLU({}).apply(x) as never })
    return t.throws(() => toTflite(model, options), { instanceOf: LowbitError })?.code
  }
  t.is(codeOf(tfl.input({ shape: [null, 3] })), 'SHAPE_MISMATCH')
  t.is(codeOf(tfl.input({ shape: [3], dtype: 'bool' })), 'DTYPE_UNSUPPORTED')
  t.is(codeOf(tfl.input({ shape: [3] }), { quantised: true }), 'OPTION_INVALID')
})
