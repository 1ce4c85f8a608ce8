// The resampler: constants stay, means stay, fits keep the middle.

import test from 'ava'
import fc from 'fast-check'
import { withChannels } from '#lib/data/pixels.js'
import { FITS, resize } from '#lib/data/resize.js'

const grey = (width: number, height: number, samples: readonly number[]) => ({
  width,
  height,
  channels: 1 as const,
  data: Uint8Array.from(samples),
})

test('the same size is the same picture', (t) => {
  const picture = grey(2, 2, [1, 2, 3, 4])
  for (const fit of FITS) t.is(resize(picture, 2, 2, fit), picture)
})

test('halving averages over the widened triangle', (t) => {
  // Weights of the four samples around an edge's centre: (0, 3, 3, 1) / 7, cut at the border.
  t.deepEqual([...resize(grey(4, 1, [0, 0, 70, 70]), 2, 1).data], [10, 60])
})

test('doubling interpolates between sample centres', (t) => {
  t.deepEqual([...resize(grey(2, 1, [0, 100]), 4, 1).data], [0, 25, 75, 100])
})

test('a constant picture stays constant, in any size', (t) => {
  const size = fc.integer({ min: 1, max: 40 })
  fc.assert(
    fc.property(
      size,
      size,
      size,
      size,
      fc.nat(255),
      fc.constantFrom('stretch', 'crop'),
      (w, h, w2, h2, value, fit) => {
        const out = resize(grey(w, h, new Array(w * h).fill(value)), w2, h2, fit as 'crop')
        t.is(out.data.length, w2 * h2)
        t.true(out.data.every((sample) => sample === value))
      },
    ),
    { numRuns: 200, seed: 2 },
  )
})

test('crop keeps the middle', (t) => {
  t.deepEqual([...resize(grey(4, 2, [9, 1, 2, 9, 9, 3, 4, 9]), 2, 2, 'crop').data], [1, 2, 3, 4])
})

test('pad keeps everything and adds black', (t) => {
  t.deepEqual([...resize(grey(2, 1, [8, 9]), 2, 3, 'pad').data], [0, 0, 8, 9, 0, 0])
})

test('very thin pictures still have a pixel when padded', (t) => {
  const out = resize(grey(1000, 1, new Array(1000).fill(200)), 10, 10, 'pad')
  t.is(out.data.filter((sample) => sample === 200).length, 10)
})

test('colours do not mix', (t) => {
  const red = {
    width: 3,
    height: 3,
    channels: 3 as const,
    data: Uint8Array.from({ length: 27 }, (_, i) => (i % 3 ? 0 : 255)),
  }
  t.true(resize(red, 2, 5).data.every((sample, i) => sample === (i % 3 ? 0 : 255)))
})

test('grey is the luma of BT.601, colour from grey repeats it', (t) => {
  const colour = { width: 2, height: 1, channels: 3 as const, data: Uint8Array.of(255, 0, 0, 10, 20, 30) }
  t.deepEqual([...withChannels(colour, 1).data], [76, 18])
  t.deepEqual([...withChannels(grey(1, 1, [5]), 3).data], [5, 5, 5])
})
