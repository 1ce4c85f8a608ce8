// Datasets: the forms that are read, and what is said of files that are broken.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { type ErrorCode, LowbitError } from '#lib/errors.js'
import { holdOut } from '#lib/train/data/dataset.js'
import { openDataset } from '#lib/train/data/open.js'
import { cifarRecord } from '../../helpers/cifar10.js'
import { npy } from '../../helpers/npy.js'
import { plainPicture } from '../../helpers/picture-models.js'
import { tree } from '../../helpers/tree.js'

function batches(changes: Record<string, Uint8Array> = {}): Record<string, Uint8Array> {
  const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`)
  const files = [...names, 'test_batch.bin'].map((name, i) => [name, cifarRecord(i, [10 * i, 100, 200])])
  return { ...Object.fromEntries(files), ...changes }
}

function idx(magic: number, extents: readonly number[], data: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 + 4 * extents.length + data.length)
  for (const [i, value] of [magic, ...extents].entries()) bytes.writeUInt32BE(value, 4 * i)
  bytes.set(data, 4 + 4 * extents.length)
  return bytes
}

const digits = {
  'train-images-idx3-ubyte': idx(0x803, [2, 2, 3], [...Array(12).keys()]),
  'train-labels-idx1-ubyte': idx(0x801, [2], [3, 9]),
  't10k-images-idx3-ubyte.gz': gzipSync(idx(0x803, [1, 2, 3], [9, 8, 7, 6, 5, 4])),
  't10k-labels-idx1-ubyte.gz': gzipSync(idx(0x801, [1], [1])),
}

async function fails(t: ExecutionContext, work: Promise<unknown>, code: ErrorCode, ...parts: string[]) {
  const error = await t.throwsAsync(work, { instanceOf: LowbitError })
  t.is(error.code, code)
  for (const part of parts) t.true(error.message.includes(part), error.message)
}

test('CIFAR-10: planes become pixels, batches come in their order', async (t) => {
  const data = await openDataset('cifar10', { data: tree(batches()) })
  t.deepEqual(data.shape, [32, 32, 3])
  t.deepEqual([...data.train.labels], [0, 1, 2, 3, 4])
  t.deepEqual([...data.test.labels], [5])
  t.is(data.labels?.[5], 'dog')
  const second = data.train.inputs.subarray(3072, 6144)
  t.deepEqual([...second.subarray(0, 3)], [10, 100, 200])
  t.deepEqual([...second.subarray(3 * 33, 3 * 33 + 3)], [7, 100, 200])
})

test('CIFAR-10: files that are missing, cut off, or of other classes', async (t) => {
  const open = (changes: Record<string, Uint8Array>) =>
    openDataset('cifar10', { data: tree(batches(changes)) })
  await fails(t, openDataset('cifar10', { data: tree({}) }), 'DATA_INVALID', 'data_batch_1.bin: no such file')
  await fails(
    t,
    open({ 'data_batch_3.bin': new Uint8Array(3072) }),
    'DATA_INVALID',
    'data_batch_3.bin: 3072 bytes',
    '3073 expected',
  )
  await fails(t, open({ 'data_batch_4.bin': new Uint8Array(0) }), 'DATA_INVALID', 'data_batch_4.bin: 0 bytes')
  await fails(
    t,
    open({ 'test_batch.bin': cifarRecord(10, [0, 0, 0]) }),
    'DATA_INVALID',
    'of class 10, 0 to 9 expected',
  )
  await fails(t, openDataset('cifar10'), 'OPTION_INVALID', '--data')
})

test('MNIST: idx files, packed or not', async (t) => {
  const data = await openDataset('mnist', { data: tree(digits) })
  t.deepEqual(data.shape, [2, 3, 1])
  t.deepEqual([...data.train.labels, ...data.test.labels], [3, 9, 1])
  t.deepEqual([...data.train.inputs], [...Array(12).keys()])
  t.deepEqual([...data.test.inputs], [9, 8, 7, 6, 5, 4])
})

test('MNIST: files that are missing, of another form, cut off, or of other counts', async (t) => {
  const open = (changes: Record<string, Uint8Array>) =>
    openDataset('mnist', { data: tree({ ...digits, ...changes }) })
  const labels = 'train-labels-idx1-ubyte'
  await fails(t, openDataset('mnist', { data: tree({}) }), 'DATA_INVALID', 'train-images-idx3-ubyte')
  await fails(t, open({ [labels]: idx(0x803, [2], [3, 9]) }), 'DATA_INVALID', '0x00000801', '0x00000803')
  await fails(t, open({ [labels]: Uint8Array.of(1, 2) }), 'DATA_INVALID', '2 bytes')
  await fails(t, open({ [labels]: idx(0x801, [2], [3]) }), 'DATA_INVALID', '10 bytes, there are 9')
  await fails(t, open({ [labels]: idx(0x801, [3], [3, 9, 1]) }), 'SHAPE_MISMATCH', '3 labels', '2 pictures')
  await fails(t, open({ [labels]: idx(0x801, [2], [3, 10]) }), 'DATA_INVALID', 'class 10')
  const packed = (digits['t10k-labels-idx1-ubyte.gz'] as Uint8Array).subarray(0, 15)
  await fails(t, open({ 't10k-labels-idx1-ubyte.gz': packed }), 'DATA_INVALID', 'no whole gzip file')
})

test('pictures: a folder a class, with and without train and test', async (t) => {
  const [red, blue] = [plainPicture(255, 0, 0), plainPicture(0, 0, 255)]
  const parts = tree({
    'train/red/1.ppm': red,
    'train/blue/1.ppm': blue,
    'test/blue/2.ppm': blue,
  })
  const data = await openDataset(parts, { size: { height: 3, width: 5 } })
  t.deepEqual(data.shape, [3, 5, 3])
  t.deepEqual(data.labels, ['blue', 'red'])
  t.deepEqual([...data.train.labels], [0, 1])
  t.deepEqual([...data.test.inputs.subarray(0, 3)], [0, 0, 255])
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`red/${10 + i}.ppm`, red]))
  const flat = await openDataset(tree({ ...many, 'blue/1.ppm': blue }))
  t.is(flat.test.labels.length, 1)
  t.is(flat.train.labels.length, 11)
})

test('pictures: one class, strange classes, and files that are none', async (t) => {
  const red = plainPicture(255, 0, 0)
  await fails(
    t,
    openDataset(tree({ 'train/a/1.ppm': red, 'test/a/1.ppm': red })),
    'DATA_INVALID',
    'for each class',
  )
  const strange = tree({ 'train/a/1.ppm': red, 'train/b/1.ppm': red, 'test/c/1.ppm': red })
  await fails(t, openDataset(strange), 'DATA_INVALID', 'no training pictures of class c')
  const broken = tree({ 'train/a/1.ppm': red, 'train/b/1.ppm': 'P6 nothing', 'test/a/1.ppm': red })
  await fails(t, openDataset(broken), 'DATA_INVALID', '1.ppm')
  await fails(
    t,
    openDataset(tree({ 'a/1.ppm': red, 'b/1.ppm': red })),
    'DATA_INVALID',
    'at least 10 pictures',
  )
  await fails(t, openDataset('/no/such/path'), 'DATA_INVALID', 'cifar10, mnist')
})

test('arrays: bytes are pixels, others are taken as they are', async (t) => {
  const folder = tree({
    'x_train.npy': npy(
      Uint8Array.from({ length: 12 }, (_, i) => i),
      [2, 2, 3],
      { descr: '|u1' },
    ),
    'y_train.npy': npy(Int32Array.of(0, 2), [2], { descr: '<i4' }),
    'x_test.npy': npy(new Uint8Array(6), [1, 2, 3], { descr: '|u1' }),
    'y_test.npy': npy(Int32Array.of(1), [1], { descr: '<i4' }),
  })
  const data = await openDataset(folder)
  t.deepEqual(data.shape, [2, 3, 1])
  t.is(data.classes, 3)
  t.true(data.train.inputs instanceof Uint8Array)
  writeFileSync(join(folder, 'x_test.npy'), npy(new Float32Array(4), [1, 4]))
  await fails(t, openDataset(folder), 'SHAPE_MISMATCH', 'x_test.npy')
  writeFileSync(join(folder, 'x_test.npy'), npy(new Uint8Array(12), [2, 2, 3], { descr: '|u1' }))
  await fails(t, openDataset(folder), 'SHAPE_MISMATCH', 'test examples: 1 labels')
})

test('modules: arrays and iterables', async (t) => {
  const folder = tree({
    'data.mjs': `export default () => ({ shape: [2], labels: ['a', 'b'],
      train: (async function* () { for (let i = 0; i < 3; i++) yield { input: [i, -i], label: i % 2 } })(),
      test: { inputs: Float32Array.of(1, 2), labels: [1] } })`,
    'short.mjs': `export default { shape: [2], train: [{ input: [1], label: 0 }], test: [] }`,
    'none.mjs': 'export default {}',
    'nan.mjs': `export default { shape: [1], classes: 2, train: [{ input: [NaN], label: 0 }], test: [{ input: [1], label: 0 }] }`,
  })
  const data = await openDataset(join(folder, 'data.mjs'))
  t.deepEqual([...data.train.inputs], [0, -0, 1, -1, 2, -2])
  t.deepEqual([...data.train.labels], [0, 1, 0])
  t.is(data.classes, 2)
  await fails(
    t,
    openDataset(join(folder, 'short.mjs')),
    'SHAPE_MISMATCH',
    'example 0 has 1 numbers, 2 expected',
  )
  await fails(t, openDataset(join(folder, 'none.mjs')), 'DATA_INVALID', '"shape"')
  await fails(t, openDataset(join(folder, 'nan.mjs')), 'NOT_FINITE', 'number 0 is NaN')
})

test('some training examples are held out, the same ones for a seed', async (t) => {
  const inputs = Uint8Array.from({ length: 20 }, (_, i) => i)
  const labels = Int32Array.from(inputs, (i) => i % 2)
  const data = {
    ...{ name: 'x', shape: [1], classes: 2, normalization: { mean: [0], std: [255] } },
    ...{ train: { inputs, labels }, test: { inputs, labels } },
  }
  const held = holdOut(data, 0.25, 1)
  t.is(held.validation?.labels.length, 5)
  const all = [...held.train.inputs, ...(held.validation?.inputs ?? [])]
  t.deepEqual(
    all.sort((a, b) => a - b),
    [...inputs],
  )
  t.deepEqual(holdOut(data, 0.25, 1).validation, held.validation)
  t.notDeepEqual(holdOut(data, 0.25, 2).validation, held.validation)
  t.throws(() => holdOut(data, 0.01, 1), { message: /leaves 0/ })
})
