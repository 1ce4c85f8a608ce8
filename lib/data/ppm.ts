// Reads binary PGM (P5) and PPM (P6) pictures, 8 bits a sample. Nothing in the bytes is trusted.

import { LowbitError } from '../errors.js'
import type { Pixels } from './pixels.js'

/** Larger sides than this are refused before anything is allocated. */
const MAX_SIDE = 65_535

const NEWLINE = 10
const HASH = 35

const isSpace = (byte: number | undefined) => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13)
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 48 && byte <= 57

/** Whether the bytes start as a PGM or PPM file that `readPpm` may read. */
export function isPpm(bytes: Uint8Array): boolean {
  return bytes[0] === 80 && (bytes[1] === 53 || bytes[1] === 54) && (isSpace(bytes[2]) || bytes[2] === HASH)
}

/**
 * The first picture of a P5 or P6 file. Samples of a smaller range than 255 are stretched:
 * round(sample * 255 / maxval). Bytes after the raster are ignored, as the format allows further pictures.
 *
 * @param bytes The whole file.
 * @param name What messages call it.
 * @throws {LowbitError} `DATA_INVALID` with the defect and its byte offset.
 * @see The Netpbm format descriptions, ppm(5) and pgm(5).
 */
export function readPpm(bytes: Uint8Array, name = 'picture'): Pixels {
  let at = 2
  const fail = (message: string) => new LowbitError('DATA_INVALID', `${name}: ${message}`, { offset: at })
  if (!isPpm(bytes)) throw fail('not a binary PGM or PPM file (it starts neither with "P5" nor with "P6")')

  const number = (field: string, high: number) => {
    while (isSpace(bytes[at]) || bytes[at] === HASH) {
      if (bytes[at] === HASH) while (at < bytes.length && bytes[at] !== NEWLINE) at++
      else at++
    }
    if (!isDigit(bytes[at])) throw fail(`the header has no ${field}`)
    let value = 0
    for (; isDigit(bytes[at]); at++) {
      value = 10 * value + (bytes[at] as number) - 48
      if (value > high) throw fail(`${field} is above ${high}`)
    }
    if (value === 0) throw fail(`${field} is 0`)
    return value
  }

  const channels = bytes[1] === 54 ? 3 : 1
  const width = number('width', MAX_SIDE)
  const height = number('height', MAX_SIDE)
  const maxval = number('maxval', 65_535)
  if (maxval > 255) throw fail(`maxval is ${maxval}; only 8-bit pictures (maxval up to 255) are read`)
  if (!isSpace(bytes[at])) throw fail('no white space between header and raster')
  at++
  const need = width * height * channels
  if (bytes.length - at < need) {
    throw fail(`the raster needs ${need} bytes for ${width} x ${height}, ${bytes.length - at} are there`)
  }
  const data = bytes.slice(at, at + need)
  if (maxval < 255) {
    for (let i = 0; i < need; i++) {
      const sample = data[i] as number
      if (sample > maxval) {
        at += i
        throw fail(`a sample is ${sample}, above maxval ${maxval}`)
      }
      data[i] = Math.floor((2 * 255 * sample + maxval) / (2 * maxval))
    }
  }
  return { width, height, channels, data }
}
