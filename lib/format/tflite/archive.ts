// The zip archive that TFLite's metadata tools append to a model (label lists, vocabularies).

import { openZip } from '../../archive/zip.js'
import { LowbitError } from '../../errors.js'

function broken(message: string, offset: number, cause?: unknown): LowbitError {
  const text = `metadata: appended archive: ${message} (at byte ${offset})`
  return new LowbitError('FILE_INVALID', text, { offset, cause })
}

/**
 * A file of the appended archive.
 *
 * @param bytes The whole `.tflite` file.
 * @param limit Most bytes that it may unpack to.
 * @returns Its content; undefined if the file has no archive behind it.
 * @throws {LowbitError} `FILE_INVALID` if the archive is broken, lacks the file or packs it in an unknown way, or if it
 *   is larger than the limit.
 */
export function readArchived(bytes: Uint8Array, name: string, limit: number): Uint8Array | undefined {
  const zip = openZip(bytes, broken)
  if (zip === undefined) return undefined
  const file = zip.read(name, limit)
  if (file === undefined) throw broken(`it has no file "${name}"`, zip.end)
  return file
}
