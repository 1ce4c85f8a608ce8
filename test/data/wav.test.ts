// .wav files of all sample formats, mixed to one channel; and everything that is none.

import test from 'ava'
import { readWav } from '#lib/data/wav.js'
import { wav } from '../helpers/wav.js'

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
const ends = [-1, 0, 0.5]
const formats = [
  ['8 bits', { bits: 8 }, Uint8Array.of(0, 128, 192)],
  ['16 bits', { bits: 16 }, bytesOf(Int16Array.of(-32768, 0, 16384))],
  ['24 bits', { bits: 24 }, Uint8Array.of(0, 0, 0x80, 0, 0, 0, 0, 0, 0x40)],
  ['32 bits', { bits: 32 }, bytesOf(Int32Array.of(-(2 ** 31), 0, 2 ** 30))],
  ['floats', { bits: 32, code: 3 }, bytesOf(Float32Array.of(-1, 0, 0.5))],
] as const
for (const [name, options, bytes] of formats) {
  test(name, (t) => {
    t.deepEqual(readWav(wav(bytes, options), ''), { rate: 16000, data: Float32Array.from(ends) })
  })
}

test('channels are mixed; the rate is the file’s', (t) => {
  const stereo = wav(bytesOf(Int16Array.of(16384, 0, -16384, -32768)), { channels: 2, rate: 44100 })
  t.deepEqual(readWav(stereo, ''), { rate: 44100, data: Float32Array.of(0.25, -0.75) })
})

test('chunks in between, of odd length, are passed over', (t) => {
  const plain = wav(bytesOf(Int16Array.of(16384)))
  const odd = Uint8Array.from([...Buffer.from('LIST'), 3, 0, 0, 0, 1, 2, 3, 0])
  const file = Uint8Array.from([...plain.subarray(0, 36), ...odd, ...plain.subarray(36)])
  t.deepEqual(readWav(file, '').data, Float32Array.of(0.5))
})

test('the sub-format of an extensible file counts', (t) => {
  const plain = wav(bytesOf(Float32Array.of(0.5)), { code: 0xfffe, bits: 32 })
  const more = new Uint8Array(24)
  more[8] = 3
  const file = Uint8Array.from([...plain.subarray(0, 36), ...more, ...plain.subarray(36)])
  file[16] = 40
  t.deepEqual(readWav(file, '').data, Float32Array.of(0.5))
})

test('a file that is cut short is read as far as it goes', (t) => {
  const file = wav(bytesOf(Int16Array.of(16384, 16384, 16384)))
  t.deepEqual(readWav(file.subarray(0, file.length - 3), '').data, Float32Array.of(0.5))
})

const good = wav(bytesOf(Int16Array.of(1)))
const broken = [
  ['nothing', new Uint8Array(0)],
  ['text', new Uint8Array(Buffer.from('RIFF of a guitar, many bytes long, but none'))],
  ['no samples', good.subarray(0, 36)],
  ['a format that is cut short', good.subarray(0, 30)],
  ['a packed format', wav(bytesOf(Int16Array.of(1)), { code: 2, bits: 4 })],
  ['no channels', wav(bytesOf(Int16Array.of(1)), { channels: 0 })],
  [
    'samples before their format',
    Uint8Array.from([...good.subarray(0, 12), ...good.subarray(36), ...good.subarray(12, 36)]),
  ],
] as const
for (const [name, bytes] of broken) {
  test(`broken: ${name}`, (t) => {
    t.throws(() => readWav(bytes, 'x.wav'), { code: 'DATA_INVALID', message: /^x\.wav: / })
  })
}
