// What `quantize` promises beside the numbers of each operator: forms of files, ports, reports, options.

import test from 'ava'
import { decode } from '#lib/format/tflite/decode.js'
import { encode } from '#lib/format/tflite/encode.js'
import { loadModel } from '#lib/index.js'
import type { ModelFile } from '#lib/model/model.js'
import { fromHalf, toHalf } from '#lib/numerics/half.js'
import { quantize, type Recipe } from '#lib/quantize.js'
import { model, type OperatorSpec, type TensorSpec } from '../helpers/model-builder.js'
import { random } from '../helpers/random.js'

const real = (...shape: number[]): TensorSpec => ({ dtype: 'float32', shape })
const next = random(2)
const values = (count: number) => Float32Array.from({ length: count }, () => (next() % 201) / 100 - 1)
const weights = (...shape: number[]): TensorSpec => ({
  ...real(...shape),
  data: values(shape.reduce((a, b) => a * b, 1)),
})
const rules = (...list: Recipe['rules']): Recipe => ({ version: 1, rules: list })

interface Net {
  readonly tensors: Readonly<Record<string, TensorSpec>>
  readonly operators: readonly OperatorSpec[]
  readonly outputs?: readonly string[]
}
const fileOf = ({ tensors, operators, outputs = ['y'] }: Net, extra: Partial<ModelFile> = {}) =>
  encode(model([{ tensors, operators, inputs: ['x'], outputs }], extra))

/** FULLY_CONNECTED, then SOFTMAX. */
const CLASSIFIER = fileOf({
  tensors: { x: real(1, 6), w: weights(3, 6), b: weights(3), h: real(1, 3), y: real(1, 3) },
  operators: [
    { type: 'FULLY_CONNECTED', inputs: ['x', 'w', 'b'], outputs: ['h'] },
    { type: 'SOFTMAX', inputs: ['h'], outputs: ['y'], options: { beta: 1 } },
  ],
})
const SAMPLES = Array.from({ length: 12 }, () => [values(6)])

const graphOf = (bytes: Uint8Array) => {
  const [graph] = decode(bytes).subgraphs
  if (graph === undefined) throw new Error('no graph')
  const dtypes = (list: readonly number[]) => list.map((i) => graph.tensors[i]?.dtype)
  const names = (list: readonly number[]) => list.map((i) => graph.tensors[i]?.name)
  return {
    ...graph,
    types: graph.operators.map(({ type }) => type),
    ports: [...dtypes(graph.inputs), ...dtypes(graph.outputs)],
    portNames: [...names(graph.inputs), ...names(graph.outputs)],
    weightType: (place: number) => graph.tensors[graph.operators[place]?.inputs[1] ?? -1]?.dtype,
  }
}

test('integer ports: the model takes and gives codes', async (t) => {
  const { bytes } = await quantize(CLASSIFIER, SAMPLES, 'int8')
  const graph = graphOf(bytes)
  t.deepEqual(graph.types, ['FULLY_CONNECTED', 'SOFTMAX'])
  t.deepEqual(graph.ports, ['int8', 'int8'])
  t.deepEqual(graph.portNames, ['x', 'y'])
})

test('float ports: it converts by itself, under the same names', async (t) => {
  const { bytes } = await quantize(CLASSIFIER, SAMPLES, { version: 1, rules: [], ports: 'float32' })
  const graph = graphOf(bytes)
  t.deepEqual(graph.types, ['QUANTIZE', 'FULLY_CONNECTED', 'SOFTMAX', 'DEQUANTIZE'])
  t.deepEqual(graph.ports, ['float32', 'float32'])
  t.deepEqual(graph.portNames, ['x', 'y'])
})

test('signatures follow the tensors that are the ports now', async (t) => {
  const signatures = [
    {
      name: 'serve',
      subgraph: 0,
      inputs: [{ name: 'in', tensor: 0 }],
      outputs: [{ name: 'out', tensor: 4 }],
    },
  ]
  const source = encode({ ...decode(CLASSIFIER), signatures })
  for (const ports of ['integer', 'float32'] as const) {
    const { bytes } = await quantize(source, SAMPLES, { version: 1, rules: [], ports })
    const loaded = await loadModel(bytes)
    const [input] = SAMPLES[0] as [Float32Array]
    const named = await loaded.signature('serve').run({ in: input })
    const [plain] = await loaded.run([input])
    t.deepEqual(named['out']?.data, plain?.data)
  }
})

const FORMS: readonly (readonly [title: string, Recipe, ports: string, weights: string, types: string[]])[] =
  [
    ['uint8', rules({ activations: { type: 'uint8' } }), 'uint8', 'uint8', ['FULLY_CONNECTED', 'SOFTMAX']],
    ['int16', rules({ activations: { type: 'int16' } }), 'int16', 'int8', ['FULLY_CONNECTED', 'SOFTMAX']],
    ['4 bits', rules({ weights: { bits: 4 } }), 'int8', 'int4', ['FULLY_CONNECTED', 'SOFTMAX']],
    [
      'dynamic',
      rules({ activations: { type: 'dynamic' } }),
      'float32',
      'int8',
      ['FULLY_CONNECTED', 'SOFTMAX'],
    ],
    [
      'weights only',
      rules({ activations: { type: 'float32' } }),
      'float32',
      'float32',
      ['DEQUANTIZE', 'FULLY_CONNECTED', 'SOFTMAX'],
    ],
    [
      'float16',
      rules({ weights: { type: 'float16' }, activations: { type: 'float32' } }),
      'float32',
      'float32',
      ['DEQUANTIZE', 'FULLY_CONNECTED', 'SOFTMAX'],
    ],
  ]
for (const [title, recipe, port, weight, types] of FORMS) {
  test(`form: ${title}`, async (t) => {
    const isReal = port === 'float32'
    const { bytes, report } = await quantize(CLASSIFIER, isReal ? [] : SAMPLES, recipe)
    const graph = graphOf(bytes)
    t.deepEqual(graph.types, types)
    t.deepEqual(graph.ports, [port, port])
    t.is(graph.weightType(graph.types.indexOf('FULLY_CONNECTED')), weight as never)
    t.is(report.samples, isReal ? 0 : SAMPLES.length)
    t.true(report.layers[0]?.weights !== undefined)
  })
}

test('operators that stay float32 have conversions around them, one a tensor', async (t) => {
  const source = fileOf({
    tensors: { x: real(1, 6), w: weights(6, 6), a: real(1, 6), b: real(1, 6), y: real(1, 6) },
    operators: [
      { type: 'FULLY_CONNECTED', inputs: ['x', 'w', null], outputs: ['a'] },
      { type: 'ADD', inputs: ['a', 'a'], outputs: ['b'] },
      { type: 'MUL', inputs: ['a', 'b'], outputs: ['y'] },
    ],
  })
  const { bytes, report } = await quantize(source, SAMPLES, rules({ ops: ['ADD'], skip: true }))
  t.deepEqual(graphOf(bytes).types, ['FULLY_CONNECTED', 'DEQUANTIZE', 'ADD', 'QUANTIZE', 'MUL'])
  t.is(report.layers[1]?.kept, 'skipped by the recipe')
})

test('a model whose first operator stays float32 takes float32', async (t) => {
  const { bytes } = await quantize(CLASSIFIER, SAMPLES, rules({ match: 'FULLY_CONNECTED #0', skip: true }))
  t.deepEqual(graphOf(bytes).ports, ['float32', 'int8'])
})

test('weights that are int8 already are widened first: the same codes come out', async (t) => {
  const { bytes: hybrid } = await quantize(CLASSIFIER, [], 'int8-dynamic')
  const again = await quantize(hybrid, [], 'int8-dynamic')
  const codes = (bytes: Uint8Array) =>
    decode(bytes).subgraphs[0]?.tensors.find(({ dtype }) => dtype === 'int8')
  t.deepEqual(codes(again.bytes)?.data, codes(hybrid)?.data)
  t.is((await quantize(hybrid, SAMPLES, 'int8')).report.layers[0]?.kept, undefined)
})

test('float16 and blockwise int4 weights are widened first', async (t) => {
  const half = rules({ weights: { type: 'float16' }, activations: { type: 'float32' } })
  const { bytes } = await quantize(CLASSIFIER, [], half)
  t.deepEqual(graphOf((await quantize(bytes, SAMPLES, 'int8')).bytes).types, ['FULLY_CONNECTED', 'SOFTMAX'])

  const wide = fileOf({
    tensors: { x: real(1, 64), w: weights(3, 64), y: real(1, 3) },
    operators: [{ type: 'FULLY_CONNECTED', inputs: ['x', 'w', null], outputs: ['y'] }],
  })
  const groups = rules({ weights: { bits: 4, granularity: 'group' }, activations: { type: 'dynamic' } })
  const blockwise = await quantize(wide, [], groups)
  t.deepEqual(blockwise.report.notes, [])
  t.truthy(decode(blockwise.bytes).subgraphs[0]?.tensors.find(({ blockwise }) => blockwise !== undefined))
  const sample = [values(64)]
  const { bytes: integer } = await quantize(blockwise.bytes, [sample], 'int8')
  const [expected] = await (await loadModel(blockwise.bytes)).run(sample)
  const [actual] = await (await loadModel(integer)).run(sample)
  const [x, y] = [expected?.toFloat32() ?? [], actual?.toFloat32() ?? []]
  for (const [i, value] of x.entries()) t.true(Math.abs(value - (y[i] as number)) < 0.1)
})

test('operands of a concatenation share codes, those that are prescribed are converted', async (t) => {
  const source = fileOf({
    tensors: { x: real(1, 6), w: weights(6, 6), a: real(1, 6), b: real(1, 6), y: real(1, 18) },
    operators: [
      { type: 'FULLY_CONNECTED', inputs: ['x', 'w', null], outputs: ['a'] },
      { type: 'LOGISTIC', inputs: ['a'], outputs: ['b'] },
      { type: 'CONCATENATION', inputs: ['a', 'b', 'x'], outputs: ['y'], options: { axis: 1 } },
    ],
  })
  const { bytes } = await quantize(source, SAMPLES, 'int8')
  const graph = graphOf(bytes)
  t.deepEqual(graph.types, ['FULLY_CONNECTED', 'LOGISTIC', 'QUANTIZE', 'CONCATENATION'])
  const scales = graph.operators.at(-1)?.inputs.map((i) => graph.tensors[i]?.quantization?.scale[0])
  t.is(
    new Set([...(scales ?? []), graph.tensors[graph.outputs[0] as number]?.quantization?.scale[0]]).size,
    1,
  )
})

test('what a mask touches stays float32', async (t) => {
  const mask = { ...real(1, 6), data: [0, 0, -3.4e38, 0, Number.NEGATIVE_INFINITY, 0] }
  const source = fileOf({
    tensors: {
      x: real(1, 6),
      w: weights(6, 6),
      m: mask,
      a: real(1, 6),
      b: real(1, 6),
      c: real(1, 6),
      y: real(1, 6),
    },
    operators: [
      { type: 'FULLY_CONNECTED', inputs: ['x', 'w', null], outputs: ['a'] },
      { type: 'ADD', inputs: ['a', 'm'], outputs: ['b'] },
      { type: 'RESHAPE', inputs: ['b'], outputs: ['c'], options: { newShape: [1, 6] } },
      { type: 'SOFTMAX', inputs: ['c'], outputs: ['y'], options: { beta: 1 } },
    ],
  })
  const { bytes, report } = await quantize(source, SAMPLES, 'int8')
  t.deepEqual(graphOf(bytes).types, ['FULLY_CONNECTED', 'DEQUANTIZE', 'ADD', 'RESHAPE', 'SOFTMAX'])
  t.deepEqual(
    report.layers.map(({ kept }) => kept !== undefined),
    [false, true, true, true],
  )
})

test('a channel without weights keeps its bias', async (t) => {
  const rows = [...new Array(6).fill(0), ...new Array(6).fill(1e-30), 1, 2, 3, 4, 5, 6]
  const source = fileOf({
    tensors: {
      x: real(1, 6),
      w: { ...real(3, 6), data: rows },
      b: { ...real(3), data: [20, -20, 0.5] },
      y: real(1, 3),
    },
    operators: [{ type: 'FULLY_CONNECTED', inputs: ['x', 'w', 'b'], outputs: ['y'] }],
  })
  const { bytes } = await quantize(source, SAMPLES, 'int8')
  const [output] = await (await loadModel(bytes)).run(SAMPLES[0] as [Float32Array])
  const [first = 0, second = 0] = output?.toFloat32() ?? []
  t.true(Math.abs(first - 20) < 0.2)
  t.true(Math.abs(second + 20) < 0.2)
})

test('an operator that reads a tensor twice, and weights that two operators share', async (t) => {
  const source = fileOf({
    tensors: { x: real(1, 6), w: weights(6, 6), a: real(1, 6), b: real(1, 6), y: real(1, 6) },
    operators: [
      { type: 'FULLY_CONNECTED', inputs: ['x', 'w', null], outputs: ['a'] },
      { type: 'FULLY_CONNECTED', inputs: ['a', 'w', null], outputs: ['b'] },
      { type: 'MUL', inputs: ['b', 'b'], outputs: ['y'] },
    ],
  })
  const { report } = await quantize(source, SAMPLES, 'int8')
  t.true((report.outputs[0]?.sqnrDb ?? 0) > 25)
})

test('samples: any iterable, bare arrays for one input, read once and left alone', async (t) => {
  const { bytes } = await quantize(CLASSIFIER, SAMPLES, 'int8')
  let reads = 0
  async function* generator() {
    for (const [sample] of SAMPLES as [Float32Array][]) {
      reads++
      const array = sample.slice()
      yield array
      array.fill(99)
    }
  }
  t.deepEqual((await quantize(CLASSIFIER, generator(), 'int8')).bytes, bytes)
  t.is(reads, SAMPLES.length)
  t.deepEqual((await quantize(CLASSIFIER, new Set(SAMPLES), 'int8')).bytes, bytes)
})

test('the report: sizes, layers in the order of the file, measures', async (t) => {
  const { bytes, report } = await quantize(CLASSIFIER, SAMPLES, 'int8')
  t.is(report.version, 1)
  t.deepEqual(report.fileBytes, { before: CLASSIFIER.length, after: bytes.length })
  t.is(report.weightBytes.before, 4 * (18 + 3))
  t.is(report.weightBytes.after, 18 + 4 * 3)
  t.deepEqual(
    report.layers.map(({ index, op, name }) => [index, op, name]),
    [
      [0, 'FULLY_CONNECTED', 'h'],
      [1, 'SOFTMAX', 'y'],
    ],
  )
  const [layer, last] = report.layers
  t.like(last?.output, { type: 'int8', scale: 1 / 256, zeroPoint: -128 })
  t.like(layer?.weights, { type: 'int8', bits: 8, scales: 3, clippedShare: 0 })
  const { output } = layer ?? {}
  if (output === undefined) return t.fail()
  const total = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
  t.is(total(output.histogram.before), 3 * SAMPLES.length)
  t.is(total(output.histogram.after), 3 * SAMPLES.length)
  t.is(output.clippedShare, 0)
  t.true(
    output.seen.min >= output.range.min - output.scale && output.seen.max <= output.range.max + output.scale,
  )
  t.true(output.maxError < 2 * output.scale)
  t.deepEqual(JSON.parse(JSON.stringify(report)), report)
})

test('labels give the share of right answers, evaluate what the caller measures', async (t) => {
  const float = await loadModel(CLASSIFIER)
  const answers = await Promise.all(
    SAMPLES.map(async (sample) => {
      const [output] = await float.run(sample)
      const scores = [...(output?.data ?? [])] as number[]
      return scores.indexOf(Math.max(...scores))
    }),
  )
  const wrong = answers.map((answer, i) => (i < 3 ? (answer + 1) % 3 : answer))
  const { report } = await quantize(CLASSIFIER, SAMPLES, 'int16x8', { labels: wrong })
  t.is(report.accuracy?.before, 9 / 12)
  const seen: string[] = []
  const evaluate = async (given: Awaited<ReturnType<typeof loadModel>>) =>
    seen.push(given.inputs[0]?.dtype ?? '')
  const measured = await quantize(CLASSIFIER, SAMPLES, 'int8', { evaluate, labels: wrong })
  t.deepEqual(measured.report.accuracy, { before: 1, after: 2 })
  t.deepEqual(seen, ['float32', 'int8'])
})

test('progress: every stage up to its end', async (t) => {
  const steps: string[] = []
  await quantize(CLASSIFIER, SAMPLES.slice(0, 2), 'int8', {
    onProgress: ({ stage, done, total }) => steps.push(`${stage} ${done}/${total}`),
  })
  t.deepEqual(
    steps.filter((step) => !step.startsWith('correct')),
    [
      'samples 1/0',
      'samples 2/0',
      'collect 1/2',
      'collect 2/2',
      'weights 1/1',
      'repairs 1/1',
      'measure 1/2',
      'measure 2/2',
    ],
  )
})

test('float16 of all codes and of the numbers between them', (t) => {
  const view = new DataView(new ArrayBuffer(4))
  for (let bits = 0; bits < 0x7c00; bits++) {
    const value = fromHalf(bits)
    t.is(toHalf(value), bits)
    t.is(toHalf(-value), bits | 0x8000)
    if (bits === 0x7bff) continue
    // Half way to the next: the even one of the two. A little more or less: the nearer one.
    const middle = (value + fromHalf(bits + 1)) / 2
    view.setFloat32(0, middle)
    const neighbour = (steps: number) => {
      view.setFloat32(0, middle)
      view.setUint32(0, view.getUint32(0) + steps)
      return view.getFloat32(0)
    }
    t.is(toHalf(middle), bits + (bits & 1))
    t.is(toHalf(neighbour(-1)), bits)
    t.is(toHalf(neighbour(1)), bits + 1)
  }
  t.is(toHalf(65519.99), 0x7bff)
  t.is(toHalf(65520), 0x7c00)
  t.is(toHalf(Number.NEGATIVE_INFINITY), 0xfc00)
  t.true(Number.isNaN(fromHalf(toHalf(Number.NaN))))
})
