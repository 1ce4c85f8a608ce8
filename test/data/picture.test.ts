// Pictures by sharp: orientation, transparency, grey, depth; and what happens without sharp.

import test from 'ava'
import sharp from 'sharp'
import { decodePicture, readPicture } from '#lib/data/picture.js'

const raw = (width: number, height: number, channels: 1 | 3 | 4, samples: number[]) =>
  sharp(Buffer.from(samples), { raw: { width, height, channels } })

test('a PNG gives its pixels', async (t) => {
  const bytes = await raw(2, 1, 3, [1, 2, 3, 4, 5, 6]).png().toBuffer()
  t.deepEqual(await decodePicture(bytes), {
    width: 2,
    height: 1,
    channels: 3,
    data: Uint8Array.of(1, 2, 3, 4, 5, 6),
  })
})

test('EXIF orientation is applied', async (t) => {
  // Orientation 6: turn 90 degrees clockwise, so that the left pixel comes to the top.
  const bytes = await raw(2, 1, 3, [0, 0, 0, 255, 255, 255]).withMetadata({ orientation: 6 }).png().toBuffer()
  const { width, height, data } = await decodePicture(bytes)
  t.deepEqual({ width, height, data: [...data] }, { width: 1, height: 2, data: [0, 0, 0, 255, 255, 255] })
})

test('transparent parts lie over white', async (t) => {
  const bytes = await raw(2, 1, 4, [10, 20, 30, 0, 10, 20, 30, 255]).png().toBuffer()
  const { channels, data } = await decodePicture(bytes)
  t.is(channels, 3)
  t.deepEqual([...data], [255, 255, 255, 10, 20, 30])
})

test('16-bit and grey pictures become 8-bit samples', async (t) => {
  const bytes = await raw(1, 1, 1, [77]).toColourspace('grey16').png().toBuffer()
  const { channels, data } = await decodePicture(bytes)
  t.true([...data].every((sample) => Math.abs(sample - 77) <= 1))
  t.is(data.length, channels)
})

test('PPM needs no sharp', async (t) => {
  const missing = () => Promise.reject(new Error('no sharp here'))
  const bytes = Buffer.from('P5 1 1 255 A', 'latin1')
  t.deepEqual([...(await decodePicture(bytes, 'a.pgm', missing)).data], [65])
})

test('a missing sharp is PEER_MISSING, with the command that installs it', async (t) => {
  const missing = () => Promise.reject(new Error('no sharp here'))
  const error = await t.throwsAsync(decodePicture(Uint8Array.of(1, 2), 'a.jpg', missing), {
    code: 'PEER_MISSING',
  })
  t.regex(error.message, /npm install sharp$/)
})

test('no picture, an empty file, no file: DATA_INVALID', async (t) => {
  await t.throwsAsync(decodePicture(Buffer.from('not a picture')), { code: 'DATA_INVALID' })
  await t.throwsAsync(decodePicture(Uint8Array.of()), { code: 'DATA_INVALID' })
  await t.throwsAsync(readPicture('no/such/file.png'), { code: 'DATA_INVALID' })
})
