// lowbit diff: which layers belong together, how far they lie apart, and what the command says.

import test from 'ava'
import { type Layer, matchLayers } from '#lib/cli/diff-layers.js'
import { encode } from '#lib/format/tflite/encode.js'
import { folderOf, lowbit } from '../helpers/cli.js'
import { model, type OperatorSpec, type TensorSpec } from '../helpers/model-builder.js'
import { npy } from '../helpers/npy.js'
import { colourSums, plainPicture } from '../helpers/picture-models.js'
import { convFile, mixedFile } from '../helpers/small-models.js'

/** abs, then relu, then two times two: as codes of a scale, or as real numbers. */
function chain(scale: number | undefined, names: readonly string[], offset = 0): Uint8Array {
  const tensor: TensorSpec =
    scale === undefined ? { dtype: 'float32', shape: [1, 4] } : { dtype: 'int8', shape: [1, 4], scale }
  const constant: TensorSpec = {
    ...tensor,
    data: new Array(4).fill(scale === undefined ? 2 + offset : Math.round((2 + offset) / scale)),
  }
  const [x = '', a = '', b = '', c = ''] = names
  const operators: readonly OperatorSpec[] = [
    { type: 'LOGISTIC', inputs: [x], outputs: [a] },
    { type: 'RELU', inputs: [a], outputs: [b] },
    { type: 'ADD', inputs: [b, 'k'], outputs: [c] },
  ]
  const codes = scale === undefined ? tensor : { ...tensor, scale: 1 / 256, zeroPoint: -128 }
  const tensors = { [x]: tensor, [a]: codes, [b]: codes, [c]: tensor, k: constant }
  return encode(model([{ tensors, operators, inputs: [x], outputs: [c] }]))
}

const NAMES = ['x', 'a', 'b', 'c']
const at = folderOf({
  'float.tflite': chain(undefined, NAMES),
  'int8.tflite': chain(1 / 16, NAMES),
  'wrong.tflite': chain(undefined, NAMES, 5),
  'renamed.tflite': chain(undefined, ['in', 'p', 'q', 'r']),
  'conv.tflite': convFile(),
  'mixed.tflite': mixedFile(),
  'two.npy': npy(Float32Array.of(0, 1, -1, 0.5, 2, -2, 0.25, 1.5), [2, 4]),
  'codes.npy': npy(Int8Array.of(0, 16, -16, 8), [1, 4], { descr: '|i1' }),
  'three.npy': npy(Float32Array.of(0, 1, -1), [3]),
  'sums8.tflite': colourSums('int8'),
  'sumsu8.tflite': colourSums('uint8'),
  'red.ppm': plainPicture(200, 10, 20),
})
const diff = async (...args: string[]) => {
  const { code, stdout, stderr } = await lowbit(['diff', ...args, '--json'])
  return { code, stderr, result: JSON.parse(stdout) }
}

test('an int8 model beside its float twin', async (t) => {
  const { code, stderr, result } = await diff(at('int8.tflite'), at('float.tflite'), '--data', at('two.npy'))
  t.is(code, 0)
  t.is(stderr, '')
  t.like(result, { samples: 2, below: 20, firstBelow: null, firstDifferent: 0 })
  t.deepEqual(result.unmatched, { a: [], b: [] })
  t.deepEqual(result.a.model, at('int8.tflite'))
  t.deepEqual(
    result.layers.map((layer: { names: string[]; ops: string[] }) => [...layer.names, layer.ops[0]]),
    [
      ['a', 'a', 'LOGISTIC'],
      ['b', 'b', 'RELU'],
      ['c', 'c', 'ADD'],
    ],
  )
  for (const { sqnrDb, maxError, elements, equal, dtypes } of result.layers) {
    t.true(sqnrDb > 25 && maxError <= 1 / 16 && elements === 8 && !equal, JSON.stringify([sqnrDb, maxError]))
    t.deepEqual(dtypes, ['int8', 'float32'])
  }
})

test('the first layer that falls off', async (t) => {
  const { result } = await diff(at('wrong.tflite'), at('float.tflite'), '--runs', '3')
  t.like(result, { samples: 3, firstDifferent: 2, firstBelow: 2 })
  t.deepEqual(
    result.layers.map(({ equal, maxError }: { equal: boolean; maxError: number }) => [equal, maxError]),
    [
      [true, 0],
      [true, 0],
      [false, 5],
    ],
  )
  // 10 log10(mean of c^2 / 25): c lies in [2, 3].
  t.true(
    result.layers[2].sqnrDb > 10 * Math.log10(4 / 25) && result.layers[2].sqnrDb < 10 * Math.log10(9 / 25),
  )
})

test('layers of other names are matched by their order', async (t) => {
  const { result } = await diff(at('renamed.tflite'), at('float.tflite'))
  t.like(result, { firstDifferent: null, firstBelow: null })
  t.deepEqual(result.layers[1].names, ['q', 'b'])
})

test('one model on two instruction sets', async (t) => {
  const doctor = JSON.parse((await lowbit(['doctor', '--json'])).stdout)
  const best = JSON.stringify(doctor).includes('avx2') ? 'avx2' : 'scalar'
  for (const file of ['conv.tflite', 'mixed.tflite']) {
    const { code, result } = await diff(at(file), '--isa', `scalar,${best}`)
    t.is(code, 0)
    t.like(result, { a: { isa: 'scalar' }, b: { isa: best }, firstDifferent: null })
    t.true(result.layers.length >= 3)
    for (const { equal, mismatches } of result.layers) t.true(equal && mismatches === 0)
  }
})

test('pictures and codes are the same numbers for both models', async (t) => {
  const picture = await diff(at('sums8.tflite'), at('sumsu8.tflite'), '--data', at('red.ppm'))
  t.is(picture.result.firstDifferent, null)
  const codes = await diff(at('int8.tflite'), at('float.tflite'), '--data', at('codes.npy'))
  t.is(codes.result.firstBelow, null)
})

test('as text', async (t) => {
  const { code, stdout, stderr } = await lowbit(['diff', at('int8.tflite'), at('float.tflite')])
  t.is(code, 0)
  t.is(stderr, '')
  for (const part of ['SQNR dB', 'LOGISTIC', 'int8, float32', 'first below 20 dB', 'none']) {
    t.true(stdout.includes(part), part)
  }
})

const fails: readonly (readonly [number, string, readonly string[]])[] = [
  [2, 'OPTION_INVALID', [at('conv.tflite')]],
  [2, 'OPTION_INVALID', [at('conv.tflite'), '--isa', 'scalar']],
  [2, 'OPTION_INVALID', [at('conv.tflite'), '--isa', 'scalar,mmx']],
  [1, 'SHAPE_MISMATCH', [at('conv.tflite'), at('float.tflite')]],
  [1, 'SHAPE_MISMATCH', [at('int8.tflite'), at('float.tflite'), '--data', at('three.npy')]],
  [1, 'DATA_INVALID', [at('int8.tflite'), at('float.tflite'), '--data', 'none.npy']],
  [2, 'USAGE', [at('conv.tflite'), at('conv.tflite'), '--below', 'x']],
]
for (const [i, [code, name, args]] of fails.entries()) {
  test(`fails with ${name}: ${i}`, async (t) => {
    const ended = await diff(...args)
    t.is(ended.code, code)
    t.is(ended.result.error.code, name)
  })
}

test('names come before order, and each layer has one counterpart', (t) => {
  const layer = (index: number, name: string, op: string, shape = [4]): Layer => ({
    index,
    name,
    op,
    shape,
    dtype: 'int8',
  })
  const a = [layer(0, 'p', 'ADD'), layer(1, 'q', 'MUL'), layer(2, '', 'ADD'), layer(3, '', 'ADD', [5])]
  const b = [layer(0, '', 'ADD'), layer(1, '', 'ADD'), layer(2, 'p', 'SUB'), layer(3, 'q', 'MUL', [2])]
  const pairs = matchLayers(a, b).map((pair) => [pair.a.index, pair.b.index])
  t.deepEqual(pairs, [
    [0, 2],
    [2, 0],
  ])
})
