// Repairs of float graphs: what they promise is that the model computes the same.

import test from 'ava'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel } from '#lib/index.js'
import type { ModelFile } from '#lib/model/model.js'
import { floatsOf } from '#lib/quantize/constants.js'
import { type FloatModel, prepare } from '#lib/quantize/prepare.js'
import { meanError } from '#lib/quantize/repairs/bias-correction.js'
import { equalise, layerPairs } from '#lib/quantize/repairs/equalise.js'
import { foldBatchNorm } from '#lib/quantize/repairs/fold-batch-norm.js'
import { normals } from '../../helpers/densities.js'
import { model, type OperatorSpec, type TensorSpec } from '../../helpers/model-builder.js'

const real = (...shape: number[]): TensorSpec => ({ dtype: 'float32', shape })
const constant = (seed: number, ...shape: number[]): TensorSpec => ({
  dtype: 'float32',
  shape,
  data: normals(
    seed,
    shape.reduce((a, b) => a * b, 1),
  ),
})
const CONV = { padding: 0, strideW: 1, strideH: 1, dilationWFactor: 1, dilationHFactor: 1 }
const DEPTHWISE = { ...CONV, depthMultiplier: 1 }

function layersModel(
  tensors: Record<string, TensorSpec>,
  operators: readonly OperatorSpec[],
  output: string,
) {
  return prepare(
    model([{ tensors: { in: real(1, 6, 6, 3), ...tensors }, operators, inputs: ['in'], outputs: [output] }]),
  )
}

async function outputOf(file: ModelFile, seed = 1): Promise<Float32Array> {
  const loaded = await loadModel(encode(file), { threads: 1 })
  const [output] = await loaded.run([normals(seed, 6 * 6 * 3)])
  loaded.dispose()
  return output?.data as Float32Array
}

const withGraph = (file: FloatModel, graph: FloatModel['subgraphs'][0]): ModelFile => ({
  ...file,
  subgraphs: [graph],
})

/** Sums of some hundred products, in another order and with other factors: 2^-14 of the largest is ample. */
function alike(a: Float32Array, b: Float32Array): boolean {
  const most = a.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  return a.length === b.length && a.every((value, i) => Math.abs(value - (b[i] as number)) <= most * 2 ** -14)
}

test('batch normalisation behind a layer becomes part of it', async (t) => {
  const file = layersModel(
    {
      w: constant(1, 4, 3, 3, 3),
      m: constant(2, 4),
      a: constant(3, 1, 1, 1, 4),
      c: real(1, 6, 6, 4),
      x: real(1, 6, 6, 4),
      y: real(1, 6, 6, 4),
      dw: constant(4, 1, 3, 3, 4),
      db: constant(5, 4),
      d: real(1, 6, 6, 4),
      s: constant(6, 1),
      z: real(1, 6, 6, 4),
    },
    [
      { type: 'CONV_2D', inputs: ['in', 'w'], outputs: ['c'], options: CONV },
      { type: 'MUL', inputs: ['m', 'c'], outputs: ['x'] },
      { type: 'ADD', inputs: ['x', 'a'], outputs: ['y'], options: { fusedActivationFunction: 1 } },
      { type: 'DEPTHWISE_CONV_2D', inputs: ['y', 'dw', 'db'], outputs: ['d'], options: DEPTHWISE },
      { type: 'SUB', inputs: ['d', 's'], outputs: ['z'] },
    ],
    'z',
  )
  const { graph, folded } = foldBatchNorm(file.subgraphs[0])
  t.is(folded, 3)
  t.deepEqual(
    graph.operators.map(({ type, options }) => [type, options['fusedActivationFunction']]),
    [
      ['CONV_2D', 1],
      ['DEPTHWISE_CONV_2D', 0],
    ],
  )
  t.true(alike(await outputOf(file), await outputOf(withGraph(file, graph))))
})

test('what is no batch normalisation stays', (t) => {
  const tensors = {
    w: constant(1, 3, 1, 1, 3),
    v: constant(2, 6, 6, 1),
    k: { dtype: 'float32', shape: [1], data: [-1e9] } as const,
    m: constant(3, 3),
    c: real(1, 6, 6, 3),
    x: real(1, 6, 6, 3),
    y: real(1, 6, 6, 3),
  }
  const conv = { type: 'CONV_2D', inputs: ['in', 'w'], outputs: ['c'], options: CONV }
  const cases: readonly (readonly [string, readonly OperatorSpec[]])[] = [
    ['a factor for each place', [conv, { type: 'MUL', inputs: ['c', 'v'], outputs: ['x'] }]],
    ['a mask', [conv, { type: 'ADD', inputs: ['c', 'k'], outputs: ['x'] }]],
    ['another input', [conv, { type: 'MUL', inputs: ['c', 'in'], outputs: ['x'] }]],
    ['a constant less the layer', [conv, { type: 'SUB', inputs: ['m', 'c'], outputs: ['x'] }]],
    [
      'a ReLU before it',
      [
        { ...conv, options: { ...CONV, fusedActivationFunction: 1 } },
        { type: 'MUL', inputs: ['c', 'm'], outputs: ['x'] },
      ],
    ],
    [
      'a second reader',
      [
        conv,
        { type: 'MUL', inputs: ['c', 'm'], outputs: ['y'] },
        { type: 'ADD', inputs: ['c', 'y'], outputs: ['x'] },
      ],
    ],
  ]
  for (const [name, operators] of cases) {
    const { subgraphs } = layersModel(tensors, operators, 'x')
    t.is(foldBatchNorm(subgraphs[0]).graph, subgraphs[0], name)
  }
})

/** Three layers, with an activation behind the first two. */
function chain(activation: number, size: number) {
  const wide = constant(1, 4, 1, 1, 3)
  const scaled = Float32Array.from(
    wide.data as Float32Array,
    (v, i) => v * size * 10 ** (Math.floor(i / 3) - 2),
  )
  return layersModel(
    {
      w: { ...wide, data: scaled },
      b: constant(2, 4),
      c: real(1, 6, 6, 4),
      dw: constant(3, 1, 3, 3, 4),
      db: constant(4, 4),
      d: real(1, 6, 6, 4),
      p: real(1, 3, 3, 4),
      v: constant(5, 2, 1, 1, 4),
      o: real(1, 3, 3, 2),
    },
    [
      {
        type: 'CONV_2D',
        inputs: ['in', 'w', 'b'],
        outputs: ['c'],
        options: { ...CONV, fusedActivationFunction: activation },
      },
      {
        type: 'DEPTHWISE_CONV_2D',
        inputs: ['c', 'dw', 'db'],
        outputs: ['d'],
        options: { ...DEPTHWISE, fusedActivationFunction: activation },
      },
      {
        type: 'MAX_POOL_2D',
        inputs: ['d'],
        outputs: ['p'],
        options: { padding: 1, strideW: 2, strideH: 2, filterWidth: 2, filterHeight: 2 },
      },
      { type: 'CONV_2D', inputs: ['p', 'v'], outputs: ['o'], options: CONV },
    ],
    'o',
  )
}

test('equalised layers compute the same through ReLU, and their channels are alike', async (t) => {
  const file = chain(1, 1)
  const [graph] = file.subgraphs
  const pairs = layerPairs(graph)
  t.deepEqual(pairs, [
    { first: 0, second: 1 },
    { first: 1, second: 3 },
  ])
  const equalised = equalise(graph, pairs, () => undefined)
  t.true(alike(await outputOf(file), await outputOf(withGraph(file, equalised))))
  const magnitudes = (tensors: FloatModel['subgraphs'][0]['tensors']) => {
    const record = tensors.find(({ name }) => name === 'w')
    if (record === undefined) throw new Error('no weights')
    const values = floatsOf(record)
    return Array.from({ length: 4 }, (_, r) => Math.max(...values.subarray(3 * r, 3 * r + 3).map(Math.abs)))
  }
  const spread = (of: number[]) => Math.max(...of) / Math.min(...of)
  t.true(spread(magnitudes(equalised.tensors)) < spread(magnitudes(graph.tensors)) / 5)
})

test('behind a ReLU6 only what stays below the clip is scaled', async (t) => {
  for (const size of [0.1, 1, 3]) {
    const file = chain(3, size)
    const [graph] = file.subgraphs
    const pairs = layerPairs(graph)
    t.deepEqual(pairs, [
      { first: 0, second: 1, clipped: graph.operators[0]?.outputs[0] },
      { first: 1, second: 3, clipped: graph.operators[1]?.outputs[0] },
    ] as typeof pairs)
    t.is(
      equalise(graph, pairs, () => undefined),
      graph,
      'nothing is known of the clip',
    )
    const loaded = await loadModel(encode(file), { threads: 1 })
    const run = await loaded.run([normals(1, 108)], { keep: ['c', 'd'] })
    const peaks = new Map(
      (['c', 'd'] as const).map((name) => {
        const largest = new Float64Array(4)
        const data = run.kept[name]?.data as Float32Array
        data.forEach((value, i) => {
          largest[i % 4] = Math.max(largest[i % 4] as number, value)
        })
        return [graph.tensors.findIndex((tensor) => tensor.name === name), largest] as const
      }),
    )
    loaded.dispose()
    const equalised = equalise(graph, pairs, (tensor) => peaks.get(tensor))
    t.not(equalised, graph)
    t.true(alike(await outputOf(file), await outputOf(withGraph(file, equalised))), `${size}`)
  }
})

test('layers whose channels others read too are no pair', (t) => {
  const tensors = {
    w: constant(1, 3, 1, 1, 3),
    v: constant(2, 3, 1, 1, 3),
    c: real(1, 6, 6, 3),
    d: real(1, 6, 6, 3),
    x: real(1, 6, 6, 3),
  }
  const { subgraphs } = layersModel(
    tensors,
    [
      { type: 'CONV_2D', inputs: ['in', 'w'], outputs: ['c'], options: CONV },
      { type: 'CONV_2D', inputs: ['c', 'v'], outputs: ['d'], options: CONV },
      { type: 'ADD', inputs: ['c', 'd'], outputs: ['x'] },
    ],
    'x',
  )
  t.deepEqual(layerPairs(subgraphs[0]), [])
})

test('the mean error is that of the means, by groups of rows', (t) => {
  const moments = (...mean: number[]) => ({
    columns: 2,
    count: 1,
    mean: Float64Array.from(mean),
    gram: new Float64Array(0),
  })
  const inputs = { columns: 2, groups: [[moments(1, 2)], [moments(3, 4)]] }
  const before = { values: Float32Array.of(1, 2, 3, 4), inputs }
  const after = {
    values: Float32Array.of(1, 1, 3, 5),
    inputs: { columns: 2, groups: [[moments(1, 2)], [moments(3, 5)]] },
  }
  // 1 + 4 - (1 + 2), 9 + 16 - (9 + 25)
  t.deepEqual(meanError(before, after, 2), Float64Array.of(2, -9))
})
