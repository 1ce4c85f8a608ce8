// CIFAR-10 in its original binary form: data_batch_1.bin to data_batch_5.bin and test_batch.bin. A record is a byte of
// the class, then 32x32 bytes of red, of green, of blue (https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version").

import { join } from 'node:path'
import { LowbitError } from '../../errors.js'
import { type Dataset, type Examples, UNIT_PIXELS } from './dataset.js'
import { readPart } from './files.js'

const AREA = 32 * 32
const RECORD = 1 + 3 * AREA
const TRAINING = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`)
const TEST = 'test_batch.bin'
const LABELS = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

/** @throws {LowbitError} `DATA_INVALID` for a file that is missing, cut off, or has other classes. */
export async function readCifar10(folder: string): Promise<Dataset> {
  const expected = `CIFAR-10's binary batches ${TRAINING[0]} to ${TRAINING[4]} and ${TEST}`
  const batches: { readonly bytes: Uint8Array; readonly path: string }[] = []
  for (const name of [...TRAINING, TEST]) {
    const path = join(folder, name)
    batches.push({ bytes: await readPart(path, expected), path })
  }
  return {
    name: 'cifar10',
    shape: [32, 32, 3],
    classes: LABELS.length,
    labels: LABELS,
    normalization: UNIT_PIXELS,
    train: examplesOf(batches.slice(0, -1)),
    test: examplesOf(batches.slice(-1)),
  }
}

interface Batch {
  readonly bytes: Uint8Array
  readonly path: string
}

function examplesOf(batches: readonly Batch[]): Examples {
  const count = batches.reduce((sum, batch) => sum + recordsOf(batch), 0)
  const inputs = new Uint8Array(count * 3 * AREA)
  const labels = new Int32Array(count)
  let number = 0
  for (const { bytes, path } of batches) {
    for (let at = 0; at < bytes.length; at += RECORD, number++) {
      const label = bytes[at] as number
      if (label >= LABELS.length) {
        const message = `${path}: the record at byte ${at} is of class ${label}, 0 to 9 expected`
        throw new LowbitError('DATA_INVALID', message, { offset: at, expected: LABELS.length, actual: label })
      }
      labels[number] = label
      interleave(bytes, at + 1, inputs, number * 3 * AREA)
    }
  }
  return { inputs, labels }
}

function recordsOf({ bytes, path }: Batch): number {
  const count = bytes.length / RECORD
  if (Number.isInteger(count) && count > 0) return count
  const message = `${path}: ${bytes.length} bytes; a multiple of ${RECORD} expected, a byte of the class and 3,072 pixels a record`
  throw new LowbitError('DATA_INVALID', message, { expected: RECORD, actual: bytes.length })
}

/** Planes of red, green and blue become pixels. */
function interleave(from: Uint8Array, at: number, to: Uint8Array, start: number): void {
  for (let i = 0; i < AREA; i++) {
    for (let c = 0; c < 3; c++) to[start + 3 * i + c] = from[at + c * AREA + i] as number
  }
}
