// Finds the data files of a folder, and what kind they are.

import { readdir, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { LowbitError } from '../errors.js'

const KINDS = {
  picture: ['.ppm', '.pgm', '.pnm', '.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'],
  wav: ['.wav'],
  npy: ['.npy'],
  npz: ['.npz'],
  cifar10: ['.bin'],
} as const
export type Kind = keyof typeof KINDS

const NAMES: Readonly<Record<Kind, string>> = {
  picture: 'pictures',
  wav: '.wav files',
  npy: '.npy files',
  npz: '.npz files',
  cifar10: "CIFAR-10's binary batches",
}
const ALL = `${Object.values(NAMES).slice(0, -1).join(', ')} or ${NAMES.cifar10}`

export interface DataFiles {
  readonly kind: Kind
  readonly isFolder: boolean
  readonly files: readonly DataFile[]
}

export interface DataFile {
  readonly path: string
  /** Below the folder, with `/`; of a single file its path as given. */
  readonly name: string
  /** First sub-folder on the way to it, if any. */
  readonly group?: string
}

function kindOf(name: string): Kind | undefined {
  const extension = extname(name).toLowerCase()
  return (Object.keys(KINDS) as Kind[]).find((kind) => (KINDS[kind] as readonly string[]).includes(extension))
}

/**
 * A file by itself, or all of a folder and its sub-folders, by name; hidden ones and those of other kinds left out.
 *
 * @throws {LowbitError} `DATA_INVALID` where there is none, or there are several kinds.
 */
export async function findFiles(path: string): Promise<DataFiles> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'no such file or folder' : `cannot be read (${cause.code})`
    throw new LowbitError('DATA_INVALID', `${path}: ${why}`, { cause })
  })
  if (!found.isDirectory()) {
    const kind = kindOf(path)
    if (kind === undefined) throw new LowbitError('DATA_INVALID', `${path}: ${ALL} expected, or a folder`)
    return { kind, isFolder: false, files: [{ path, name: path }] }
  }
  const names = (await readdir(path, { recursive: true }))
    .map((name) => name.split(sep))
    .filter((parts) => !parts.some((part) => part.startsWith('.')))
    .map((parts) => parts.join('/'))
    .sort(byCodePoints)
  const files = names.filter((name) => kindOf(name) !== undefined)
  const [first] = files
  if (first === undefined) {
    const others = names.length === 0 ? 'it is empty' : `there are ${names.slice(0, 3).join(', ')}`
    throw new LowbitError('DATA_INVALID', `${path}: ${ALL} expected in this folder, ${others}`)
  }
  const kind = kindOf(first) as Kind
  const other = files.find((name) => kindOf(name) !== kind)
  if (other !== undefined) {
    const message = `${path}: one kind of files expected, there are ${first} and ${other}`
    throw new LowbitError('DATA_INVALID', message, { expected: NAMES[kind], actual: other })
  }
  return { kind, isFolder: true, files: files.map((name) => fileOf(path, name)) }
}

/** The same order on every machine. */
const byCodePoints = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function fileOf(folder: string, name: string): DataFile {
  const [group, ...rest] = name.split('/')
  return { path: join(folder, name), name, ...(rest.length > 0 && group !== undefined && { group }) }
}
