// Which networks are measured, and where their files lie.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNpy } from '#lib/data/npy.js'

/** One float network with one set of samples. */
export interface Entry {
  readonly name: string
  /** Name in the tables; entries that share it are measured as one. */
  readonly row: string
  /** Of `models/float`, without `.tflite`. */
  readonly file: string
  readonly samples: string
  /** The integer form that others published, below `models`. */
  readonly given?: string
}

/** Samples in one array each. */
export interface SampleSet {
  readonly count: number
  at(index: number): Float32Array
}

/** This file runs as dist/bench/quantize/entries.js. */
export const root = join(import.meta.dirname, '../../..')

export const shared = join(root, '../shared')

export function entriesOf(only: readonly string[]): readonly Entry[] {
  const all: readonly Entry[] = JSON.parse(readFileSync(join(root, 'bench/quantize/models.json'), 'utf8'))
  return only.length === 0 ? all : all.filter(({ name }) => only.some((part) => name.startsWith(part)))
}

/** @throws {LowbitError} `DATA_INVALID` where the file is no such array. */
export function sampleSet(work: string, { samples }: Entry, part: 'calibration' | 'check'): SampleSet {
  const file = join(work, 'samples', `${samples}.${part}.npy`)
  const { shape, data } = readNpy(readFileSync(file), file)
  const count = shape[0] as number
  const size = data.length / count
  return { count, at: (index) => (data as Float32Array).subarray(index * size, (index + 1) * size) }
}

/** The right answers, where the set has them. */
export function labelsOf(work: string, { samples }: Entry): Uint8Array | undefined {
  const file = join(work, 'samples', `${samples}.labels.npy`)
  try {
    return readNpy(readFileSync(file), file).data as Uint8Array
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
