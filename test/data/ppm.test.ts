// PGM and PPM reading: the format's freedoms, and files that lie.

import test from 'ava'
import fc from 'fast-check'
import { readPpm } from '#lib/data/ppm.js'

const ascii = (text: string, ...samples: number[]) =>
  Uint8Array.from([...Buffer.from(text, 'latin1'), ...samples])

test('a P6 picture', (t) => {
  const pixels = readPpm(ascii('P6\n2 1\n255\n', 1, 2, 3, 250, 251, 252))
  t.deepEqual(pixels, { width: 2, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 250, 251, 252) })
})

test('a P5 picture with comments anywhere in the header', (t) => {
  const pixels = readPpm(ascii('P5# a\n#b\n 1\t# c\r\n2 #d\n255\n', 7, 9))
  t.deepEqual(pixels, { width: 1, height: 2, channels: 1, data: Uint8Array.of(7, 9) })
})

test('a smaller range is stretched to 255', (t) => {
  t.deepEqual([...readPpm(ascii('P5 4 1 3\n', 0, 1, 2, 3)).data], [0, 85, 170, 255])
  t.deepEqual([...readPpm(ascii('P5 3 1 100 ', 0, 50, 100)).data], [0, 128, 255])
})

test('one white space ends the header: a raster may start with one', (t) => {
  t.deepEqual([...readPpm(ascii('P5 2 1 255\n', 10, 10)).data], [10, 10])
})

test('bytes after the raster are left alone', (t) => {
  t.deepEqual([...readPpm(ascii('P5 1 1 255 ', 5, 6, 7)).data], [5])
})

const DEFECTS: readonly (readonly [string, Uint8Array])[] = [
  ['empty', Uint8Array.of()],
  ['another format', ascii('P3 1 1 255 1 1 1')],
  ['no white space after the magic', ascii('P61 1 255 ')],
  ['magic only', ascii('P6\n')],
  ['comment without end', ascii('P6 # and on')],
  ['no height', ascii('P6 3 ')],
  ['negative width', ascii('P6 -3 1 255 ')],
  ['zero width', ascii('P6 0 1 255 ')],
  ['zero height', ascii('P6 1 0 255 ')],
  ['zero maxval', ascii('P6 1 1 0 ', 0, 0, 0)],
  ['16-bit samples', ascii('P6 1 1 65535 ', 0, 0, 0, 0, 0, 0)],
  ['huge sides', ascii('P6 65535 65535 255 ', 1, 2, 3)],
  ['digits without end', ascii(`P6 ${'9'.repeat(5000)} 1 255 `)],
  ['raster one byte short', ascii('P6 1 1 255 ', 1, 2)],
  ['no raster', ascii('P6 1 1 255')],
  ['a sample above maxval', ascii('P5 1 1 7 ', 8)],
]
for (const [name, bytes] of DEFECTS) {
  test(`refused: ${name}`, (t) => {
    const error = t.throws(() => readPpm(bytes, 'x.ppm'), { code: 'DATA_INVALID' })
    t.true(error.message.startsWith('x.ppm: '))
  })
}

test('any bytes give a picture or DATA_INVALID', (t) => {
  const header = fc.constantFrom('P6 2 2 255 ', 'P5 2 2 9\n', 'P6', 'P5 3')
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 40 }), (start, rest) => {
      try {
        const pixels = readPpm(Uint8Array.from([...ascii(start), ...rest]))
        t.is(pixels.data.length, pixels.width * pixels.height * pixels.channels)
      } catch (error) {
        t.is((error as { code?: string }).code, 'DATA_INVALID')
      }
    }),
    { numRuns: 500, seed: 1 },
  )
})
