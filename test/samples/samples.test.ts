// Samples from folders and files of every kind, and what is said of those that do not fit.

import { join } from 'node:path'
import test from 'ava'
import { openSamples, type SampleOptions } from '#lib/samples/samples.js'
import type { TensorInfo } from '#lib/tensor/tensor.js'
import { cifarRecord } from '../helpers/cifar10.js'
import { npy } from '../helpers/npy.js'
import { plainPicture } from '../helpers/picture-models.js'
import { tree } from '../helpers/tree.js'
import { wav } from '../helpers/wav.js'
import { zip } from '../helpers/zip.js'

const input = (
  dtype: TensorInfo['dtype'],
  shape: readonly number[],
  name = 'x',
  scale?: number,
): TensorInfo => ({
  name,
  shape,
  shapeSignature: shape,
  dtype,
  ...(scale && { quantization: { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(0), axis: 0 } }),
})
const pair = [input('float32', [1, 2])]
const floats = (...values: number[]) => Float32Array.from(values)

async function all(path: string, inputs: readonly TensorInfo[], options?: SampleOptions) {
  const found = []
  for await (const { inputs: data, file, row, answer } of await openSamples(path, inputs, options)) {
    found.push({ data, name: file.name.split('/').at(-1), row, ...(answer !== undefined && { answer }) })
  }
  return found
}

test('pictures of sub-folders by name; hidden and other files are passed over', async (t) => {
  const folder = tree({
    'b/2.ppm': plainPicture(4, 5, 6),
    'a/1.PPM': plainPicture(1, 2, 3),
    'a/notes.txt': 'x',
    '.hidden/0.ppm': 'x',
    'b/.0.ppm': 'x',
  })
  const inputs = [input('float32', [1, 1, 1, 3])]
  const samples = await openSamples(folder, inputs)
  t.deepEqual(
    [samples.kind, samples.isFolder, samples.groups, samples.most],
    ['picture', true, ['a', 'b'], 2],
  )
  t.deepEqual(await all(folder, inputs), [
    { data: [floats(1, 2, 3)], name: '1.PPM', row: 0 },
    { data: [floats(4, 5, 6)], name: '2.ppm', row: 0 },
  ])
  const normalization = { mean: [1], std: [2] }
  t.deepEqual((await all(folder, inputs, { normalization }))[1]?.data, [floats(1.5, 2, 2.5)])
})

test('a limit takes files and rows evenly', async (t) => {
  const rows = npy(
    Float32Array.from({ length: 20 }, (_, i) => i),
    [10, 2],
  )
  const one = tree({ 'x.npy': rows })
  t.deepEqual(
    (await all(join(one, 'x.npy'), pair, { limit: 3 })).map(({ row }) => row),
    [1, 5, 8],
  )
  const many = tree({ 'a.npy': rows, 'b.npy': npy(floats(1, 2), [2]), 'c.npy': rows, 'd.npy': rows })
  const names = async (limit: number) =>
    (await all(many, pair, { limit })).map(({ name, row }) => `${name}${row}`)
  t.deepEqual(await names(2), ['b.npy0', 'd.npy5'])
  t.deepEqual(await names(5), ['a.npy2', 'a.npy7', 'b.npy0', 'c.npy5', 'd.npy5'])
  t.is((await names(99)).length, 31)
})

const numbers = [
  ['float32', '<f4', floats(1, -2), input('float32', [2]), floats(1, -2)],
  ['float64 to float32', '<f8', Float64Array.of(0.1, -2), input('float32', [2]), floats(0.1, -2)],
  ['float16 to float32', '<f2', Uint16Array.of(0x3c00, 0xc000), input('float32', [2]), floats(1, -2)],
  ['int64 to float32', '<i8', BigInt64Array.of(1n, -2n), input('float32', [2]), floats(1, -2)],
  [
    'uint8 as real values of int8',
    '|u1',
    Uint8Array.of(1, 200),
    input('int8', [2], 'x', 0.5),
    floats(1, 200),
  ],
  ['codes of the own type', '|i1', Int8Array.of(1, -2), input('int8', [2], 'x', 0.5), Int8Array.of(1, -2)],
  ['int64 to indices', '<i8', BigInt64Array.of(1n, 2n), input('int32', [2]), Int32Array.of(1, 2)],
  ['int32 to int64', '<i4', Int32Array.of(1, 2), input('int64', [2]), BigInt64Array.of(1n, 2n)],
] as const
for (const [title, descr, data, info, want] of numbers) {
  test(`numbers: ${title}`, async (t) => {
    const folder = tree({ 'x.npy': npy(data, [2], { descr }) })
    t.deepEqual((await all(folder, [info]))[0]?.data, [want])
  })
}

test('.npz: arrays by the names of inputs or in their order, class numbers besides', async (t) => {
  const inputs = [input('float32', [1], 'left'), input('float32', [2], 'right')]
  const [a, b] = [npy(floats(1, 2), [2, 1]), npy(floats(3, 4, 5, 6), [2, 2])]
  const y = { name: 'y.npy', data: npy(Int32Array.of(7, 8), [2], { descr: '<i4' }) }
  const named = zip([{ name: 'right.npy', data: b }, y, { name: 'left.npy', data: a }])
  const ordered = zip([{ name: 'arr_0.npy', data: a }, { name: 'arr_1.npy', data: b }, y])
  for (const bytes of [named, ordered]) {
    t.deepEqual(await all(join(tree({ 'x.npz': bytes }), 'x.npz'), inputs), [
      { data: [floats(1), floats(3, 4)], name: 'x.npz', row: 0, answer: 7 },
      { data: [floats(2), floats(5, 6)], name: 'x.npz', row: 1, answer: 8 },
    ])
  }
})

test("CIFAR-10's batches: pictures with their classes, normalised as pictures are", async (t) => {
  const bytes = Buffer.concat([cifarRecord(3, [10, 100, 200]), cifarRecord(9, [1, 2, 3])])
  const folder = tree({ 'test_batch.bin': bytes, 'batches.meta.txt': 'airplane' })
  const inputs = [input('float32', [1, 32, 32, 3])]
  const normalization = { mean: [0], std: [2] }
  const found = await all(join(folder, 'test_batch.bin'), inputs, { normalization })
  t.deepEqual(
    found.map(({ row, answer }) => [row, answer]),
    [
      [0, 3],
      [1, 9],
    ],
  )
  const [picture] = found[0]?.data ?? []
  t.deepEqual([...(picture?.subarray(0, 3) ?? [])], [5, 50, 100])
  t.deepEqual([...(picture?.subarray(3 * 33, 3 * 34) ?? [])], [3.5, 50, 100])
  t.deepEqual((await all(folder, inputs, { limit: 1 }))[0]?.answer, 9)
})

test('.wav: windows that follow on one another; a short file ends in silence', async (t) => {
  const sound = (...values: number[]) => wav(new Uint8Array(Int16Array.from(values, (v) => v * 32768).buffer))
  const folder = tree({ 'a.wav': sound(0.5, 0.25, -0.5, -0.25, 0.125), 'b.wav': sound(0.5) })
  t.deepEqual(await all(folder, pair), [
    { data: [floats(0.5, 0.25)], name: 'a.wav', row: 0 },
    { data: [floats(-0.5, -0.25)], name: 'a.wav', row: 1 },
    { data: [floats(0.5, 0)], name: 'b.wav', row: 0 },
  ])
})

const silence = new Uint8Array(4)
const two = [...pair, input('float32', [1], 'z')]
const bad: readonly (readonly [
  string,
  string,
  Record<string, Uint8Array | string>,
  readonly TensorInfo[],
  RegExp,
])[] = [
  ['nothing in a folder', 'DATA_INVALID', {}, pair, /it is empty/],
  ['only other files', 'DATA_INVALID', { 'a.txt': '' }, pair, /there are a\.txt/],
  ['two kinds', 'DATA_INVALID', { 'a.npy': '', 'b.ppm': '' }, pair, /a\.npy and b\.ppm/],
  ['a broken picture', 'DATA_INVALID', { 'a.ppm': 'x' }, [input('float32', [1, 1, 1, 3])], /a\.ppm/],
  [
    'a batch that is cut off',
    'DATA_INVALID',
    { 'a.bin': new Uint8Array(3072) },
    [input('float32', [1, 32, 32, 3])],
    /a\.bin: 3072 bytes; a multiple of 3073/,
  ],
  ['pictures for no picture', 'SHAPE_MISMATCH', { 'a.ppm': plainPicture(1, 2, 3) }, pair, /"x"/],
  [
    'a wrong shape',
    'SHAPE_MISMATCH',
    { 'a.npy': npy(floats(1, 2, 3), [3]) },
    pair,
    /a\.npy.*\[3\].*\[1, 2\]/,
  ],
  [
    'NaN',
    'NOT_FINITE',
    { 'a.npy': npy(floats(1, 2, 3, Number.NaN), [2, 2]) },
    pair,
    /a\.npy, sample 1: element 1 is NaN/,
  ],
  [
    'fractions for indices',
    'DTYPE_MISMATCH',
    { 'a.npy': npy(floats(1.5, 2), [2]) },
    [input('int32', [2])],
    /int32/,
  ],
  [
    'indices out of range',
    'DTYPE_MISMATCH',
    { 'a.npy': npy(floats(2 ** 33, 2), [2]) },
    [input('int32', [2])],
    /int32/,
  ],
  ['one array for two inputs', 'INPUT_COUNT', { 'a.npy': npy(floats(1), [1]) }, two, /2 inputs/],
  [
    'too few arrays',
    'INPUT_COUNT',
    { 'a.npz': zip([{ name: 'q.npy', data: npy(floats(1), [1]) }]) },
    two,
    /a\.npz.*q/,
  ],
  [
    'arrays of other lengths',
    'SHAPE_MISMATCH',
    {
      'a.npz': zip([
        { name: 'x.npy', data: npy(floats(1, 2), [1, 2]) },
        { name: 'z.npy', data: npy(floats(1, 2), [2, 1]) },
      ]),
    },
    two,
    /1, 2 samples/,
  ],
  [
    'two rates',
    'DATA_INVALID',
    { 'a.wav': wav(silence), 'b.wav': wav(silence, { rate: 8000 }) },
    pair,
    /b\.wav: 8000/,
  ],
]
for (const [title, code, files, inputs, message] of bad) {
  test(`refused: ${title}`, async (t) => {
    await t.throwsAsync(all(tree(files), inputs), { code, message })
  })
}

test('refused: a path that is not there, a file of another kind', async (t) => {
  await t.throwsAsync(all('no/such/folder', pair), {
    code: 'DATA_INVALID',
    message: /no\/such\/folder: no such/,
  })
  const file = join(tree({ 'a.bin': 'x' }), 'a.bin')
  await t.throwsAsync(all(file, pair), { code: 'DATA_INVALID', message: /a\.bin: .*expected/ })
})
