// Pairs of .npy files in a folder: x_train.npy with y_train.npy, x_test.npy with y_test.npy. The first extent counts the
// examples; uint8 numbers are pixels, others are taken as they are.

import { join } from 'node:path'
import { type NpyArray, readNpy } from '../../data/npy.js'
import { LowbitError } from '../../errors.js'
import { fromHalf } from '../../numerics/half.js'
import { classNumbers } from '../../samples/samples.js'
import { shapeText } from '../../tensor/shape.js'
import { type Dataset, type Examples, UNIT_PIXELS } from './dataset.js'
import { readPart } from './files.js'

const WANTED = 'x_train.npy, y_train.npy, x_test.npy and y_test.npy'

/** @throws {LowbitError} `DATA_INVALID`, `SHAPE_MISMATCH` for files that are missing or do not belong together. */
export async function readArrays(folder: string): Promise<Dataset> {
  const read = async (name: string) => {
    const path = join(folder, name)
    return { path, array: readNpy(await readPart(path, WANTED), path) }
  }
  const [train, test] = [await read('x_train.npy'), await read('x_test.npy')]
  const shape = inputShape(train.array)
  if (inputShape(test.array).join() !== shape.join()) {
    const message = `${test.path}: inputs of shape ${shapeText(inputShape(test.array))}, those of ${train.path} are ${shapeText(shape)}`
    throw new LowbitError('SHAPE_MISMATCH', message, { expected: shape, actual: inputShape(test.array) })
  }
  const labels = async (name: string) => {
    const { path, array } = await read(name)
    return Int32Array.from(classNumbers(array, path))
  }
  const parts = {
    train: { inputs: numbersOf(train.array), labels: await labels('y_train.npy') } satisfies Examples,
    test: { inputs: numbersOf(test.array), labels: await labels('y_test.npy') } satisfies Examples,
  }
  const classes = 1 + parts.train.labels.reduce((most, label) => Math.max(most, label), 0)
  return { name: folder, shape, classes, normalization: UNIT_PIXELS, ...parts }
}

/** Pictures of one channel often come without it. */
function inputShape({ shape, dtype }: NpyArray): readonly number[] {
  const one = shape.slice(1)
  return one.length === 2 && dtype === 'uint8' ? [...one, 1] : one
}

function numbersOf({ data, dtype }: NpyArray): Uint8Array | Float32Array {
  if (data instanceof Uint8Array && dtype === 'uint8') return data
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, fromHalf)
  return Float32Array.from(data as ArrayLike<number | bigint>, Number)
}
