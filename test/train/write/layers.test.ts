// Every layer that can be written: the file computes in lowbit, and in LiteRT, what the model does in TensorFlow.js.

import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { findingsOf } from '#lib/cli/inspect-findings.js'
import { decode } from '#lib/format/tflite/decode.js'
import { loadModel } from '#lib/index.js'
import { loadBinding } from '#lib/native/load.js'
import { loadSettings } from '#lib/session/options.js'
import { ACTIVATION_NAMES } from '#lib/train/write/layers/activations.js'
import { LAYER_WRITERS } from '#lib/train/write/table.js'
import { toTflite } from '#lib/train/write/to-tflite.js'
import { filled, inputsOf, predict, type Tensors, tf, tfl } from '../../helpers/layers-models.js'
import { litertMissing, runLitert } from '../../helpers/litert.js'

const { layers } = tfl

interface Row {
  readonly title: string
  /** Shapes of the inputs, without the batch. */
  readonly inputs: readonly (readonly number[])[]
  readonly make: (inputs: Tensors) => unknown
  /**
   * Units in the last place of the largest number that may differ: none where all is exact, the number of terms where
   * sums are rounded, some for the functions, which libraries compute each in their way.
   */
  readonly ulps?: number
}

const row = (title: string, shape: readonly number[], make: Row['make'], ulps = 0): Row => ({
  title,
  inputs: [shape],
  make,
  ulps,
})
const merge = (title: string, inputs: Row['inputs'], make: Row['make'], ulps = 0): Row => ({
  title,
  inputs,
  make,
  ulps,
})

const IMAGE = [6, 7, 4]
const SAME = { padding: 'same' } as const

const ROWS: readonly Row[] = [
  row('Conv1D', [9, 3], (x) => layers.conv1d({ filters: 5, kernelSize: 3, strides: 2 }).apply(x)),
  row('Conv1D same, dilated, ReLU', [9, 3], (x) =>
    layers.conv1d({ filters: 5, kernelSize: 3, dilationRate: 2, activation: 'relu', ...SAME }).apply(x),
  ),
  row('Conv2D', IMAGE, (x) => layers.conv2d({ filters: 5, kernelSize: [3, 2] }).apply(x)),
  row('Conv2D same, strides, ReLU6', IMAGE, (x) =>
    layers.conv2d({ filters: 5, kernelSize: 3, strides: [2, 1], activation: 'relu6', ...SAME }).apply(x),
  ),
  row('Conv2D dilated without bias', IMAGE, (x) =>
    layers.conv2d({ filters: 3, kernelSize: 3, dilationRate: [2, 1], useBias: false }).apply(x),
  ),
  row('DepthwiseConv2D', IMAGE, (x) => layers.depthwiseConv2d({ kernelSize: 3, ...SAME }).apply(x)),
  row('DepthwiseConv2D times 2, strides', IMAGE, (x) =>
    layers.depthwiseConv2d({ kernelSize: [2, 3], depthMultiplier: 2, strides: 2, useBias: false }).apply(x),
  ),
  row('SeparableConv2D', IMAGE, (x) =>
    layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, activation: 'relu' }).apply(x),
  ),
  row('Conv2DTranspose', IMAGE, (x) =>
    layers.conv2dTranspose({ filters: 3, kernelSize: [3, 2], strides: 2 }).apply(x),
  ),
  row('Conv2DTranspose same, ReLU', IMAGE, (x) =>
    layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, activation: 'relu', ...SAME }).apply(x),
  ),
  row('Dense', [9], (x) => layers.dense({ units: 5 }).apply(x)),
  row('Dense of rank 4 without bias', [2, 3, 9], (x) => layers.dense({ units: 5, useBias: false }).apply(x)),
  row('TimeDistributed', [3, 9], (x) =>
    layers.timeDistributed({ layer: layers.dense({ units: 5, activation: 'relu' }) }).apply(x),
  ),
  row('TimeDistributed of images', [2, 6, 7, 4], (x) =>
    layers.timeDistributed({ layer: layers.conv2d({ filters: 3, kernelSize: 3 }) }).apply(x),
  ),
  // 36 terms of a folded sum, and the rounding of factor, weight and bias.
  row(
    'BatchNormalization behind a convolution',
    IMAGE,
    (x) => {
      const y = layers.conv2d({ filters: 5, kernelSize: 3, useBias: false }).apply(x)
      return layers.batchNormalization({}).apply(y as Tensors)
    },
    40,
  ),
  row('BatchNormalization alone', IMAGE, (x) => layers.batchNormalization({ center: false }).apply(x), 4),
  row('BatchNormalization of rows', [6, 5], (x) => layers.batchNormalization({ scale: false }).apply(x), 4),
  // Two means over 8 numbers, a root and a quotient.
  row('LayerNormalization', [3, 8], (x) => layers.layerNormalization().apply(x), 32),
  row('Rescaling', [5], (x) => layers.rescaling({ scale: 0.25, offset: 1 }).apply(x)),
  row('Embedding', [4], (x) => layers.embedding({ inputDim: 7, outputDim: 3 }).apply(x)),

  ...ACTIVATION_NAMES.map((name) =>
    row(`Activation ${name}`, [3, 9], (x) => layers.activation({ activation: name as 'relu' }).apply(x), 16),
  ),
  row('Dense with softmax', [9], (x) => layers.dense({ units: 5, activation: 'softmax' }).apply(x), 32),
  row('ReLU', [9], (x) => layers.reLU({}).apply(x)),
  row('ReLU up to 6', [9], (x) => layers.reLU({ maxValue: 6 }).apply(x)),
  row('ReLU up to 0.5', [9], (x) => layers.reLU({ maxValue: 0.5 }).apply(x)),
  row('LeakyReLU', [9], (x) => layers.leakyReLU({ alpha: 0.25 }).apply(x)),
  row('PReLU', [3, 9], (x) => layers.prelu({ sharedAxes: [1] }).apply(x)),
  row('ELU', [9], (x) => layers.elu({}).apply(x), 4),
  row('ThresholdedReLU', [9], (x) => layers.thresholdedReLU({ theta: 0.25 }).apply(x)),
  row('Softmax', [9], (x) => layers.softmax({}).apply(x), 16),

  row('MaxPooling1D', [9, 3], (x) => layers.maxPooling1d({ poolSize: 2 }).apply(x)),
  row('MaxPooling2D', IMAGE, (x) => layers.maxPooling2d({ poolSize: [3, 2], strides: 2, ...SAME }).apply(x)),
  row('AveragePooling1D', [9, 3], (x) => layers.averagePooling1d({ poolSize: 3, strides: 2 }).apply(x), 2),
  row(
    'AveragePooling2D',
    IMAGE,
    (x) => layers.averagePooling2d({ poolSize: 3, strides: 2, ...SAME }).apply(x),
    2,
  ),
  row('GlobalMaxPooling1D', [9, 3], (x) => layers.globalMaxPooling1d({}).apply(x)),
  row('GlobalMaxPooling2D', IMAGE, (x) => layers.globalMaxPooling2d({}).apply(x)),
  row('GlobalAveragePooling1D', [9, 3], (x) => layers.globalAveragePooling1d({}).apply(x), 2),
  row('GlobalAveragePooling2D', IMAGE, (x) => layers.globalAveragePooling2d({}).apply(x), 2),

  row('Flatten', IMAGE, (x) => layers.flatten().apply(x)),
  row('Reshape', IMAGE, (x) => layers.reshape({ targetShape: [14, -1] }).apply(x)),
  row('Permute', IMAGE, (x) => layers.permute({ dims: [3, 1, 2] }).apply(x)),
  row('ZeroPadding2D', IMAGE, (x) =>
    layers
      .zeroPadding2d({
        padding: [
          [1, 2],
          [0, 3],
        ],
      })
      .apply(x),
  ),
  row('Cropping2D', IMAGE, (x) =>
    layers
      .cropping2D({
        cropping: [
          [1, 2],
          [0, 3],
        ],
      })
      .apply(x),
  ),
  row('UpSampling2D', IMAGE, (x) => layers.upSampling2d({ size: [2, 3] }).apply(x)),
  row(
    'UpSampling2D bilinear',
    IMAGE,
    (x) => layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }).apply(x),
    4,
  ),
  row('RepeatVector', [5], (x) => layers.repeatVector({ n: 3 }).apply(x)),
  ...(['dropout', 'spatialDropout1d', 'gaussianDropout', 'alphaDropout'] as const).map((name) =>
    row(name, [3, 5], (x) =>
      layers[name]({ rate: 0.5 }).apply(layers.dense({ units: 4 }).apply(x) as Tensors),
    ),
  ),
  row('gaussianNoise, nothing else', [3, 5], (x) => layers.gaussianNoise({ stddev: 1 }).apply(x)),

  merge('Add of 3', [[5], [5], [5]], (x) => layers.add().apply(x)),
  merge('Add of other ranks', [[3, 4, 5], [5]], (x) => layers.add().apply(x)),
  merge(
    'Multiply',
    [
      [3, 5],
      [3, 5],
    ],
    (x) => layers.multiply().apply(x),
  ),
  merge('Average', [[5], [5], [5]], (x) => layers.average().apply(x), 2),
  merge('Maximum', [[5], [5]], (x) => layers.maximum().apply(x)),
  merge('Minimum', [[5], [5]], (x) => layers.minimum().apply(x)),
  merge(
    'Concatenate',
    [
      [3, 5],
      [3, 2],
    ],
    (x) => layers.concatenate().apply(x),
  ),
  merge(
    'Concatenate of rows',
    [
      [3, 5],
      [2, 5],
    ],
    (x) => layers.concatenate({ axis: 1 }).apply(x),
  ),
  merge('Dot of vectors', [[5], [5]], (x) => layers.dot({ axes: 1 }).apply(x)),
  merge(
    'Dot of matrices',
    [
      [3, 5],
      [4, 5],
    ],
    (x) => layers.dot({ axes: 2 }).apply(x),
  ),
  merge(
    'Dot of transposed matrices',
    [
      [5, 3],
      [5, 4],
    ],
    (x) => layers.dot({ axes: [1, 1] }).apply(x),
  ),
]

function modelOf({ inputs, make }: Row) {
  const ports = inputs.map((shape) => tfl.input({ shape: [...shape] }))
  const outputs = make(ports.length === 1 ? (ports[0] as Tensors) : ports) as Tensors
  return filled(tfl.model({ inputs: ports, outputs }))
}

for (const each of ROWS) {
  test(each.title, async (t) => {
    const model = modelOf(each)
    const given = inputsOf(model)
    const inputs = each.title === 'Embedding' ? [Float32Array.of(0, 6, 2.5, 3)] : given
    const expected = predict(model, inputs)
    const bytes = toTflite(model)
    t.deepEqual(findingsOf(bytes, loadSettings({}, process.env, loadBinding().cpu())).findings, [])
    const file = await loadModel(bytes)
    const actual = await file.run(inputs)
    for (const [i, tensor] of actual.entries())
      near(t, tensor.toFloat32(), expected[i] as Float32Array, each.ulps ?? 0)
    // The reference kernels lack ELU.
    const hasElu = decode(bytes).subgraphs[0]?.operators.some(({ type }) => type === 'ELU')
    if (litertMissing === undefined && !hasElu) {
      const [[outputs = []] = []] = runLitert([
        { file: bytes, runs: [inputs], outputs: expected.map(() => 'float32') },
      ])
      for (const [i, output] of outputs.entries())
        near(t, output as Float32Array, expected[i] as Float32Array, each.ulps ?? 0)
    }
    model.dispose()
  })
}

function near(t: ExecutionContext, actual: Float32Array, expected: Float32Array, ulps: number) {
  t.is(actual.length, expected.length)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const worst = actual.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))),
    0,
  )
  t.true(worst <= ulps * largest * 2 ** -23, `${worst / (largest * 2 ** -23)} ulps`)
}

test('every layer that can be written has a row', (t) => {
  const written = new Set<string>()
  for (const each of ROWS) {
    const model = modelOf(each)
    for (const layer of model.layers) written.add(layer.getClassName())
    model.dispose()
  }
  t.deepEqual(
    Object.keys(LAYER_WRITERS).filter((name) => !written.has(name)),
    [],
  )
  t.is(tf.getBackend(), 'cpu')
})

test('the documentation names every layer and function', (t) => {
  const text = readFileSync(new URL('../../../../docs/write-tflite.md', import.meta.url), 'utf8')
  const words = new Set(text.match(/\w+/g))
  t.deepEqual(
    [...Object.keys(LAYER_WRITERS), ...ACTIVATION_NAMES].filter((name) => !words.has(name)),
    [],
  )
})
