// Reads the files of a dataset, packed by gzip or not.

import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { LowbitError } from '../../errors.js'

/**
 * A whole file.
 *
 * @param wanted What the folder should hold, for the message.
 * @throws {LowbitError} `DATA_INVALID` where there is none.
 */
export async function readPart(path: string, wanted: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'no such file' : `cannot be read (${cause.code})`
    throw new LowbitError('DATA_INVALID', `${path}: ${why}; ${wanted} expected`, { cause })
  })
}

/** As `readPart`, the first of several names that there is; unpacked where it is a gzip file. */
export async function readFirst(
  paths: readonly string[],
  wanted: string,
): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  for (const path of paths) {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    if (bytes !== undefined) return { path, bytes: unpacked(bytes, path) }
  }
  throw new LowbitError('DATA_INVALID', `${paths[0]}: no such file; ${wanted} expected`, { expected: paths })
}

function unpacked(bytes: Uint8Array, path: string): Uint8Array {
  if (!(bytes[0] === 0x1f && bytes[1] === 0x8b)) return bytes
  try {
    return gunzipSync(bytes)
  } catch (cause) {
    const message = `${path}: no whole gzip file (${(cause as Error).message})`
    throw new LowbitError('DATA_INVALID', message, { cause })
  }
}
