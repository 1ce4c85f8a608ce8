// Writes zip archives for tests.

import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipFile {
  readonly name: string
  readonly data: Uint8Array
  /** Deflated instead of stored. */
  readonly deflate?: boolean
}

/** An archive whose offsets count from `base` bytes before it. */
export function zip(files: readonly ZipFile[], base = 0): Uint8Array {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = base
  for (const { name, data, deflate = false } of files) {
    const packed = deflate ? deflateRawSync(data) : Buffer.from(data)
    const title = Buffer.from(name)
    const local = Buffer.alloc(30)
    const entry = Buffer.alloc(46)
    local.writeUInt32LE(0x04034b50, 0)
    entry.writeUInt32LE(0x02014b50, 0)
    for (const [header, shift] of [
      [local, 0],
      [entry, 2],
    ] as const) {
      header.writeUInt16LE(20, 4 + shift)
      header.writeUInt16LE(deflate ? 8 : 0, 8 + shift)
      header.writeUInt32LE(crc32(data), 14 + shift)
      header.writeUInt32LE(packed.length, 18 + shift)
      header.writeUInt32LE(data.length, 22 + shift)
      header.writeUInt16LE(title.length, 26 + shift)
    }
    entry.writeUInt32LE(at, 42)
    parts.push(local, title, packed)
    directory.push(entry, title)
    at += 30 + title.length + packed.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(at, 16)
  return new Uint8Array(Buffer.concat([...parts, ...directory, end]))
}
