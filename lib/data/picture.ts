// Reads picture files: PGM and PPM here, everything else (JPEG, PNG, WebP, …) by sharp, an optional package.

import { readFile } from 'node:fs/promises'
import { LowbitError } from '../errors.js'
import type { Pixels } from './pixels.js'
import { isPpm, readPpm } from './ppm.js'

type Sharp = typeof import('sharp')['default']
type SharpImport = () => Promise<{ readonly default: Sharp }>

async function loadSharp(name: string, importSharp: SharpImport): Promise<Sharp> {
  try {
    return (await importSharp()).default
  } catch (cause) {
    throw new LowbitError(
      'PEER_MISSING',
      `${name}: only PPM and PGM pictures are read without the package sharp, which is not installed or does not load; run: npm install sharp`,
      { expected: 'sharp', cause },
    )
  }
}

/**
 * A picture file's pixels, upright (its EXIF orientation is applied), in sRGB; transparent parts lie over white.
 *
 * @param bytes The whole file.
 * @param name What messages call it.
 * @throws {LowbitError} `DATA_INVALID` for bytes that are no picture; `PEER_MISSING` where sharp is needed and missing.
 */
export async function decodePicture(
  bytes: Uint8Array,
  name = 'picture',
  importSharp: SharpImport = () => import('sharp'),
): Promise<Pixels> {
  if (isPpm(bytes)) return readPpm(bytes, name)
  if (bytes.length === 0) throw new LowbitError('DATA_INVALID', `${name}: the file is empty`)
  const sharp = await loadSharp(name, importSharp)
  try {
    const { data, info } = await sharp(bytes)
      .rotate()
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const { width, height, channels } = info
    if (channels !== 1 && channels !== 3) throw new Error(`${channels} channels`)
    return { width, height, channels, data: new Uint8Array(data) }
  } catch (cause) {
    throw new LowbitError(
      'DATA_INVALID',
      `${name}: not a picture that sharp reads (${(cause as Error).message})`,
      {
        cause,
      },
    )
  }
}

/** As `decodePicture`, from a file. */
export async function readPicture(path: string): Promise<Pixels> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new LowbitError(
      'DATA_INVALID',
      `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      {
        cause,
      },
    )
  }
  return decodePicture(bytes, path)
}
