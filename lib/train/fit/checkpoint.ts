// The state of a training in a file, which is whole at any moment: a new one replaces the old by its name alone.

import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { LowbitError } from '../../errors.js'
import type { EpochRecord, FitSettings } from './options.js'

export interface Progress {
  /** Of the epoch that is under way: batches that are done, and sums over them. */
  readonly batch: number
  readonly loss: number
  readonly right: number
  readonly seconds: number
  /** The whole epochs before. */
  readonly history: readonly EpochRecord[]
}

export interface Checkpoint {
  readonly progress: Progress
  /** Of the model, then of the optimiser, then of the best epoch so far where there is one. */
  readonly arrays: readonly Float32Array[]
}

/** What must be the same for the work to go on. */
export interface Identity {
  readonly settings: FitSettings
  readonly data: { readonly name: string; readonly train: number; readonly shape: readonly number[] }
  /** Of the arrays of model and optimiser. */
  readonly lengths: readonly number[]
}

interface Head extends Identity {
  readonly version: 1
  readonly progress: Progress
  readonly counts: readonly number[]
  readonly sha256: string
}

export const checkpointFile = (folder: string) => join(folder, 'checkpoint.lowbit')
const MAGIC = 'lowbit checkpoint\n'

/** File: the magic line, the length of the head in 8 digits, the head as JSON, the arrays in little-endian order. */
export async function writeCheckpoint(
  folder: string,
  identity: Identity,
  { progress, arrays }: Checkpoint,
): Promise<void> {
  const body = Buffer.concat(
    arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  )
  const counts = arrays.map(({ length }) => length)
  const head: Head = { version: 1, ...identity, progress, counts, sha256: sha256(body) }
  const text = Buffer.from(JSON.stringify(head))
  const start = Buffer.from(MAGIC + String(text.length).padStart(8, '0'))
  await mkdir(folder, { recursive: true })
  await replace(folder, checkpointFile(folder), [start, text, body])
}

/** Written beside it, brought to the disk, and only then given its name. */
async function replace(folder: string, path: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${process.pid}.new`
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(Buffer.concat(parts))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  if (process.platform === 'win32') return // folders cannot be opened there
  const entry = await open(folder, 'r')
  await entry.sync().finally(() => entry.close())
}

/**
 * What was written for the same training; undefined where there is none.
 *
 * @throws {LowbitError} `DATA_INVALID` for a broken file; `OPTION_INVALID` for one of another training.
 */
export async function readCheckpoint(folder: string, identity: Identity): Promise<Checkpoint | undefined> {
  const path = checkpointFile(folder)
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (bytes === undefined) return undefined
  const { head, body } = partsOf(bytes, path)
  checkIdentity(identity, head, path)
  let at = 0
  const arrays = head.counts.map((count) => {
    const array = new Float32Array(count)
    new Uint8Array(array.buffer).set(body.subarray(at, at + array.byteLength))
    at += array.byteLength
    return array
  })
  return { progress: head.progress, arrays }
}

function partsOf(bytes: Buffer, path: string): { head: Head; body: Buffer } {
  const start = MAGIC.length + 8
  const length = Number(bytes.toString('latin1', MAGIC.length, start))
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC || !(length > 0)) {
    throw new LowbitError('DATA_INVALID', `${path}: no checkpoint of lowbit`)
  }
  const body = bytes.subarray(start + length)
  try {
    const head = JSON.parse(bytes.toString('utf8', start, start + length)) as Head
    if (head.version !== 1) throw new Error(`version ${head.version}, 1 expected`)
    const expected = 4 * head.counts.reduce((sum, count) => sum + count, 0)
    if (body.length !== expected) throw new Error(`${body.length} bytes of arrays, ${expected} expected`)
    if (sha256(body) !== head.sha256) throw new Error('its arrays are not those that were written (SHA-256)')
    return { head, body }
  } catch (cause) {
    const message = `${path}: the checkpoint is broken: ${(cause as Error).message}`
    throw new LowbitError('DATA_INVALID', message, { cause })
  }
}

function checkIdentity({ settings, data, lengths }: Identity, head: Head, path: string): void {
  const pairs: [string, unknown, unknown][] = [
    ...Object.entries(settings).map(([name, value]): [string, unknown, unknown] => [
      name,
      head.settings[name as keyof FitSettings],
      value,
    ]),
    ['data', head.data, data],
    ['sizes of the weights', head.lengths, lengths],
  ]
  for (const [name, written, asked] of pairs) {
    const [expected, actual] = [JSON.stringify(written), JSON.stringify(asked)]
    if (expected === actual) continue
    const message = `${path}: the checkpoint is of a training whose ${name} is ${expected}, asked for is ${actual}`
    throw new LowbitError('OPTION_INVALID', message, { expected: written, actual: asked })
  }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
