// Integer files on known grids: each layer is within a step of what fake quantisation in floats gives, and LiteRT's
// reference kernels compute the same bits.

import type * as Core from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import test from 'ava'
import { findingsOf } from '#lib/cli/inspect-findings.js'
import { decode } from '#lib/format/tflite/decode.js'
import { LowbitError, loadModel, type Tensor } from '#lib/index.js'
import type { Subgraph } from '#lib/model/model.js'
import { loadBinding } from '#lib/native/load.js'
import { dequantizeAffine, quantizeAffine } from '#lib/numerics/affine.js'
import { loadSettings } from '#lib/session/options.js'
import type { LearnedGrid, LearnedQuantization } from '#lib/train/contract.js'
import { toTflite } from '#lib/train/write/to-tflite.js'
import { filled, steps, type Tensors, tf, tfl } from '../../helpers/layers-models.js'
import { litertMissing, runLitert } from '../../helpers/litert.js'

const { layers } = tfl
type Bits = LearnedGrid['bits']
type Layer = LayersModel['layers'][number]

const RUNS = 6

/** Layers whose output has the codes of their input. */
const PASSING = ['MaxPooling2D', 'AveragePooling2D', 'Flatten', 'Dropout', 'ZeroPadding2D', 'Reshape']

/** Gives the logits too: a step of theirs is many of their softmax. */
function classifier(): LayersModel {
  const x = tfl.input({ shape: [10, 10, 3] })
  const stack = [
    layers.conv2d({ filters: 6, kernelSize: 3, activation: 'relu' }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', activation: 'relu6' }),
    layers.dropout({ rate: 0.5 }),
    layers.flatten(),
    layers.dense({ units: 10 }),
  ]
  const logits = stack.reduce((y, layer) => layer.apply(y) as Tensors, x as Tensors)
  const shares = layers.activation({ activation: 'softmax' }).apply(logits)
  return tfl.model({ inputs: x, outputs: [logits, shares] as never })
}

function branches(): LayersModel {
  const x = tfl.input({ shape: [6, 6, 4] })
  const a = layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }).apply(x) as Tensors
  const b = layers.conv2d({ filters: 4, kernelSize: 1, activation: 'relu' }).apply(x) as Tensors
  const sum = layers.add().apply([a, b] as Tensors) as Tensors
  const both = layers.concatenate().apply([sum, b] as Tensors) as Tensors
  const up = layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 2 }).apply(both) as Tensors
  const mean = layers.globalAveragePooling2d({}).apply(up) as Tensors
  return tfl.model({ inputs: x, outputs: [mean, sum] as never })
}

const codesOfBits = (bits: Bits) => ({ low: -(2 ** (bits - 1)), high: 2 ** (bits - 1) - 1 })

function activationGrid(values: Float32Array, bits: Bits): LearnedGrid {
  const { low, high } = codesOfBits(bits)
  const [min, max] = [Math.min(0, ...values), Math.max(0, ...values)]
  // Narrower than what is seen: clamps are met.
  const scale = Math.fround(((max - min) * 0.9) / (high - low))
  const zeroPoint = Math.max(low, Math.min(high, Math.round(low - (min * 0.9) / scale)))
  return { bits, scales: Float32Array.of(scale), zeroPoints: Int32Array.of(zeroPoint) }
}

/** One scale for each output channel; they are innermost, but for transposed convolutions. */
function weightGrid(
  values: Float32Array,
  shape: readonly number[],
  bits: Bits,
  isTransposed: boolean,
): LearnedGrid {
  const [inner, channels] = isTransposed
    ? [shape[3] as number, shape[2] as number]
    : [1, shape[2] === 6 && shape[3] === 1 ? 6 : (shape.at(-1) as number)]
  const largest = new Float32Array(channels)
  for (const [i, value] of values.entries()) {
    const c = Math.floor(i / inner) % channels
    largest[c] = Math.max(largest[c] as number, Math.abs(value))
  }
  const { high } = codesOfBits(bits)
  return { bits, scales: largest.map((value) => value / high), zeroPoints: new Int32Array(channels), axis: 3 }
}

function laidOn(
  values: Float32Array,
  { bits, scales, zeroPoints }: LearnedGrid,
  inner = 1,
  isWeight = false,
) {
  const { low, high } = codesOfBits(bits)
  const range = { low: isWeight && bits === 8 ? -127 : low, high }
  return values.map((value, i) => {
    const c = Math.floor(i / inner) % scales.length
    const affine = { scale: scales[c] as number, zeroPoint: zeroPoints[c] as number }
    const code = new Int16Array(1)
    quantizeAffine(Float32Array.of(value), { ...affine, ...range }, code)
    return dequantizeAffine(code, affine)[0] as number
  })
}

/** Each layer's output, through `lay` before the next layer reads it. */
function outputsOfLayers(
  model: LayersModel,
  input: Core.Tensor,
  lay: (layer: Layer, y: Core.Tensor) => Core.Tensor,
) {
  const known = new Map<number, Core.Tensor>()
  for (const layer of model.layers) {
    const [node] = layer.inboundNodes
    const given = node?.inputTensors.map(({ id }) => known.get(id) as Core.Tensor) ?? []
    const isInput = layer.getClassName() === 'InputLayer'
    // A Sequential model does not list its input layer.
    if (!isInput && given[0] === undefined) {
      given[0] = lay(node?.inboundLayers[0] as Layer, input)
    }
    const y = isInput
      ? input
      : (layer.apply(given.length === 1 ? (given[0] as Core.Tensor) : given) as Core.Tensor)
    known.set(node?.outputTensors[0]?.id as number, lay(layer, y))
  }
  return model.outputs.map(({ id }) => known.get(id) as Core.Tensor)
}

function learn(
  model: LayersModel,
  inputs: readonly Float32Array[],
  weightBits: Bits,
  activationBits: Bits,
): LearnedQuantization {
  const weights = new Map<string, LearnedGrid>()
  for (const layer of model.layers) {
    const [kernel, ...others] = layer.getWeights()
    if (kernel === undefined) continue
    const isTransposed = layer.getClassName() === 'Conv2DTranspose'
    const values = Float32Array.from(kernel.dataSync())
    const grid = weightGrid(values, kernel.shape, weightBits, isTransposed)
    weights.set(layer.name, grid)
    const laid = laidOn(values, grid, isTransposed ? kernel.shape[3] : 1, true)
    layer.setWeights([tf.tensor(laid, kernel.shape), ...others])
  }
  const seen = new Map<string, number[]>()
  const shape = (model.inputs[0]?.shape ?? []).map((extent) => extent ?? 1)
  for (const input of inputs) {
    outputsOfLayers(model, tf.tensor(input, shape), (layer, y) => {
      const values = seen.get(layer.name) ?? []
      seen.set(layer.name, values)
      if (!PASSING.includes(layer.getClassName())) values.push(...y.dataSync())
      return y
    })
  }
  const activations = new Map<string, LearnedGrid>()
  for (const [name, values] of seen) {
    if (values.length === 0) continue
    const isEnd = name.startsWith('activation') || name === model.inputs[0]?.sourceLayer.name
    const grid = activationGrid(Float32Array.from(values), isEnd ? 8 : activationBits)
    activations.set(name, name.startsWith('activation') ? PRESCRIBED : grid)
  }
  return { activations, weights }
}

const PRESCRIBED: LearnedGrid = { bits: 8, scales: Float32Array.of(1 / 256), zeroPoints: Int32Array.of(-128) }

function simulate(
  model: LayersModel,
  input: Float32Array,
  { activations }: LearnedQuantization,
): Float32Array[] {
  const shape = (model.inputs[0]?.shape ?? []).map((extent) => extent ?? 1)
  return tf.tidy(() =>
    outputsOfLayers(model, tf.tensor(input, shape), (layer, y) => {
      const grid = activations.get(layer.name) ?? gridBefore(layer, activations)
      return grid === undefined ? y : tf.tensor(laidOn(Float32Array.from(y.dataSync()), grid), y.shape)
    }).map((y) => Float32Array.from(y.dataSync())),
  )
}

/** Of a layer that passes codes on. */
function gridBefore(layer: Layer, activations: LearnedQuantization['activations']): LearnedGrid | undefined {
  const before = layer.inboundNodes[0]?.inboundLayers[0] as Layer | undefined
  if (before === undefined) return undefined
  return activations.get(before.name) ?? gridBefore(before, activations)
}

const MODELS = { classifier, branches }
const WIDTHS: readonly (readonly [Bits, Bits])[] = [
  [8, 8],
  [4, 8],
  [3, 8],
  [2, 8],
  [8, 4],
  [4, 4],
]

for (const [name, make] of Object.entries(MODELS)) {
  for (const [weightBits, activationBits] of WIDTHS) {
    test(`${name}: weights of ${weightBits} bits, activations of ${activationBits}`, async (t) => {
      const model = filled(make())
      const size = (model.inputs[0]?.shape ?? []).reduce((a: number, b) => a * (b ?? 1), 1)
      const inputs = Array.from({ length: RUNS }, (_, i) => steps(size, 20 + i))
      const learned = learn(model, inputs, weightBits, activationBits)
      const bytes = toTflite(model, { learned })
      t.deepEqual(findingsOf(bytes, loadSettings({}, process.env, loadBinding().cpu())).findings, [])
      const graph = decode(bytes).subgraphs[0]
      const real = graph?.tensors.filter(({ dtype }) => dtype === 'float32')
      t.deepEqual(real, [], 'all of it is integer')
      const isNarrow = graph?.tensors.some(({ dtype }) => dtype === 'int4')
      t.is(isNarrow, weightBits < 8)

      const file = await loadModel(bytes)
      const floats = await loadModel(toTflite(model, { learned, ports: 'float32' }))
      const { scale = [], zeroPoint = [] } = file.inputs[0]?.quantization ?? {}
      const codes = inputs.map((input) => {
        const into = new Int8Array(input.length)
        const affine = { scale: scale[0] as number, zeroPoint: zeroPoint[0] as number }
        quantizeAffine(input, { ...affine, low: -128, high: 127 }, into)
        return into
      })
      const results: Int8Array[][] = []
      for (const [i, input] of codes.entries()) {
        const real = inputs[i] as Float32Array
        const kept = (graph?.tensors ?? []).flatMap(({ data }, k) => (data === undefined ? [`#${k}`] : []))
        const outputs = await file.run([input], { keep: kept })
        results.push(outputs.map(({ data }) => data as Int8Array))
        const again = await floats.run([real])
        for (const [k, output] of outputs.entries()) t.deepEqual(again[k]?.data, output.toFloat32())
        // Each layer by itself, on what the file has given it: steps of several layers would add up.
        for (const [layer, steps] of layerErrors(model, real, learned, (layer) => {
          const found = tensorOf(graph as Subgraph, layer, learned)
          return found < 0 ? undefined : outputs.kept[`#${found}`]?.toFloat32()
        })) {
          t.true(steps <= 1.001, `${layer} in run ${i}: ${steps} steps`)
        }
        if (name === 'classifier') {
          const expected = simulate(model, real, learned)[1] as Float32Array
          t.is(top((outputs[1] as Tensor).toFloat32()), top(expected))
        }
      }
      if (litertMissing === undefined) {
        const outputs = file.outputs.map(({ dtype }) => dtype)
        t.deepEqual(runLitert([{ file: bytes, runs: codes.map((input) => [input]), outputs }])[0], results)
      }
    })
  }
}

/** Place of the tensor that a layer gives, in its last codes; -1 if it has none of its own. */
function tensorOf({ tensors }: Subgraph, { name }: Layer, { activations }: LearnedQuantization): number {
  const scale = activations.get(name)?.scales[0]
  return tensors.findLastIndex(
    (tensor) =>
      tensor.name.replace(/(_int8)*$/, '') === name &&
      (scale === undefined || tensor.quantization?.scale[0] === scale),
  )
}

/** How far each layer of the file is from fake quantisation, in steps. */
function layerErrors(
  model: LayersModel,
  input: Float32Array,
  { activations }: LearnedQuantization,
  actualOf: (layer: Layer) => Float32Array | undefined,
): [string, number][] {
  const errors: [string, number][] = []
  const shape = (model.inputs[0]?.shape ?? []).map((extent) => extent ?? 1)
  tf.tidy(() => {
    outputsOfLayers(model, tf.tensor(input, shape), (layer, y) => {
      const grid = activations.get(layer.name) ?? (gridBefore(layer, activations) as LearnedGrid)
      const expected = laidOn(Float32Array.from(y.dataSync()), grid)
      const actual = actualOf(layer) ?? expected
      const worst = actual.reduce((most, x, i) => Math.max(most, Math.abs(x - (expected[i] as number))), 0)
      errors.push([layer.name, worst / (grid.scales[0] as number)])
      return tf.tensor(actual, y.shape)
    })
  })
  return errors
}

const top = (values: Float32Array) => values.indexOf(Math.max(...values))

test('a layer whose activations have no grid stays float, with its weights on theirs', async (t) => {
  const model = filled(
    tfl.sequential({ layers: [layers.dense({ name: 'only', units: 5, inputShape: [9] })] }),
  )
  const input = steps(9, 20)
  const { weights } = learn(model, [input], 8, 8)
  const bytes = toTflite(model, { learned: { activations: new Map(), weights } })
  const graph = decode(bytes).subgraphs[0]
  t.deepEqual(
    graph?.operators.map(({ type }) => type),
    ['DEQUANTIZE', 'FULLY_CONNECTED'],
  )
  t.is(graph?.tensors.find(({ name }) => name === 'only/kernel_int8')?.dtype, 'int8')
  const [output] = await (await loadModel(bytes)).run([input])
  const [expected] = simulate(model, input, { activations: new Map(), weights })
  // Sums of 10 terms of at most 1.
  for (const [i, value] of (output?.toFloat32() ?? []).entries()) {
    t.true(Math.abs(value - (expected?.[i] as number)) <= 10 * 10 * 2 ** -24)
  }
})

test('grids that are none', (t) => {
  const model = filled(classifier())
  const [conv, dense] = [model.layers[1]?.name as string, model.layers[6]?.name as string]
  const grid = (change: Partial<LearnedGrid> = {}): LearnedGrid => ({
    bits: 8,
    scales: Float32Array.of(1),
    zeroPoints: Int32Array.of(0),
    ...change,
  })
  const codeOf = (activations: Record<string, LearnedGrid>, weights: Record<string, LearnedGrid>) => {
    const learned = {
      activations: new Map(Object.entries(activations)),
      weights: new Map(Object.entries(weights)),
    }
    return t.throws(() => toTflite(model, { learned }), { instanceOf: LowbitError })?.code
  }
  t.is(codeOf({}, { nothing: grid() }), 'NAME_UNKNOWN')
  t.is(codeOf({ [conv]: grid({ scales: Float32Array.of(0) }) }, {}), 'OPTION_INVALID')
  t.is(codeOf({ [conv]: grid({ bits: 5 as Bits }) }, {}), 'OPTION_INVALID')
  t.is(codeOf({ [conv]: grid({ zeroPoints: Int32Array.of(128) }) }, {}), 'OPTION_INVALID')
  t.is(codeOf({}, { [dense]: grid({ zeroPoints: Int32Array.of(1) }) }), 'OPTION_INVALID')
  const scales = new Float32Array(3).fill(1)
  t.is(codeOf({}, { [dense]: grid({ scales, zeroPoints: new Int32Array(3) }) }), 'SHAPE_MISMATCH')
})
