// Laws of arena packing, on random lives and sizes.

import test from 'ava'
import fc from 'fast-check'
import { ARENA_ALIGNMENT, liveBytes, packArena } from '#lib/plan/arena.js'
import type { Storage } from '#lib/plan/lifetime.js'

const storages: fc.Arbitrary<readonly Storage[]> = fc.array(
  fc
    .record({ bytes: fc.nat(5000), first: fc.integer({ min: -1, max: 40 }), length: fc.nat(12) })
    .map(({ bytes, first, length }) => ({ bytes, first, last: first + length })),
  { maxLength: 60 },
)

const together = (a: Storage, b: Storage) => a.first <= b.last && b.first <= a.last

test('storages in use at the same time never overlap, and all lie in the arena on aligned offsets', (t) => {
  fc.assert(
    fc.property(storages, (list) => {
      const { offsets, bytes } = packArena(list)
      return list.every((a, i) => {
        const at = offsets[i] as number
        const inside = at % ARENA_ALIGNMENT === 0 && at >= 0 && at + a.bytes <= bytes
        const apart = list.slice(0, i).every((b, j) => {
          const other = offsets[j] as number
          return !together(a, b) || at + a.bytes <= other || other + b.bytes <= at || a.bytes * b.bytes === 0
        })
        return inside && apart
      })
    }),
    { seed: 1, numRuns: 500 },
  )
  t.pass()
})

test('the arena is at least what is in use at once, and rarely much more', (t) => {
  let [sum, bound] = [0, 0]
  fc.assert(
    fc.property(storages, (list) => {
      const { bytes } = packArena(list)
      const lower = liveBytes(list)
      const padded = liveBytes(list.map((s) => ({ ...s, bytes: Math.ceil(s.bytes / 64) * 64 })))
      sum += bytes
      bound += padded
      return bytes >= lower && bytes >= padded && bytes <= 2 * padded
    }),
    { seed: 2, numRuns: 500 },
  )
  t.true(sum <= 1.05 * bound, `on average ${sum / bound} of the bound`)
})

test('lowest fitting offset, largest first', (t) => {
  const list = [
    { bytes: 100, first: -1, last: 0 },
    { bytes: 1000, first: 0, last: 1 },
    { bytes: 64, first: 1, last: 2 },
  ]
  t.deepEqual(packArena(list), { offsets: [1024, 0, 1024], bytes: 1152 })
})

test('the same storages always give the same arena', (t) => {
  fc.assert(
    fc.property(storages, (list) => {
      t.deepEqual(packArena(list), packArena(list.map((s) => ({ ...s }))))
    }),
    { seed: 3, numRuns: 50 },
  )
})

test('live bytes count both ends of a life', (t) => {
  t.is(liveBytes([]), 0)
  t.is(
    liveBytes([
      { bytes: 10, first: 0, last: 1 },
      { bytes: 5, first: 1, last: 1 },
      { bytes: 12, first: 2, last: 3 },
    ]),
    15,
  )
})
