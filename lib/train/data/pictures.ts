// Folders of pictures, a folder a class: FOLDER/train/CLASS/… and FOLDER/test/CLASS/…, or FOLDER/CLASS/… alone, of which
// every tenth picture of a class is kept for the test.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodePicture } from '../../data/picture.js'
import { withChannels } from '../../data/pixels.js'
import { type Fit, resize } from '../../data/resize.js'
import { LowbitError } from '../../errors.js'
import { type DataFile, findFiles } from '../../samples/files.js'
import { type Dataset, type Examples, UNIT_PIXELS } from './dataset.js'

export interface PictureSettings {
  /** All pictures become of this size. Default: that of the first one. */
  readonly size?: { readonly height: number; readonly width: number }
  readonly fit?: Fit
}

const TEST_SHARE = 10

/** @throws {LowbitError} `DATA_INVALID` for folders without classes or pictures, and for files that are none. */
export async function readPictures(folder: string, settings: PictureSettings = {}): Promise<Dataset> {
  const { train, test } = await partsOf(folder)
  const labels = [...new Set(train.map(classOf))].sort((a, b) => (a < b ? -1 : 1))
  if (labels.length < 2) {
    const message = `${folder}: a folder for each class expected, there is ${labels.join() || 'none'}`
    throw new LowbitError('DATA_INVALID', message, { actual: labels })
  }
  const stranger = test.find((file) => !labels.includes(classOf(file)))
  if (stranger !== undefined) {
    const message = `${stranger.path}: there are no training pictures of class ${classOf(stranger)}`
    throw new LowbitError('DATA_INVALID', message, { expected: labels, actual: classOf(stranger) })
  }
  const first = train[0] as DataFile
  const pixels = await decodePicture(await readFile(first.path), first.path)
  const { height, width } = settings.size ?? pixels
  const shape = [height, width, pixels.channels]
  const read = (files: readonly DataFile[]) => readAll(files, labels, shape, settings.fit)
  return {
    name: folder,
    shape,
    classes: labels.length,
    labels,
    normalization: UNIT_PIXELS,
    train: await read(train),
    test: await read(test),
  }
}

const classOf = (file: DataFile): string => {
  if (file.group !== undefined) return file.group
  throw new LowbitError('DATA_INVALID', `${file.path}: the picture lies in no folder that says its class`)
}

async function partsOf(folder: string): Promise<{ train: readonly DataFile[]; test: readonly DataFile[] }> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new LowbitError('DATA_INVALID', `${folder}: a folder expected (${cause.code})`, { cause })
  })
  if (names.includes('train') && names.includes('test')) {
    const [train, test] = [await picturesIn(join(folder, 'train')), await picturesIn(join(folder, 'test'))]
    return { train, test }
  }
  const files = await picturesIn(folder)
  const seen = new Map<string, number>()
  const isTest = files.map((file) => {
    const count = (seen.get(classOf(file)) ?? 0) + 1
    seen.set(classOf(file), count)
    return count % TEST_SHARE === 0
  })
  const test = files.filter((_, i) => isTest[i])
  if (test.length === 0) {
    const message = `${folder}: folders train and test expected, or at least ${TEST_SHARE} pictures of a class`
    throw new LowbitError('DATA_INVALID', message, { expected: TEST_SHARE })
  }
  return { train: files.filter((_, i) => !isTest[i]), test }
}

async function picturesIn(folder: string): Promise<readonly DataFile[]> {
  const { kind, files } = await findFiles(folder)
  if (kind === 'picture') return files
  throw new LowbitError('DATA_INVALID', `${folder}: pictures expected, there is ${files[0]?.name}`)
}

async function readAll(
  files: readonly DataFile[],
  labels: readonly string[],
  shape: readonly number[],
  fit: Fit | undefined,
): Promise<Examples> {
  const [height, width, channels] = shape as [number, number, 1 | 3]
  const size = height * width * channels
  const inputs = new Uint8Array(files.length * size)
  for (const [i, file] of files.entries()) {
    const pixels = await decodePicture(await readFile(file.path), file.path)
    inputs.set(withChannels(resize(pixels, width, height, fit), channels).data, i * size)
  }
  return { inputs, labels: Int32Array.from(files, (file) => labels.indexOf(classOf(file))) }
}
