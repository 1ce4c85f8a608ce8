// Augmentation: what each change does to a picture, and that a seed says it.

import test from 'ava'
import { type Augmentation, drawChange } from '#lib/train/data/augment.js'
import { batchesOf } from '#lib/train/data/batches.js'
import type { Dataset } from '#lib/train/data/dataset.js'
import { shuffled } from '#lib/train/data/order.js'

const [height, width, channels] = [4, 5, 3]
const size = height * width * channels
const inputs = Uint8Array.from({ length: 2 * size }, (_, i) => (i * 7) % 256)
const examples = { inputs, labels: Int32Array.of(0, 1) }
const data: Dataset = {
  name: 'made',
  shape: [height, width, channels],
  classes: 2,
  normalization: { mean: [10, 20, 30], std: [2, 4, 8] },
  train: examples,
  test: examples,
}
const { mean, std } = data.normalization
const real = (byte: number, c: number) => Math.fround((byte - (mean[c] as number)) / (std[c] as number))

function drawn(augmentation: Augmentation, seed?: number): Float32Array {
  const to = new Float32Array(size)
  batchesOf(data, examples, augmentation).write(1, to, 0, seed)
  return to
}
const pixel = (from: ArrayLike<number>, y: number, x: number, c: number) =>
  from[(y * width + x) * channels + c] as number
const plain = Float32Array.from(inputs.subarray(size), (byte, i) => real(byte, i % channels))

test('without a seed, or without changes, an example comes as it is', (t) => {
  t.deepEqual(drawn({ flip: true, shift: 2, cutout: 2 }), plain)
  t.deepEqual(drawn({}, 5), plain)
})

test('mirrored half of the time, and exactly', (t) => {
  let mirrored = 0
  for (let seed = 0; seed < 400; seed++) {
    const to = drawn({ flip: true }, seed)
    if (to.every((value, i) => value === plain[i])) continue
    mirrored++
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < channels; c++) t.is(pixel(to, y, x, c), pixel(plain, y, width - 1 - x, c))
  }
  t.true(mirrored > 160 && mirrored < 240, String(mirrored))
})

test('moved each way, the edge mirrored', (t) => {
  const reflect = (at: number, extent: number) => (at < 0 ? -at : at < extent ? at : 2 * (extent - 1) - at)
  const seen = new Set<string>()
  for (let seed = 0; seed < 200; seed++) {
    const to = drawn({ shift: 2 }, seed)
    const moves = [-2, -1, 0, 1, 2].flatMap((down) =>
      [-2, -1, 0, 1, 2].map((right) => [down, right] as const),
    )
    const found = moves.find(([down, right]) =>
      to.every((value, i) => {
        const [y, x, c] = [Math.floor(i / channels / width), Math.floor(i / channels) % width, i % channels]
        return value === pixel(plain, reflect(y - down, height), reflect(x - right, width), c)
      }),
    )
    t.truthy(found, `seed ${seed}`)
    seen.add(String(found))
  }
  t.is(seen.size, 25)
})

test('cut out: a square of zeros, at most so large', (t) => {
  for (let seed = 0; seed < 50; seed++) {
    const to = drawn({ cutout: 2 }, seed)
    const changed = [...to.keys()].filter((i) => to[i] !== plain[i])
    t.true(changed.length <= 4 * channels)
    t.true(changed.every((i) => to[i] === 0))
  }
})

test('a seed draws the same change, another one another', (t) => {
  const all = { flip: true, shift: 3, cutout: 2 }
  const change = (seed: number) => drawChange(all, { height: 32, width: 32 }, seed)
  t.deepEqual(change(9), change(9))
  t.true(new Set(Array.from({ length: 50 }, (_, i) => JSON.stringify(change(i)))).size > 45)
})

test('changes that do not fit the pictures are refused', (t) => {
  t.throws(() => batchesOf(data, examples, { shift: 4 }), { message: /shift is 4.*0 to 3/ })
  t.throws(() => batchesOf(data, examples, { cutout: -1 }), { message: /cutout is -1/ })
})

test('an order has every number once, and depends on the seed', (t) => {
  const order = shuffled(1000, 3)
  t.deepEqual(
    [...order].sort((a, b) => a - b),
    [...Array(1000).keys()],
  )
  t.deepEqual(shuffled(1000, 3), order)
  t.notDeepEqual(shuffled(1000, 4), order)
})
