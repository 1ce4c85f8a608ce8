// RIFF WAVE files: PCM of 8, 16, 24 and 32 bits, and floats of 32 bits.
// Format: Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991), "Waveform Audio File
// Format"; WAVE_FORMAT_EXTENSIBLE: its sub-format's first two bytes are the plain format.

import { LowbitError } from '../errors.js'

export interface Sound {
  /** Samples a second. */
  readonly rate: number
  /** One channel, the mean of the file's; full scale is 1. */
  readonly data: Float32Array
}

const PCM = 1
const FLOAT = 3
const EXTENSIBLE = 0xfffe

type Read = (view: DataView, at: number) => number

/** By format and bits a sample. 8 bits are unsigned, all others signed. */
const READERS: Readonly<Record<string, Read>> = {
  [`${PCM},8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM},16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${PCM},24`]: (view, at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23,
  [`${PCM},32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${FLOAT},32`]: (view, at) => view.getFloat32(at, true),
}

/**
 * Reads a sound.
 *
 * @param name For messages.
 * @throws {LowbitError} `DATA_INVALID` for what is no such file, or is packed in another way. A file that is cut short is
 *   read as far as it goes: recorders that are switched off leave such files.
 */
export function readWav(bytes: Uint8Array, name: string): Sound {
  const fail = (message: string) => new LowbitError('DATA_INVALID', `${name}: ${message}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = (at: number) => Buffer.from(bytes.subarray(at, at + 4)).toString('latin1')
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw fail('it is no .wav file')
  let format: { code: number; channels: number; rate: number; bits: number } | undefined
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true)
    const start = at + 8
    if (tag(at) === 'fmt ') {
      if (size < 16 || start + size > bytes.length) throw fail('its format is cut short')
      const code = view.getUint16(start, true)
      format = {
        code: code === EXTENSIBLE && size >= 26 ? view.getUint16(start + 24, true) : code,
        channels: view.getUint16(start + 2, true),
        rate: view.getUint32(start + 4, true),
        bits: view.getUint16(start + 14, true),
      }
    } else if (tag(at) === 'data') {
      if (format === undefined) throw fail('its samples come before their format')
      const { code, channels, rate, bits } = format
      const read = READERS[`${code},${bits}`]
      if (read === undefined || channels === 0) {
        const expected = 'PCM of 8, 16, 24 or 32 bits, or floats of 32'
        throw fail(`format ${code} with ${bits} bits and ${channels} channels; ${expected} expected`)
      }
      const end = Math.min(start + size, bytes.length)
      return { rate, data: mixed(view, { start, end, channels, step: bits / 8, read }) }
    }
    // Chunks start at even offsets.
    at = start + size + (size % 2)
  }
  throw fail('there are no samples in it')
}

function mixed(
  view: DataView,
  part: { start: number; end: number; channels: number; step: number; read: Read },
): Float32Array {
  const { start, end, channels, step, read } = part
  const frame = channels * step
  const data = new Float32Array(Math.floor((end - start) / frame))
  for (let i = 0; i < data.length; i++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += read(view, start + i * frame + c * step)
    data[i] = sum / channels
  }
  return data
}
