// CIFAR-10 as it is published: data_batch_1.bin to data_batch_5.bin and test_batch.bin.

import { join } from 'node:path'
import { type Cifar10Batch, readCifar10Batch } from '../../data/cifar10.js'
import { type Dataset, type Examples, UNIT_PIXELS } from './dataset.js'
import { readPart } from './files.js'

const TRAINING = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`)
const TEST = 'test_batch.bin'
const LABELS = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']
const SHAPE = [32, 32, 3]
const SIZE = 32 * 32 * 3

/** @throws {LowbitError} `DATA_INVALID` for a file that is missing, cut off, or has other classes. */
export async function readCifar10(folder: string): Promise<Dataset> {
  const expected = `CIFAR-10's binary batches ${TRAINING[0]} to ${TRAINING[4]} and ${TEST}`
  const batches: Cifar10Batch[] = []
  for (const name of [...TRAINING, TEST]) {
    const path = join(folder, name)
    batches.push(readCifar10Batch(await readPart(path, expected), path))
  }
  return {
    name: 'cifar10',
    shape: SHAPE,
    classes: LABELS.length,
    labels: LABELS,
    normalization: UNIT_PIXELS,
    train: examplesOf(batches.slice(0, -1)),
    test: examplesOf(batches.slice(-1)),
  }
}

function examplesOf(batches: readonly Cifar10Batch[]): Examples {
  const count = batches.reduce((sum, batch) => sum + batch.count, 0)
  const inputs = new Uint8Array(count * SIZE)
  const labels = new Int32Array(count)
  let number = 0
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++, number++) {
      labels[number] = batch.label(i)
      batch.copy(i, inputs, number * SIZE)
    }
  }
  return { inputs, labels }
}
