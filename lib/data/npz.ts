// NumPy's .npz files: zip archives of .npy files.

import { openZip } from '../archive/zip.js'
import { LowbitError } from '../errors.js'
import { type NpyArray, readNpy } from './npy.js'

/** Most bytes that one array may unpack to. */
const LIMIT = 2 ** 31 - 1

/**
 * The arrays by their names, in the order of the archive.
 *
 * @param name For messages.
 * @throws {LowbitError} `DATA_INVALID` for what is no such file, and as `readNpy`.
 */
export function readNpz(bytes: Uint8Array, name: string): ReadonlyMap<string, NpyArray> {
  const zip = openZip(bytes, (message, offset, cause) => {
    return new LowbitError('DATA_INVALID', `${name}: ${message} (at byte ${offset})`, { offset, cause })
  })
  if (zip === undefined) throw new LowbitError('DATA_INVALID', `${name}: it is no .npz file, no zip archive`)
  const arrays = new Map<string, NpyArray>()
  for (const entry of zip.names) {
    if (!entry.endsWith('.npy')) continue
    const title = entry.slice(0, -'.npy'.length)
    arrays.set(title, readNpy(zip.read(entry, LIMIT) as Uint8Array, `${name} "${title}"`))
  }
  if (arrays.size === 0) throw new LowbitError('DATA_INVALID', `${name}: there is no .npy file in it`)
  return arrays
}
