// A batch of CIFAR-10 in its original binary form: records of a byte of the class, then 32x32 bytes of red, of green, of
// blue (https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version").

import { LowbitError } from '../errors.js'
import type { Pixels } from './pixels.js'

const SIDE = 32
const AREA = SIDE * SIDE
const RECORD = 1 + 3 * AREA
const CLASSES = 10

export interface Cifar10Batch {
  readonly count: number
  /** 0 to 9. */
  label(index: number): number
  picture(index: number): Pixels
  /** Writes a picture's 3,072 bytes, 32 x 32 x 3, to `out` from `at` on. */
  copy(index: number, out: Uint8Array, at: number): void
}

/** @throws {LowbitError} `DATA_INVALID` for a file that is cut off or has other classes. */
export function readCifar10Batch(bytes: Uint8Array, name: string): Cifar10Batch {
  const count = bytes.length / RECORD
  if (!Number.isInteger(count) || count === 0) {
    const message = `${name}: ${bytes.length} bytes; a multiple of ${RECORD} expected, a byte of the class and 3,072 pixels a record`
    throw new LowbitError('DATA_INVALID', message, { expected: RECORD, actual: bytes.length })
  }
  for (let at = 0; at < bytes.length; at += RECORD) {
    const label = bytes[at] as number
    if (label < CLASSES) continue
    const message = `${name}: the record at byte ${at} is of class ${label}, 0 to 9 expected`
    throw new LowbitError('DATA_INVALID', message, { offset: at, expected: CLASSES, actual: label })
  }
  const copy = (index: number, out: Uint8Array, at: number) => interleave(bytes, index * RECORD + 1, out, at)
  return {
    count,
    label: (index) => bytes[index * RECORD] as number,
    copy,
    picture(index) {
      const data = new Uint8Array(3 * AREA)
      copy(index, data, 0)
      return { width: SIDE, height: SIDE, channels: 3, data }
    },
  }
}

/** Planes of red, green and blue become pixels. */
function interleave(from: Uint8Array, at: number, to: Uint8Array, start: number): void {
  for (let i = 0; i < AREA; i++) {
    for (let c = 0; c < 3; c++) to[start + 3 * i + c] = from[at + c * AREA + i] as number
  }
}
