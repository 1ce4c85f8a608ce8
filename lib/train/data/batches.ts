// Examples as real numbers, a batch at a time.

import { normalizationTable } from '../../data/codes.js'
import { mixedSeed } from '../../numerics/random.js'
import { elementCount } from '../../tensor/shape.js'
import { type Augmentation, checkAugmentation, drawChange, sourceLine } from './augment.js'
import { type Dataset, type Examples, isPictures } from './dataset.js'

export interface Batches {
  /** Writes example `index` as real numbers; `seed` draws how it is changed, without one it comes as it is. */
  write(index: number, to: Float32Array, at: number, seed?: number): void
}

/** @throws {LowbitError} `OPTION_INVALID` for an augmentation or a normalisation that does not fit. */
export function batchesOf(data: Dataset, examples: Examples, augmentation: Augmentation = {}): Batches {
  const size = elementCount(data.shape)
  const isChanged = Object.values(augmentation).some(Boolean)
  const channels = isPictures(data) ? (data.shape[2] as number) : 1
  const plain = plainWriter(data, examples, channels)
  if (!isChanged || !isPictures(data)) return { write: (index, to, at) => plain(index * size, size, to, at) }
  const [height, width] = data.shape as [number, number, number]
  checkAugmentation(augmentation, { height, width })
  const columns = new Int32Array(width)
  return {
    write(index, to, at, seed) {
      if (seed === undefined) return plain(index * size, size, to, at)
      const change = drawChange(augmentation, { height, width }, mixedSeed(seed, index))
      for (let x = 0; x < width; x++) {
        const from = sourceLine(x, change.right, width)
        columns[x] = change.isMirrored ? width - 1 - from : from
      }
      for (let y = 0; y < height; y++) {
        const row = index * size + sourceLine(y, change.down, height) * width * channels
        const target = at + y * width * channels
        for (let x = 0; x < width; x++) {
          plain(row + (columns[x] as number) * channels, channels, to, target + x * channels)
        }
      }
      cut(change.hole, to, at, { height, width, channels })
    },
  }
}

type Writer = (from: number, count: number, to: Float32Array, at: number) => void

/** Writes `count` numbers, the first of which is one of channel 0. */
function plainWriter({ normalization }: Dataset, { inputs }: Examples, channels: number): Writer {
  if (inputs instanceof Float32Array) {
    return (from, count, to, at) => {
      for (let i = 0; i < count; i++) to[at + i] = inputs[from + i] as number
    }
  }
  const table = normalizationTable(normalization, channels)
  return (from, count, to, at) => {
    for (let i = 0, c = 0; i < count; i++) {
      to[at + i] = table[256 * c + (inputs[from + i] as number)] as number
      c = c + 1 === channels ? 0 : c + 1
    }
  }
}

interface Extents {
  readonly height: number
  readonly width: number
  readonly channels: number
}

function cut(
  { top, left, bottom, right }: { top: number; left: number; bottom: number; right: number },
  to: Float32Array,
  at: number,
  { height, width, channels }: Extents,
): void {
  const [first, end] = [Math.max(0, left), Math.min(width, right)]
  if (end <= first) return
  for (let y = Math.max(0, top); y < Math.min(height, bottom); y++) {
    const row = at + y * width * channels
    to.fill(0, row + first * channels, row + end * channels)
  }
}
