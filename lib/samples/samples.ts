// Samples for a model: arrays for its inputs, read from files one after the other.

import { readFile } from 'node:fs/promises'
import { type Cifar10Batch, readCifar10Batch } from '../data/cifar10.js'
import { type Layout, type Normalization, pictureData } from '../data/codes.js'
import { type NpyArray, readNpy } from '../data/npy.js'
import { readNpz } from '../data/npz.js'
import { decodePicture } from '../data/picture.js'
import type { Fit } from '../data/resize.js'
import { readWav } from '../data/wav.js'
import { LowbitError } from '../errors.js'
import type { TypedArray } from '../tensor/dtype.js'
import { elementCount } from '../tensor/shape.js'
import type { TensorInfo } from '../tensor/tensor.js'
import { checkFinite, sampleOf, samplesIn } from './convert.js'
import { type DataFile, findFiles, type Kind } from './files.js'
import { evenly } from './pick.js'

export interface Sample {
  /** One for each input of the model. */
  readonly inputs: readonly TypedArray[]
  /** Where it is from; `row` counts within the file, which has `rows`. */
  readonly file: DataFile
  readonly row: number
  readonly rows: number
  /** Class number, where the file itself says it. */
  readonly answer?: number
}

export interface SampleOptions {
  /** Most samples to take; they are spread evenly over files and over the rows of each. Default: all. */
  readonly limit?: number
  readonly normalization?: Normalization
  readonly layout?: Layout
  readonly fit?: Fit
}

export interface Samples extends AsyncIterable<Sample> {
  readonly path: string
  readonly kind: Kind
  readonly isFolder: boolean
  /** Those that samples are taken from. */
  readonly files: readonly DataFile[]
  /** Names of the sub-folders that files lie in, by code points; of all files. */
  readonly groups: readonly string[]
  /** Most samples that will come; exact for pictures, and for all kinds where there are as many in the files. */
  readonly most: number
}

/** A file that was read: how many samples it has, and each of them. */
interface Rows {
  readonly count: number
  row(index: number): Pick<Sample, 'inputs' | 'answer'>
}

type Reader = (bytes: Uint8Array, name: string) => Promise<Rows> | Rows

/** Arrays of a `.npz` file that hold class numbers. */
const ANSWERS = ['labels', 'y']

/**
 * Samples of a file, or of all files of a folder. Nothing but names is read before they are asked for.
 *
 * @param inputs Of the model.
 * @throws {LowbitError} `DATA_INVALID` for no data; as iteration goes on also `SHAPE_MISMATCH`, `DTYPE_MISMATCH` and
 *   `NOT_FINITE` for a file that does not fit the inputs, each with the file's name.
 */
export async function openSamples(
  path: string,
  inputs: readonly TensorInfo[],
  options: SampleOptions = {},
): Promise<Samples> {
  const { kind, isFolder, files: all } = await findFiles(path)
  const { limit = Number.POSITIVE_INFINITY } = options
  const files = evenly(all.length, limit).map((i) => all[i] as DataFile)
  const read = readerOf(kind, inputs, options)
  const most = kind === 'picture' ? files.length : limit
  return {
    path,
    kind,
    isFolder,
    files,
    groups: [...new Set(all.flatMap(({ group }) => (group === undefined ? [] : [group])))],
    most,
    [Symbol.asyncIterator]: () => readAll(files, limit, read),
  }
}

async function* readAll(files: readonly DataFile[], limit: number, read: Reader): AsyncGenerator<Sample> {
  let left = limit
  for (const [i, file] of files.entries()) {
    const rows = await read(await readFile(file.path), file.path)
    // What a short file could not give, later ones do.
    const share = Math.ceil(left / (files.length - i))
    for (const row of evenly(rows.count, share)) {
      yield { ...rows.row(row), file, row, rows: rows.count }
      left--
    }
  }
}

function readerOf(kind: Kind, inputs: readonly TensorInfo[], options: SampleOptions): Reader {
  if (kind === 'npz') return (bytes, name) => npzRows(readNpz(bytes, name), inputs, name)
  const [input] = inputs
  if (input === undefined || inputs.length !== 1) {
    const message = `the model has ${inputs.length} inputs: a .npz file with an array for each expected`
    throw new LowbitError('INPUT_COUNT', message, { expected: inputs.length, actual: 1 })
  }
  if (kind === 'npy') return (bytes, name) => arrayRows(readNpy(bytes, name), input, name)
  if (kind === 'wav') return wavReader(input)
  if (kind === 'cifar10') return (bytes, name) => cifar10Rows(readCifar10Batch(bytes, name), input, options)
  return async (bytes, name) => {
    const data = pictureData(await decodePicture(bytes, name), input, options)
    return { count: 1, row: () => ({ inputs: [data] }) }
  }
}

function arrayRows(array: NpyArray, input: TensorInfo, name: string): Rows {
  return {
    count: samplesIn(array, input, name),
    row: (index) => ({ inputs: [sampleOf(array, index, input, name)] }),
  }
}

function cifar10Rows(batch: Cifar10Batch, input: TensorInfo, options: SampleOptions): Rows {
  return {
    count: batch.count,
    row: (index) => ({
      inputs: [pictureData(batch.picture(index), input, options)],
      answer: batch.label(index),
    }),
  }
}

/** Arrays by the names of the inputs, or else, if there are as many, in their order; class numbers besides. */
function npzRows(arrays: ReadonlyMap<string, NpyArray>, inputs: readonly TensorInfo[], name: string): Rows {
  const wanted = inputs.map((input) => input.name)
  const isNamed = wanted.every((one) => arrays.has(one))
  const title = ANSWERS.find((one) => arrays.has(one) && !(isNamed && wanted.includes(one)))
  const rest = [...arrays.keys()].filter((one) => one !== title)
  if (!isNamed && rest.length !== inputs.length) {
    const message = `${name}: arrays ${rest.join(', ')}; one for each input expected: ${wanted.join(', ')}`
    throw new LowbitError('INPUT_COUNT', message, { expected: wanted, actual: rest })
  }
  const columns = inputs.map((input, i) => {
    const key = isNamed ? input.name : (rest[i] as string)
    const [array, where] = [arrays.get(key) as NpyArray, `${name} "${key}"`]
    return { array, input, where, count: samplesIn(array, input, where) }
  })
  const answers =
    title === undefined ? undefined : classNumbers(arrays.get(title) as NpyArray, `${name} "${title}"`)
  const counts = [...columns.map(({ count }) => count), ...(answers ? [answers.length] : [])]
  if (new Set(counts).size > 1) {
    const message = `${name}: arrays of ${counts.join(', ')} samples; as many in each expected`
    throw new LowbitError('SHAPE_MISMATCH', message, { actual: counts })
  }
  return {
    count: counts[0] ?? 0,
    row: (index) => ({
      inputs: columns.map(({ array, input, where }) => sampleOf(array, index, input, where)),
      ...(answers && { answer: answers[index] as number }),
    }),
  }
}

/** @throws {LowbitError} `DATA_INVALID` for what are no class numbers. */
export function classNumbers({ data }: NpyArray, name: string): readonly number[] {
  const numbers = Array.from(data as ArrayLike<number | bigint>, Number)
  const wrong = numbers.find((value) => !(Number.isInteger(value) && value >= 0))
  if (wrong === undefined) return numbers
  throw new LowbitError('DATA_INVALID', `${name}: class numbers expected, there is ${wrong}`, {
    actual: wrong,
  })
}

/** Windows of a sound that follow on one another; a short sound is one window, with silence at its end. */
function wavReader(input: TensorInfo): Reader {
  const size = elementCount(input.shape)
  let rate: number | undefined
  return (bytes, name) => {
    const sound = readWav(bytes, name)
    rate ??= sound.rate
    if (sound.rate !== rate) {
      const message = `${name}: ${sound.rate} samples a second, ${rate} in the files before; one rate expected`
      throw new LowbitError('DATA_INVALID', message, { expected: rate, actual: sound.rate })
    }
    if (sound.data.length === 0) throw new LowbitError('DATA_INVALID', `${name}: there are no samples in it`)
    checkFinite(sound.data, name)
    return {
      count: Math.max(1, Math.floor(sound.data.length / size)),
      row(index) {
        const window = new Float32Array(size)
        window.set(sound.data.subarray(index * size, (index + 1) * size))
        return { inputs: [window] }
      },
    }
  }
}
