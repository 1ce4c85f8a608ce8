// Writes .wav files.

export interface WavOptions {
  readonly rate?: number
  readonly channels?: number
  readonly code?: number
  readonly bits?: number
}

/** A file whose samples are `bytes`, as they are. */
export function wav(bytes: Uint8Array, options: WavOptions = {}): Uint8Array {
  const { rate = 16000, channels = 1, code = 1, bits = 16 } = options
  const file = Buffer.alloc(44 + bytes.length)
  file.write('RIFF', 0)
  file.writeUInt32LE(36 + bytes.length, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(code, 20)
  file.writeUInt16LE(channels, 22)
  file.writeUInt32LE(rate, 24)
  file.writeUInt32LE((rate * channels * bits) / 8, 28)
  file.writeUInt16LE((channels * bits) / 8, 32)
  file.writeUInt16LE(bits, 34)
  file.write('data', 36)
  file.writeUInt32LE(bytes.length, 40)
  file.set(bytes, 44)
  return new Uint8Array(file)
}
