// MNIST in its original form: four idx files, packed by gzip or not (http://yann.lecun.com/exdb/mnist, "File formats"):
// big-endian a magic number, the extents, then a byte an element.

import { join } from 'node:path'
import { LowbitError } from '../../errors.js'
import { type Dataset, type Examples, UNIT_PIXELS } from './dataset.js'
import { readFirst } from './files.js'

const WANTED =
  'train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or each with .gz,'

/** @throws {LowbitError} `DATA_INVALID`, `SHAPE_MISMATCH` for files that are missing, cut off or do not belong together. */
export async function readMnist(folder: string): Promise<Dataset> {
  const train = await readPair(folder, 'train')
  const test = await readPair(folder, 't10k')
  if (train.shape.join() !== test.shape.join()) {
    const message = `${folder}: training pictures of ${train.shape.join(' x ')}, test pictures of ${test.shape.join(' x ')}`
    throw new LowbitError('SHAPE_MISMATCH', message, { expected: train.shape, actual: test.shape })
  }
  return {
    name: 'mnist',
    shape: train.shape,
    classes: 10,
    labels: Array.from({ length: 10 }, (_, digit) => String(digit)),
    normalization: UNIT_PIXELS,
    train: train.examples,
    test: test.examples,
  }
}

async function readPair(folder: string, part: string) {
  const pictures = await readIdx(folder, `${part}-images`, 3)
  const classes = await readIdx(folder, `${part}-labels`, 1)
  const [count, height, width] = pictures.extents as [number, number, number]
  if (classes.extents[0] !== count) {
    const message = `${classes.path}: ${classes.extents[0]} labels, ${pictures.path} has ${count} pictures`
    throw new LowbitError('SHAPE_MISMATCH', message, { expected: count, actual: classes.extents[0] })
  }
  const examples: Examples = { inputs: pictures.data, labels: Int32Array.from(classes.data) }
  return { shape: [height, width, 1], examples }
}

/** @param rank How many extents there are. */
async function readIdx(folder: string, name: string, rank: number) {
  const names = [`${name}-idx${rank}-ubyte`, `${name}.idx${rank}-ubyte`].flatMap((one) => [one, `${one}.gz`])
  const { path, bytes } = await readFirst(
    names.map((one) => join(folder, one)),
    `MNIST's ${WANTED} in this folder`,
  )
  const magic = 0x0800 + rank
  const start = 4 + 4 * rank
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < start || view.getUint32(0) !== magic) {
    const found =
      bytes.length < 4 ? `${bytes.length} bytes` : `0x${view.getUint32(0).toString(16).padStart(8, '0')}`
    const message = `${path}: an idx file of bytes with ${rank} extents expected (magic number 0x${magic.toString(16).padStart(8, '0')}), it begins with ${found}`
    throw new LowbitError('DATA_INVALID', message, { expected: magic, actual: found })
  }
  const extents = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const expected = start + extents.reduce((product, extent) => product * extent, 1)
  if (bytes.length !== expected) {
    const message = `${path}: extents ${extents.join(' x ')} make ${expected} bytes, there are ${bytes.length}`
    throw new LowbitError('DATA_INVALID', message, { expected, actual: bytes.length })
  }
  return { path, extents, data: bytes.subarray(start) }
}
