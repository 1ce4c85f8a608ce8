// Models that train with fake quantisers: what they compute, what they learn, what they refuse.

import type { LayersModel } from '@tensorflow/tfjs-layers'
import test from 'ava'
import type { LearnedGrid, QuantizeAware } from '#lib/train/contract.js'
import { ACTIVATION_CODES, codesOf, valuesOf, weightCodes } from '#lib/train/qat/grid.js'
import { quantizeAware } from '#lib/train/qat/quantize-aware.js'
import { numbers, tf, tfl } from './tf.js'

type Recipe = NonNullable<Exclude<Parameters<typeof quantizeAware>[1], string>>

const { layers } = tfl
const recipe = (bits: number): Recipe => ({ version: 1, rules: [{ weights: { bits } }] })
const bitsOf = (numbers: ArrayLike<number>) => new Uint32Array(Float32Array.from(numbers).buffer)

/** Convolution with batch norm, depthwise, pools, a residual sum, a concatenation, dense layers and a softmax. */
function network(): LayersModel {
  const input = tfl.input({ shape: [8, 8, 3], name: 'picture' })
  const seeded = { kernelInitializer: tfl.initializers.glorotUniform({ seed: 7 }) }
  const first = layers
    .conv2d({ name: 'first', filters: 6, kernelSize: 3, padding: 'same', useBias: false, ...seeded })
    .apply(input)
  const normed = layers.batchNormalization({ name: 'norm' }).apply(first)
  const relu = layers.reLU({ name: 'relu' }).apply(normed) as ReturnType<typeof tfl.input>
  const depthwise = layers
    .depthwiseConv2d({
      name: 'depthwise',
      kernelSize: 3,
      padding: 'same',
      activation: 'relu6',
      depthwiseInitializer: tfl.initializers.glorotUniform({ seed: 8 }),
    })
    .apply(relu) as typeof relu
  const sum = layers.add({ name: 'sum' }).apply([relu, depthwise]) as typeof relu
  const both = layers.concatenate({ name: 'both' }).apply([sum, relu])
  const pooled = layers.averagePooling2d({ name: 'pool', poolSize: 2 }).apply(both)
  const flat = layers.flatten({ name: 'flat' }).apply(pooled)
  const hidden = layers.dense({ name: 'hidden', units: 8, activation: 'relu', ...seeded }).apply(flat)
  const output = layers.dense({ name: 'output', units: 2, activation: 'softmax', ...seeded }).apply(hidden)
  const model = tfl.model({ inputs: input, outputs: output as typeof relu })
  const norm = model.getLayer('norm')
  norm.setWeights([
    tf.tensor1d(numbers(6, 2).map((x) => 1 + x / 2)),
    tf.tensor1d(numbers(6, 3)),
    tf.tensor1d(numbers(6, 4)),
    tf.tensor1d(numbers(6, 5).map((x) => 1 + x / 2)),
  ])
  return model
}

const pictures = (count: number, seed = 1) => tf.tensor4d(numbers(count * 192, seed), [count, 8, 8, 3])

function onGrid(values: Float32Array, grid: LearnedGrid | undefined, codes = ACTIVATION_CODES): Float32Array {
  return grid === undefined ? values : valuesOf(codesOf(values, grid, codes), grid)
}

/** The plain model, layer by layer, every output laid on its grid by plain arithmetic; weights as well. */
function withGrids(aware: QuantizeAware, x: ReturnType<typeof pictures>): Float32Array {
  const model = aware.float()
  const { activations, weights } = aware.learned()
  const known = new Map<string, ReturnType<typeof tf.tensor>>()
  for (const layer of model.layers) {
    const [kernel, ...rest] = layer.getWeights()
    const grid = weights.get(layer.name)
    if (kernel && grid) {
      const values = onGrid(kernel.dataSync() as Float32Array, grid, weightCodes(grid.bits))
      layer.setWeights([tf.tensor(values, kernel.shape), ...rest])
    }
    const inputs = (layer.inboundNodes[0]?.inboundLayers ?? []).map(({ name }) => known.get(name) as typeof x)
    const y = (
      layer.getClassName() === 'InputLayer'
        ? x
        : layer.apply(inputs.length === 1 ? (inputs[0] as typeof x) : inputs)
    ) as typeof x
    const isEnd = model.outputs[0]?.sourceLayer === layer
    const values = y.dataSync() as Float32Array
    known.set(layer.name, tf.tensor(isEnd ? values : onGrid(values, activations.get(layer.name)), y.shape))
  }
  return known.get(model.outputs[0]?.sourceLayer.name as string)?.dataSync() as Float32Array
}

for (const bits of [8, 4, 3, 2]) {
  for (const activations of ['moving-average', 'learned', 'clip'] as const) {
    test.serial(
      `${bits} bits, ${activations}: float() on the grids of learned() computes the same bits`,
      async (t) => {
        const aware = quantizeAware(network(), recipe(bits), { activations, ranges: [pictures(8, 2)] })
        aware.model.compile({ optimizer: tf.train.adam(1e-3), loss: 'categoricalCrossentropy' })
        const y = tf.tensor2d([1, 0, 0, 1, 1, 0, 0, 1], [4, 2])
        for (let step = 0; step < 3; step++) await aware.model.trainOnBatch(pictures(4, 3 + step), y)
        aware.freeze()
        const x = pictures(3, 9)
        const got = (aware.model.predict(x) as typeof y).dataSync()
        t.deepEqual(bitsOf(got), bitsOf(withGrids(aware, x)))
        t.true([...got].every(Number.isFinite))
      },
    )
  }
}

test.serial('grids are shared as in the file, and zero is a code of all', (t) => {
  const { activations, weights } = quantizeAware(network(), 'int8', { ranges: [pictures(8)] }).learned()
  t.deepEqual(
    [...activations.keys()],
    ['picture', 'relu', 'depthwise', 'sum', 'both', 'pool', 'flat', 'hidden', 'output', 'output_softmax'],
  )
  for (const name of ['relu', 'both', 'pool', 'flat'])
    t.deepEqual(activations.get(name), activations.get('sum'))
  t.deepEqual(activations.get('output_softmax'), {
    bits: 8,
    scales: Float32Array.of(1 / 256),
    zeroPoints: Int32Array.of(-128),
  })
  for (const { zeroPoints, scales } of activations.values()) {
    t.true((zeroPoints[0] as number) >= -128 && (zeroPoints[0] as number) <= 127)
    t.true((scales[0] as number) > 0)
  }
  t.deepEqual([...weights.keys()], ['first', 'depthwise', 'hidden', 'output'])
  t.deepEqual(
    [...weights.values()].map(({ axis, scales }) => [axis, scales.length]),
    [
      [3, 6],
      [2, 6],
      [1, 8],
      [1, 2],
    ],
  )
})

test.serial('without rounding, a folded batch norm is the batch norm', (t) => {
  const model = network()
  const aware = quantizeAware(model, { version: 1, rules: [{ skip: true }] })
  const x = pictures(4)
  const expected = (model.predict(x) as typeof x).dataSync()
  for (const one of [aware.model, aware.float()]) {
    const got = (one.predict(x) as typeof x).dataSync()
    // Shares of one: some hundred sums of numbers near 1 before them.
    t.true(got.every((value, i) => Math.abs(value - (expected[i] as number)) < 1e-5))
  }
  t.is(aware.learned().weights.size, 0)
})

test.serial('in training a folded batch norm learns and follows as the layer does', async (t) => {
  const source = () => {
    const model = tfl.sequential()
    model.add(
      layers.dense({
        units: 3,
        inputShape: [4],
        kernelInitializer: tfl.initializers.glorotUniform({ seed: 3 }),
      }),
    )
    model.add(layers.batchNormalization({ momentum: 0.5 }))
    return model
  }
  const plain = source()
  const { model, float } = (() => {
    const aware = quantizeAware(plain, { version: 1, rules: [{ skip: true }] })
    return { model: aware.model, float: () => aware.float() }
  })()
  const [x, y] = [tf.tensor2d(numbers(32), [8, 4]), tf.tensor2d(numbers(24, 2), [8, 3])]
  for (const one of [plain, model]) {
    one.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
    for (let step = 0; step < 3; step++) await one.trainOnBatch(x, y)
  }
  const expected = (plain.predict(x) as typeof x).dataSync()
  const got = (float().predict(x) as typeof x).dataSync()
  t.true(got.every((value, i) => Math.abs(value - (expected[i] as number)) < 1e-4))
})

for (const bits of [8, 4]) {
  test.serial(`${bits} bits: training makes the loss smaller, and leaves no tensor behind`, async (t) => {
    const aware = quantizeAware(network(), recipe(bits))
    aware.model.compile({ optimizer: tf.train.adam(5e-3), loss: 'categoricalCrossentropy' })
    const x = pictures(16)
    const y = tf.tensor2d(
      Float32Array.from({ length: 32 }, (_, i) => Number((i >> 1) % 2 === i % 2)),
      [16, 2],
    )
    const losses: number[] = []
    let tensors = 0
    for (let step = 0; step < 40; step++) {
      losses.push((await aware.model.trainOnBatch(x, y)) as number)
      if (step === 2) tensors = tf.memory().numTensors
    }
    t.is(tf.memory().numTensors, tensors)
    t.true((losses.at(-1) as number) < 0.5 * (losses[0] as number), `${losses[0]} to ${losses.at(-1)}`)
  })
}

test.serial('all that training found is in the weights and the saved model', async (t) => {
  const aware = quantizeAware(network(), recipe(4), { ranges: [pictures(8)], activations: 'clip' })
  aware.model.compile({ optimizer: tf.train.adam(1e-2), loss: 'categoricalCrossentropy' })
  await aware.model.trainOnBatch(pictures(2), tf.tensor2d([1, 0, 0, 1], [2, 2]))
  const x = pictures(3, 5)
  const expected = (aware.model.predict(x) as typeof x).dataSync()
  const other = quantizeAware(network(), recipe(4), { ranges: [pictures(8, 7)], activations: 'clip' })
  other.model.setWeights(aware.model.getWeights())
  t.deepEqual((other.model.predict(x) as typeof x).dataSync(), expected)
  t.deepEqual(other.learned(), aware.learned())
  let saved: Parameters<typeof tf.io.fromMemory>[0] | undefined
  await aware.model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts as never
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    }),
  )
  const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved as never))
  t.deepEqual((loaded.predict(x) as typeof x).dataSync(), expected)
})

test.serial('a rule leaves the first and the last layer alone', (t) => {
  const rules = [{ weights: { bits: 4 } }, { match: '{first,output}', weights: { bits: 8 } }]
  const { weights } = quantizeAware(network(), { version: 1, rules }, { ranges: [pictures(4)] }).learned()
  t.deepEqual(
    [...weights.values()].map(({ bits }) => bits),
    [8, 4, 4, 8],
  )
})

test.serial('what has no meaning in training is refused', (t) => {
  const refuse = (rule: object, code = 'OPTION_INVALID') =>
    t.throws(() => quantizeAware(network(), { version: 1, rules: [rule] }), {
      code,
      message: /training|no operator/,
    })
  refuse({ activations: { type: 'int16' } })
  refuse({ weights: { bits: 5 } })
  refuse({ weights: { method: 'piecewise', bits: 4 } })
  refuse({ weights: { scheme: 'asymmetric' } })
  refuse({ match: 'nothing' }, 'NAME_UNKNOWN')
  t.throws(() => quantizeAware(network(), 'int8', { activations: 'learned' }), {
    code: 'OPTION_INVALID',
    message: /ranges/,
  })
  t.throws(() => quantizeAware(network(), 'int8', { weights: 'least' as never }), { code: 'OPTION_INVALID' })
  t.throws(() => quantizeAware(network()).learned(), { code: 'OPTION_INVALID', message: /seen no values/ })
  const model = tfl.sequential()
  model.add(layers.dense({ units: 1, inputShape: [2], activation: 'elu' }))
  t.throws(() => quantizeAware(model), { code: 'OPERATOR_UNSUPPORTED', message: /elu/ })
})
