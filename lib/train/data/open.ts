// Finds out what kind of data a name or a path stands for.

import { readdir, stat } from 'node:fs/promises'
import { LowbitError } from '../../errors.js'
import { readArrays } from './arrays.js'
import { readCifar10 } from './cifar10.js'
import { checkDataset, type Dataset } from './dataset.js'
import { readMnist } from './mnist.js'
import { readModule } from './module.js'
import { type PictureSettings, readPictures } from './pictures.js'

const NAMED: Readonly<Record<string, (folder: string) => Promise<Dataset>>> = {
  cifar10: readCifar10,
  mnist: readMnist,
}

export interface DatasetSettings extends PictureSettings {
  /** The folder of a dataset that has a name. */
  readonly data?: string
}

/**
 * `cifar10` or `mnist` with the folder of their files; a folder of pictures, a folder a class; a folder with x_train.npy and
 * its companions; a JavaScript module.
 *
 * @throws {LowbitError} `OPTION_INVALID` for a name without its folder; `DATA_INVALID` and others for data that is broken.
 */
export async function openDataset(what: string, settings: DatasetSettings = {}): Promise<Dataset> {
  const named = Object.hasOwn(NAMED, what) ? NAMED[what] : undefined
  if (named !== undefined) {
    if (settings.data !== undefined) return checkDataset(await named(settings.data))
    throw new LowbitError('OPTION_INVALID', `${what}: the folder of its files expected (--data)`)
  }
  if (settings.data !== undefined) {
    const message = `${what}: --data is for ${Object.keys(NAMED).join(' and ')}; a path stands for itself`
    throw new LowbitError('OPTION_INVALID', message)
  }
  return checkDataset(await readPath(what, settings))
}

async function readPath(path: string, settings: PictureSettings): Promise<Dataset> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const names = Object.keys(NAMED).join(', ')
    const message = `${path}: ${names}, a folder of pictures or .npy files, or a JavaScript module expected (${cause.code})`
    throw new LowbitError('DATA_INVALID', message, { cause })
  })
  if (found.isDirectory()) {
    const isArrays = (await readdir(path)).includes('x_train.npy')
    return isArrays ? readArrays(path) : readPictures(path, settings)
  }
  if (/\.[cm]?js$/.test(path)) return readModule(path)
  throw new LowbitError('DATA_INVALID', `${path}: a folder, or a module .js, .mjs or .cjs expected`)
}
